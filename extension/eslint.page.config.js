// For the scripts of the server's page (server/web/static). They run as they are, without a build;
// tsc checks their types and names by tsconfig.page.json.

import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import { NO_MARKUP_FROM_TEXT } from "./eslint.config.js";

export default defineConfig(js.configs.recommended, {
  languageOptions: { sourceType: "module" },
  linterOptions: { reportUnusedDisableDirectives: "error" },
  rules: {
    eqeqeq: "error",
    "max-lines": ["error", 400],
    "no-eval": "error",
    "no-restricted-properties": ["error", ...NO_MARKUP_FROM_TEXT],
    "no-undef": "off",
    "no-var": "error",
    "prefer-const": "error",
  },
});

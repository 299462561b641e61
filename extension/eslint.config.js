import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export const NO_MARKUP_FROM_TEXT = ["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe"].map(
  (property) => ({ property, message: "Build nodes; text never becomes markup." }),
);

export default defineConfig(
  { ignores: ["build/", "node_modules/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "max-lines": ["error", 400],
      "no-eval": "error",
      "no-restricted-properties": ["error", ...NO_MARKUP_FROM_TEXT],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    files: ["**/*.mjs", "eslint.config.js"],
    languageOptions: { globals: { console: "readonly", process: "readonly", Buffer: "readonly", URL: "readonly" } },
  },
);

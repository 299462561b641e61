import { defineConfig } from "vitest/config";

const PAGES = ["src/{page,popup,options,allow}/**/*.test.ts", "src/right-click.test.ts", "src/shared/dom.test.ts"];

export default defineConfig({
  define: { OPEN_SHADOW: "true" },
  test: {
    restoreMocks: true,
    unstubGlobals: true,
    projects: [
      { extends: true, test: { name: "pages", environment: "happy-dom", include: PAGES } },
      { extends: true, test: { name: "background", include: ["src/**/*.test.ts"], exclude: PAGES } },
    ],
  },
});

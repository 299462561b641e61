import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { installChrome } from "../testing/chrome";
import { language, loadTexts, t, useTexts } from "./i18n";

beforeEach(() => { installChrome(); });
afterEach(() => { useTexts(null, ""); });

it("speaks the browser's language unless another was chosen", async () => {
  expect(t("list_progress", 2, 5)).toBe("2 of 5 checked");
  vi.stubGlobal("fetch", () => Promise.resolve(new Response('{"list_progress": {"message": "$2-$1"}}')));
  useTexts(await loadTexts("te"), "te");
  expect(t("list_progress", 2, 5)).toBe("5-2");
  expect(language()).toBe("te");
});

it("falls back where the chosen catalogue lacks a text", () => {
  useTexts({}, "te");
  expect(t("close")).toBe("Close");
});

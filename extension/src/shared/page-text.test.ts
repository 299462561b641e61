import { expect, it } from "vitest";
import { isPageText } from "./page-text";

const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

it.each(["text/html", "text/plain; charset=utf-8", "application/json", "application/octet-stream", null])(
  "takes a JPEG for a picture though it is called %s",
  (type) => { expect(isPageText(type, JPEG)).toBe(false); },
);

it.each([
  ["text/html; charset=utf-8", "<!doctype html><title>Anmelden für Mitglieder</title>", true],
  ["application/json", '{"error": "sign in"}', true],
  ["application/xhtml+xml", "<html/>", true],
  ["text/html", "", true],
  ["image/jpeg", "anything", false],
])("%s with %j", (type, words, isPage) => {
  expect(isPageText(type, text(words))).toBe(isPage);
});

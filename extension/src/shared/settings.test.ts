import { beforeEach, expect, it } from "vitest";
import { installChrome } from "../testing/chrome";
import { DEFAULTS, hostPattern, readSettings, tidyServerUrl, writeSettings } from "./settings";

beforeEach(() => { installChrome(); });

it.each([
  [" http://127.0.0.1:8080/ ", "http://127.0.0.1:8080"],
  ["unmask.example.org/team/", "http://unmask.example.org/team"],
  ["https://unmask.example.org", "https://unmask.example.org"],
  ["ftp://unmask.example.org", null],
  ["nonsense://x", null],
  ["https://user:secret@unmask.example.org", null],
  ["http://", null],
  ["not a server", null],
])("tidies %j", (text, tidy) => {
  expect(tidyServerUrl(text)).toBe(tidy);
});

it("asks for a host on any port: Firefox knows no others", () => {
  expect(hostPattern("http://127.0.0.1:8080/x")).toBe("http://127.0.0.1/*");
});

it("fills in what was not stored", async () => {
  expect(await readSettings()).toEqual(DEFAULTS);
  await writeSettings({ ...DEFAULTS, atOnce: 5 });
  expect(await readSettings()).toEqual({ ...DEFAULTS, atOnce: 5 });
});

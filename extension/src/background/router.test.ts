import { beforeEach, expect, it } from "vitest";
import { CALLERS } from "../shared/messages";
import { installChrome } from "../testing/chrome";
import { admitted } from "./router";

beforeEach(() => { installChrome(); });

const tab = { id: 7, index: 0, windowId: 1, incognito: false } as chrome.tabs.Tab;
const page = { id: "our-id", tab, frameId: 2, url: "https://news.example/" };
const own = { id: "our-id", url: "chrome-extension://our-id/popup.html" };

it("admits pages to what pages may ask", () => {
  expect(admitted("job/retry", page)).toMatchObject({ tab: { id: 7 }, frame: 2 });
});

it("admits our own pages to what is theirs", () => {
  expect(admitted("history/clear", own)).toBeNull();
});

it.each(Object.keys(CALLERS))("lets nobody else ask for %s", (call) => {
  expect(() => admitted(call, { ...page, id: "another" })).toThrow();
  expect(() => admitted(call, { ...own, id: "another" })).toThrow();
  const wrong = CALLERS[call as keyof typeof CALLERS] === "own" ? page : own;
  expect(() => admitted(call, wrong)).toThrow();
});

it.each([undefined, null, 3, "toString", "constructor", "job/unknown"])("knows no call %j", (call) => {
  expect(() => admitted(call, page)).toThrow();
});

it("takes no web page for ours whose address begins alike", () => {
  expect(() => admitted("history/clear", { ...own, url: "chrome-extension://our-id.evil/" })).toThrow();
});

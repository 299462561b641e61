import { beforeEach, expect, it } from "vitest";
import { installChrome } from "../testing/chrome";
import { job, PICTURE, report } from "../testing/examples";
import { viewOf } from "./view";

beforeEach(() => { installChrome(); });

it("tells the verdict in words and a number", () => {
  const view = viewOf(job({ state: "done", check: "abcdefgh12345678", report: report() }));
  expect(view).toMatchObject({
    look: "fake",
    chip: "97 % fake · Signs found",
    sentence: "The face shows signs of manipulation (fake 97 %).",
    link: "http://127.0.0.1:8080/c/abcdefgh12345678",
    waysOut: [],
    warning: "",
  });
  expect(view.caveat).toContain("not a proof of forgery");
});

it.each([
  ["offline", ["retry", "options"]],
  ["no_bytes", ["allow", "file", "capture", "retry"]],
  ["too_many_bytes", []],
  ["internal", ["retry"]],
  ["page_blocked", []],
  ["capture_failed", ["file", "capture", "retry"]],
])("offers the ways out of %s", (code, ways) => {
  expect(viewOf(job({ state: "error", failure: { code, message: "" } })).waysOut).toEqual(ways);
});

it("shows the server's sentence for a code it has no words for", () => {
  const failure = { code: "from_the_future", message: "Do this." };
  expect(viewOf(job({ state: "error", failure })).sentence).toBe("Do this.");
});

it("names the setting that lets this extension in", () => {
  const failure = { code: "origin_refused", message: "" };
  expect(viewOf(job({ state: "error", failure })).setting).toBe("UNMASK_EXTENSION_ORIGINS=chrome-extension://our-id");
});

it("says that a capture is less sure", () => {
  expect(viewOf(job({ means: "capture", state: "done", report: report() })).warning).toContain("capture of the screen");
});

it("notices that the server was given another picture", () => {
  const picture = { ...PICTURE, size: { width: 300, height: 400 } };
  const doneJob = { state: "done", report: report() } as const;
  const view = viewOf(job({ ...doneJob, picture, means: "server" }));
  expect(view.warning).not.toBe("");
  expect(view.waysOut).toEqual(["file"]);
  expect(viewOf(job({ ...doneJob, picture, means: "original" })).warning).toBe("");
  expect(viewOf(job({ ...doneJob, means: "server" })).warning).toBe("");
});

it("asks to allow only what has a site", () => {
  const picture = { ...PICTURE, url: null };
  const failure = { code: "no_bytes", message: "" };
  expect(viewOf(job({ picture, state: "error", failure })).waysOut).not.toContain("allow");
});

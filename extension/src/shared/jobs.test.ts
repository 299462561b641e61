import { expect, it } from "vitest";
import { job, report } from "../testing/examples";
import { isActive, lookOf, siteOf } from "./jobs";

it("looks as its verdict once it is done", () => {
  expect(lookOf(job())).toBe("waiting");
  expect(lookOf(job({ state: "done", report: report({ verdict: "no_face" }) }))).toBe("no_face");
  expect([job(), job({ state: "checking" }), job({ state: "error" })].map(isActive)).toEqual([true, true, false]);
});

it.each([
  ["https://cdn.example:8443/a.jpg", "https://cdn.example:8443"],
  ["javascript:alert(1)", null],
  ["chrome-extension://abc/x", null],
  ["nothing", null],
  [null, null],
])("knows the site of %j", (url, site) => {
  expect(siteOf(url)).toBe(site);
});

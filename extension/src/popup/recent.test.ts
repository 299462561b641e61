import { afterEach, beforeEach, expect, it } from "vitest";
import { remember } from "../shared/history";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { job, report } from "../testing/examples";
import { showPage } from "../testing/pages";
import { showRecent } from "./recent";

let chromeApi: FakeChrome;
beforeEach(() => {
  chromeApi = installChrome();
  showPage("popup.html");
});
afterEach(() => { document.body.replaceChildren(); });

function shown(): (string | undefined)[] {
  return [...document.querySelectorAll<HTMLElement>("[data-part=recent-item]")].map(({ dataset }) => dataset["state"]);
}

it("shows what is under way before what was, each check once", async () => {
  const done = job({ id: "b", state: "done", check: "abcdefgh12345678", report: report() });
  await remember(done, "data:image/webp;base64,AA==");
  chromeApi.storage.session.values["checks"] = { b: done, a: job({ id: "a", state: "checking" }) };
  await showRecent();
  expect(shown()).toEqual(["checking", "fake"]);
  const link = document.querySelector("a[data-part=recent-item]");
  expect(link?.getAttribute("href")).toBe("http://127.0.0.1:8080/c/abcdefgh12345678");
  expect(document.querySelector("[data-part=recent-empty]")?.hasAttribute("hidden")).toBe(true);
});

it("says how to begin where there is nothing", async () => {
  await showRecent();
  expect(document.querySelector("[data-part=recent-empty]")?.hasAttribute("hidden")).toBe(false);
});

it("tells why a file was not checked", async () => {
  const failure = { code: "not_a_picture", message: "" };
  chromeApi.storage.session.values["checks"] = { a: job({ id: "a", spot: null, state: "error", failure }) };
  await showRecent();
  expect(document.querySelector(".recent-message")?.textContent).toContain("no picture that can be read");
});

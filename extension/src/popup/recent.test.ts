import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { remember, rememberTeam } from "../shared/history";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { job, report, teamAnswer } from "../testing/examples";
import { showPage } from "../testing/pages";
import { offerTeam, showRecent } from "./recent";

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
  const doneJob = job({ id: "b", state: "done", check: "abcdefgh12345678", report: report() });
  await remember(doneJob, "data:image/webp;base64,AA==");
  chromeApi.storage.session.values["checks"] = { b: doneJob, a: job({ id: "a", state: "checking" }) };
  await showRecent(null);
  expect(shown()).toEqual(["checking", "fake"]);
  const link = document.querySelector("a[data-part=recent-item]");
  expect(link?.getAttribute("href")).toBe("http://127.0.0.1:8080/c/abcdefgh12345678");
  expect(document.querySelector("[data-part=recent-empty]")?.hasAttribute("hidden")).toBe(true);
});

it("says how to begin where there is nothing", async () => {
  await showRecent(null);
  expect(document.querySelector("[data-part=recent-empty]")?.hasAttribute("hidden")).toBe(false);
});

it("tells why a file was not checked", async () => {
  const failure = { code: "not_a_picture", message: "" };
  chromeApi.storage.session.values["checks"] = { a: job({ id: "a", tabFrame: null, state: "error", failure }) };
  await showRecent(null);
  expect(document.querySelector(".recent-message")?.textContent).toContain("no picture that can be read");
});

it("shows a check once whose end the history knows before the session does", async () => {
  await remember(job({ check: "abcdefgh12345678", report: report() }), null);
  chromeApi.storage.session.values["checks"] = { a: job({ state: "checking", check: "abcdefgh12345678" }) };
  await showRecent(null);
  expect(shown()).toEqual(["fake"]);
});

it("misses nothing that is written while it reads, and draws nothing older over it", async () => {
  const { session, onChanged } = chromeApi.storage;
  const before = { checks: { a: job({ state: "checking" }) } };
  const answers: ((stored: unknown) => void)[] = [];
  const read = session.get;
  session.get = () => new Promise((resolve) => answers.push(resolve));
  const reading = showRecent(null);
  await vi.waitFor(() => { expect(answers).toHaveLength(1); });
  session.get = read;
  session.values["checks"] = { a: job({ state: "done", check: "abcdefgh12345678", report: report() }) };
  const tell = onChanged.addListener.mock.calls[0]?.[0] as (changes: object) => void;
  tell({ checks: {} });
  await vi.waitFor(() => { expect(shown()).toEqual(["fake"]); });
  answers[0]?.(before);
  await reading;
  expect(shown()).toEqual(["fake"]);
});

it("shows what a private window asked for there, and in the tab that was opened for it", async () => {
  chromeApi.storage.session.values["checks"] = { a: job({ id: "a", trace: false, state: "checking" }) };
  await showRecent(null);
  expect(shown()).toEqual([]);
  await showRecent("a");
  expect(shown()).toEqual(["checking"]);
  chromeApi.windows.getCurrent.mockResolvedValue({ incognito: true });
  await showRecent(null);
  expect(shown()).toEqual(["checking"]);
});

it("lets a file be tried again where that may help", async () => {
  const failed = (id: string, code: string) => job({ id, tabFrame: null, state: "error", failure: { code, message: "" } });
  chromeApi.storage.session.values["checks"] = { a: failed("a", "offline"), b: failed("b", "damaged"), c: failed("c", "page_blocked") };
  await showRecent(null);
  const buttons = [...document.querySelectorAll<HTMLElement>("[data-part=retry]")];
  expect(buttons.map(({ textContent }) => textContent)).toEqual(["Try again"]);
  buttons[0]?.click();
  expect(chromeApi.runtime.sendMessage).toHaveBeenCalledWith({ call: "job/again", request: { job: "a" } });
});

const CHECK = "abcdefgh12345678";

it("shows the team's verdict and its case, and keeps the machine's beside it", async () => {
  await remember(job({ check: CHECK, report: report() }), null);
  await rememberTeam(CHECK, { slug: "desk", case: 214, answer: teamAnswer() });
  await showRecent(null);
  expect(shown()).toEqual(["real"]);
  expect(document.querySelector(".recent-verdict")?.textContent).toBe("Team: Authentic");
  expect(document.querySelector(".recent-label")?.textContent).toBe("Machine: 97 % fake · Signs found");
  expect(document.querySelector("[data-part=case-link]")?.getAttribute("href")).toBe("http://127.0.0.1:8080/t/desk/214");
});

it("offers to send a recent check where the key may, and says what has not arrived", async () => {
  await remember(job({ check: CHECK, report: report() }), null);
  await showRecent(null);
  expect(document.querySelector("[data-part=team-send]")).toBeNull();
  await offerTeam(true, null);
  document.querySelector<HTMLElement>("[data-part=team-send]")?.click();
  expect(chromeApi.runtime.sendMessage).toHaveBeenCalledWith({ call: "check/send", request: { check: CHECK } });
  const waiting = { check: CHECK, server: "http://127.0.0.1:8080", slug: "desk", source: { door: "extension" }, trace: true, failure: null };
  chromeApi.storage.local.values["unsent"] = [waiting, { ...waiting, check: "zzzzzzzz12345678" }];
  await offerTeam(false, null);
  expect(document.querySelectorAll("[data-part=team-note]")).toHaveLength(2);
  expect(document.querySelectorAll("[data-part=team-again]")).toHaveLength(2);
});

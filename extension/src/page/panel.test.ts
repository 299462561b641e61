import { beforeEach, expect, it, vi } from "vitest";
import { viewOf } from "../shared/view";
import { installChrome } from "../testing/chrome";
import { face, job, report, teamAnswer } from "../testing/examples";
import type { PanelActions } from "./panel";
import { Panel } from "./panel";

const DONE = job({ state: "done", check: "abcdefgh12345678", report: report() });
const OFFER = { title: "Send?", lead: "", items: [], isConfirmed: false, hasPage: false, withPage: true };
let root: ShadowRoot;
let actions: { [Name in keyof PanelActions]: ReturnType<typeof vi.fn<NonNullable<PanelActions[Name]>>> };

beforeEach(() => {
  installChrome();
  const host = document.createElement("div");
  document.body.replaceChildren(host);
  root = host.attachShadow({ mode: "open" });
  const names = ["close", "retry", "cancel", "allow", "file", "capture", "options", "send", "sendAgain", "offer"] as const;
  actions = { ...Object.fromEntries(names.map((name) => [name, vi.fn()])), heatmap: vi.fn((on: boolean) => Promise.resolve(on)) } as typeof actions;
});

function open(changes: Parameters<typeof job>[0] = DONE): Panel {
  return new Panel(root, viewOf(job(changes)), actions);
}

function part(name: string): HTMLElement | null {
  return root.querySelector(`[data-part="${name}"]`);
}

it("shows each face, the sentence and the link of the report", () => {
  open({ ...DONE, report: report({ faces: [face(), face({ verdict: "real", fake_probability: 0.1 })] }) });
  const faces = [...root.querySelectorAll("[data-part=panel-face]")];
  expect(faces.map((one) => one.textContent)).toEqual([
    "1Signs of manipulation97 % fake50 % of the face is marked",
    "2No sign of manipulation10 % fake50 % of the face is marked",
  ]);
  expect(part("report-link")?.getAttribute("href")).toBe("http://127.0.0.1:8080/c/abcdefgh12345678");
  expect(part("report-link")?.getAttribute("rel")).toContain("noopener");
});

it("is a dialog with a name", () => {
  const { element } = open();
  expect(element.getAttribute("role")).toBe("dialog");
  expect(root.getElementById(element.getAttribute("aria-labelledby") ?? "")?.textContent).toBe("Signs of manipulation");
});

it("says whether the heatmap shows", async () => {
  open();
  const toggle = part("heatmap-switch");
  toggle?.click();
  await vi.waitFor(() => { expect(toggle?.getAttribute("aria-checked")).toBe("true"); });
  actions.heatmap.mockResolvedValue(false);
  toggle?.click();
  await vi.waitFor(() => { expect(toggle?.getAttribute("aria-checked")).toBe("false"); });
});

it("offers what may help, and does it", () => {
  open({ state: "error", failure: { code: "no_bytes", message: "" } });
  for (const name of ["retry", "allow", "capture"] as const) {
    part(name)?.click();
    expect(actions[name]).toHaveBeenCalledOnce();
  }
  expect(part("choose-file")).not.toBeNull();
  expect(part("allow")?.textContent).toContain("news.example");
});

it("lets the file be chosen where the server may have judged another picture", () => {
  const picture = { ...DONE.picture, size: { width: 300, height: 400 } };
  open({ ...DONE, picture, means: "server" });
  expect(part("message")?.textContent).toContain("Choose the file");
  const input = root.querySelector<HTMLInputElement>("input[type=file]");
  if (input === null) throw new Error("no file can be chosen");
  const file = new File(["bytes"], "photo.jpg");
  Object.defineProperty(input, "files", { value: [file] });
  input.dispatchEvent(new Event("change"));
  expect(actions.file).toHaveBeenCalledWith(file);
});

it("counts down to the next try", () => {
  vi.useFakeTimers();
  const panel = open({ retryAt: Date.now() + 5000, failure: { code: "busy", message: "" } });
  expect(part("countdown")?.textContent).toBe("Trying again in 5 s");
  vi.advanceTimersByTime(2000);
  expect(part("countdown")?.textContent).toBe("Trying again in 3 s");
  panel.remove();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it("keeps the focus when its content changes", () => {
  const panel = open({ state: "checking" });
  panel.focus();
  panel.show(viewOf(DONE));
  expect(root.activeElement).toBe(panel.element);
});

const TEAM = { slug: "fact-desk", maySend: true, answer: null, sending: null };

it("puts the team's verdict before the machine's, with its date, its likeness and its case", () => {
  open({ ...DONE, team: { ...TEAM, answer: teamAnswer() } });
  expect(root.querySelector("h2")?.textContent).toBe("Team: Authentic");
  expect(root.querySelector("section")?.className).toBe("panel v-real");
  expect(part("team-about")?.textContent).toBe("May 12, 2026 · same file · high confidence");
  expect(part("case-link")?.textContent).toBe("Case 214");
  expect(part("case-link")?.getAttribute("href")).toBe("http://127.0.0.1:8080/t/fact-desk/214");
  const order = part("team")?.compareDocumentPosition(part("sentence") ?? document) ?? 0;
  expect(order & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
  expect(part("team-send")).not.toBeNull();
});

it("does not give a verdict that is about another context", () => {
  const answer = teamAnswer({ verdict: null, confidence: null, earlier: "other_context" });
  open({ ...DONE, team: { ...TEAM, answer } });
  expect(root.querySelector("h2")?.textContent).toBe("Signs of manipulation");
  expect(part("team-note")?.textContent).toContain("in another context");
});

it("says what leaves the browser before the first sending, and lets the page be left out", async () => {
  actions.offer.mockResolvedValue({ ...OFFER, items: ["https://news.example/story (A story)"], hasPage: true });
  open({ ...DONE, team: TEAM });
  part("team-send")?.click();
  await vi.waitFor(() => { expect(part("team-confirm")).not.toBeNull(); });
  expect(actions.send).not.toHaveBeenCalled();
  expect(part("team-confirm")?.textContent).toContain("https://news.example/story (A story)");
  part("team-confirm-cancel")?.click();
  expect(part("team-confirm")).toBeNull();
  expect(actions.send).not.toHaveBeenCalled();
  part("team-send")?.click();
  await vi.waitFor(() => { expect(part("team-confirm")).not.toBeNull(); });
  part("without-page")?.click();
  part("team-confirm-send")?.click();
  expect(actions.send).toHaveBeenCalledWith(false);
});

it("sends at once what the person agreed to before", async () => {
  actions.offer.mockResolvedValue({ ...OFFER, isConfirmed: true, withPage: false });
  open({ ...DONE, team: TEAM });
  part("team-send")?.click();
  await vi.waitFor(() => { expect(actions.send).toHaveBeenCalledWith(false); });
  expect(part("team-confirm")).toBeNull();
});

it("offers to send again what has not reached the team", () => {
  const failure = { code: "offline", message: "" };
  open({ ...DONE, team: { ...TEAM, sending: { state: "unsent", case: null, failure } } });
  expect(part("team-note")?.textContent).toContain("Not yet sent");
  expect(part("team-send")).toBeNull();
  part("team-again")?.click();
  expect(actions.sendAgain).toHaveBeenCalledOnce();
});

it("offers nothing to a key that may only read", () => {
  open({ ...DONE, team: { ...TEAM, maySend: false } });
  expect(part("team-send")).toBeNull();
});

import { beforeEach, expect, it, vi } from "vitest";
import type { JobView } from "../shared/view";
import { viewOf } from "../shared/view";
import { installChrome } from "../testing/chrome";
import { job, report, teamAnswer } from "../testing/examples";
import type { TeamOffer } from "../shared/messages";
import type { TeamState } from "../shared/team";
import { PageList } from "./list";

let root: ShadowRoot;
const actions = {
  open: vi.fn(), cancel: vi.fn(), close: vi.fn(), pagePicture: () => undefined,
  offer: vi.fn((_: readonly string[]): Promise<TeamOffer | null> => Promise.resolve(null)), send: vi.fn(), sendAgain: vi.fn(),
};
const OFFER: TeamOffer = { title: "Send 2 checks?", lead: "", items: ["the checks"], isConfirmed: false, hasPage: true, withPage: true };
const TEAM: TeamState = { slug: "desk", maySend: true, answer: null, sending: null };

beforeEach(() => {
  installChrome();
  vi.clearAllMocks();
  const host = document.createElement("div");
  document.body.replaceChildren(host);
  root = host.attachShadow({ mode: "open" });
});

function view(id: string, changes: Parameters<typeof job>[0] = {}): JobView {
  return viewOf(job({ id, batch: "b", ...changes }));
}

function done(id: string, verdict: "fake" | "real", probability: number): JobView {
  return view(id, { state: "done", report: report({ verdict, fake_probability: probability }) });
}

function part(name: string): HTMLElement {
  const found = root.querySelector<HTMLElement>(`[data-part="${name}"]`);
  if (found === null) throw new Error(`no ${name}`);
  return found;
}

function shown(): (string | undefined)[] {
  return [...root.querySelectorAll<HTMLElement>("[data-part=page-item]")].filter(({ hidden }) => !hidden).map(({ dataset }) => dataset["words"]);
}

it("tells how far it is, and lets it be cancelled until it ended", () => {
  const list = new PageList(root, [view("a"), view("b")], actions);
  expect(part("page-progress").getAttribute("aria-valuemax")).toBe("2");
  part("page-cancel").click();
  expect(actions.cancel).toHaveBeenCalledOnce();
  list.show(done("a", "real", 0.1));
  expect(part("page-progress").getAttribute("aria-valuenow")).toBe("1");
  expect(list.done).toBe(false);
  list.show(done("b", "fake", 0.9));
  expect(list.done).toBe(true);
  expect(part("page-cancel").hidden).toBe(true);
});

it("puts the most suspicious first once all ended", () => {
  new PageList(root, [done("a", "real", 0.1), done("b", "fake", 0.8), done("c", "fake", 0.9)], actions);
  expect(shown()).toEqual(["90 % fake · Signs found", "80 % fake · Signs found", "10 % fake · No signs"]);
});

it("filters by verdict", () => {
  new PageList(root, [done("a", "real", 0.1), done("b", "fake", 0.8)], actions);
  const filter = part("page-filter") as HTMLSelectElement;
  filter.value = "fake";
  filter.dispatchEvent(new Event("change"));
  expect(shown()).toEqual(["80 % fake · Signs found"]);
  filter.value = "error";
  filter.dispatchEvent(new Event("change"));
  expect(shown()).toEqual([]);
  expect(root.textContent).toContain("None of them.");
});

it("says so where there is nothing to check", () => {
  new PageList(root, [], actions);
  expect(root.textContent).toContain("No picture on this page is large enough");
});

it("lists no check that was asked for by itself", () => {
  const list = new PageList(root, [done("a", "real", 0.1)], actions);
  list.show({ ...view("b"), batch: null });
  expect(root.querySelectorAll("[data-part=page-item]")).toHaveLength(1);
  expect(list.done).toBe(true);
});

it("opens the picture as it stands now", () => {
  const list = new PageList(root, [view("a")], actions);
  list.show(done("a", "fake", 0.9));
  part("page-item").querySelector("button")?.click();
  expect(actions.open).toHaveBeenCalledWith(expect.objectContaining({ id: "a", look: "fake" }));
});

function teamed(id: string, probability: number, team: Partial<TeamState> = {}): JobView {
  const verdict = probability > 0.7 ? "fake" : probability > 0.4 ? "unsure" : "real";
  return view(id, { state: "done", check: `check-of-${id}`, report: report({ verdict, fake_probability: probability }), team: { ...TEAM, ...team } });
}

function item(id: number): HTMLElement {
  const found = [...root.querySelectorAll<HTMLElement>("[data-part=page-item]")][id];
  if (found === undefined) throw new Error(`no item ${id}`);
  return found;
}

it("sends all suspicious at once, after asking, and none that the team has", async () => {
  const decided = teamed("e", 0.95, { answer: teamAnswer() });
  const list = new PageList(root, [teamed("a", 0.9), teamed("b", 0.5), teamed("c", 0.1), teamed("d", 0.99, { answer: teamAnswer({ verdict: null, decided_at: null }) }), decided], actions);
  expect(part("team-send-all").textContent).toBe("Send all suspicious to the team (2)");
  actions.offer.mockResolvedValue(OFFER);
  part("team-send-all").click();
  await vi.waitFor(() => part("team-confirm"));
  expect(part("team-confirm").textContent).toContain("Send 2 checks?the checks");
  expect(actions.offer).toHaveBeenCalledWith(["a", "b"]);
  expect(actions.send).not.toHaveBeenCalled();
  part("team-confirm-send").click();
  expect(actions.send).toHaveBeenCalledWith(["a", "b"], true);
  expect(root.querySelector("[data-part=team-confirm]")).toBeNull();
  list.show(teamed("a", 0.9, { sending: { state: "sent", case: 214, failure: null } }));
  list.show(teamed("b", 0.5, { sending: { state: "unsent", case: null, failure: { code: "offline", message: "" } } }));
  expect(part("team-send-all").hidden).toBe(true);
});

it("has a button on each entry, and says how its sending stands", async () => {
  const list = new PageList(root, [teamed("a", 0.1)], actions);
  const button = (name: string): HTMLElement | null => item(0).querySelector(`[data-part=${name}]`);
  expect(part("team-send-all").hidden).toBe(true);
  actions.offer.mockResolvedValue({ ...OFFER, isConfirmed: true, withPage: false });
  button("team-send")?.click();
  await vi.waitFor(() => { expect(actions.send).toHaveBeenCalledWith(["a"], false); });
  list.show(teamed("a", 0.1, { sending: { state: "unsent", case: null, failure: { code: "key_scope", message: "" } } }));
  expect(button("team-note")?.textContent).toContain("Not yet sent");
  button("team-again")?.click();
  expect(actions.sendAgain).toHaveBeenCalledWith("a");
  list.show(teamed("a", 0.1, { sending: { state: "sent", case: 214, failure: null }, answer: teamAnswer({ verdict: null, decided_at: null }) }));
  expect(button("case-link")?.getAttribute("href")).toBe("http://127.0.0.1:8080/t/desk/214");
  expect(button("team-note")?.textContent).toBe("The team has this picture: case 214 is not decided.");
  expect(button("team-send")).toBeNull();
});

it("puts the team's verdict before the machine's", () => {
  new PageList(root, [teamed("a", 0.9, { answer: teamAnswer() })], actions);
  expect(item(0).querySelector(".item-words")?.textContent).toBe("photo.jpgTeam: AuthenticMachine: 90 % fake · Signs found");
});

it("offers nothing of a team without a key of one", () => {
  new PageList(root, [done("a", "fake", 0.9)], actions);
  expect(root.querySelectorAll("[data-part=team-send]")).toHaveLength(0);
  expect(part("team-send-all").hidden).toBe(true);
});

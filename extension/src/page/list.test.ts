import { beforeEach, expect, it, vi } from "vitest";
import type { JobView } from "../shared/view";
import { viewOf } from "../shared/view";
import { installChrome } from "../testing/chrome";
import { job, report } from "../testing/examples";
import { PageList } from "./list";

let root: ShadowRoot;
const actions = { open: vi.fn(), cancel: vi.fn(), close: vi.fn(), pagePicture: () => undefined };

beforeEach(() => {
  installChrome();
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

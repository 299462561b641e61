import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { JobView } from "../shared/view";
import { viewOf } from "../shared/view";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { job, PICTURE, report } from "../testing/examples";
import { image } from "../testing/layout";
import { App } from "./app";

let chromeApi: FakeChrome;
let app: App;
let picture: HTMLImageElement;

beforeEach(() => {
  chromeApi = installChrome();
  vi.stubGlobal("ResizeObserver", class { observe(): void { /* nothing */ } unobserve(): void { /* nothing */ } disconnect(): void { /* nothing */ } });
  vi.stubGlobal("innerWidth", 1000);
  vi.stubGlobal("innerHeight", 800);
  Element.prototype.checkVisibility = () => true;
  picture = image("https://news.example/photo.jpg", [20, 30, 400, 300]);
  app = new App();
});
afterEach(() => {
  app.end();
  document.body.replaceChildren();
});

function parts(name: string): HTMLElement[] {
  return [...(document.querySelector("unmask-page")?.shadowRoot?.querySelectorAll<HTMLElement>(`[data-part="${name}"]`) ?? [])];
}

async function clicked(): Promise<JobView> {
  const found = await app.answers["picture/find"]({ srcUrl: picture.src, linkUrl: null });
  if (found === null) throw new Error("not found");
  return viewOf(job({ picture: found, state: "checking" }));
}

function changed(...jobs: JobView[]): void {
  void app.answers["jobs/changed"]({ jobs });
}

function escape(): void {
  window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", cancelable: true }));
}

it("marks a picture at once, then draws what was found and tells it", async () => {
  const view = await clicked();
  expect(parts("chip").map(({ dataset }) => dataset["state"])).toEqual(["waiting"]);
  changed(view);
  expect(parts("chip")[0]?.dataset["state"]).toBe("checking");
  const done = viewOf(job({ picture: { ...PICTURE, anchors: view.anchors }, state: "done", check: "abcdefgh12345678", report: report() }));
  changed(done);
  expect(parts("chip")[0]?.dataset).toMatchObject({ state: "fake", check: "abcdefgh12345678" });
  expect(parts("overlay")).toHaveLength(1);
  expect(parts("panel")).toHaveLength(1);
  expect(parts("live")[0]?.textContent).toBe(done.sentence);
});

it("closes by Escape: first the panel, then the rest", async () => {
  const view = await clicked();
  changed({ ...view, look: "error" });
  escape();
  expect([parts("panel").length, parts("chip").length]).toEqual([0, 1]);
  escape();
  expect(parts("chip")).toHaveLength(0);
});

it("leaves the page's own Escape alone when nothing of ours is open", () => {
  const event = new KeyboardEvent("keydown", { key: "Escape", cancelable: true });
  window.dispatchEvent(event);
  expect(event.defaultPrevented).toBe(false);
});

it("has the person point at what it cannot know", async () => {
  expect(await app.answers["picture/find"]({ srcUrl: null, linkUrl: null })).toBeNull();
  expect(parts("picker")).toHaveLength(1);
  document.elementsFromPoint = () => [picture];
  window.dispatchEvent(new MouseEvent("click", { clientX: 30, clientY: 40 }));
  expect(parts("picker")).toHaveLength(0);
  expect(chromeApi.runtime.sendMessage).toHaveBeenCalledWith(expect.objectContaining({ call: "picture/picked" }));
});

it("takes away the mark of what was cancelled", async () => {
  changed({ ...(await clicked()), look: "error", cancelled: true });
  expect(parts("chip")).toHaveLength(0);
});

it("lists a page-wide check, and ends it when the list is closed", async () => {
  const found = await app.answers["page/collect"]({ minimumSize: 100 });
  expect(found).toHaveLength(1);
  const views = found.map((one, at) => viewOf(job({ id: `${at}`, picture: one, batch: "b" })));
  await app.answers["page/list"]({ jobs: views });
  expect(parts("page-item")).toHaveLength(1);
  expect(parts("chip")).toHaveLength(1);
  escape();
  expect(parts("page-list")).toHaveLength(0);
  expect(parts("chip")).toHaveLength(0);
  expect(chromeApi.runtime.sendMessage).toHaveBeenCalledWith(expect.objectContaining({ call: "page/cancel" }));
});

it("leaves nothing behind", async () => {
  changed(await clicked());
  app.end();
  expect(document.querySelector("unmask-page")).toBeNull();
});

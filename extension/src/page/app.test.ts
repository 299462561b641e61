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
  app = new App("");
});
afterEach(() => {
  app.end();
  document.body.replaceChildren();
});

function parts(name: string): HTMLElement[] {
  return [...(document.querySelector("unmask-page")?.shadowRoot?.querySelectorAll<HTMLElement>(`[data-part="${name}"]`) ?? [])];
}

async function clicked(): Promise<JobView> {
  const answer = await app.answers["picture/find"]({ srcUrl: picture.src, linkUrl: null });
  if (answer === null) throw new Error("the picture was not found");
  return viewOf(job({ picture: answer, state: "checking" }));
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
  const doneJob = viewOf(job({ picture: { ...PICTURE, anchors: view.anchors }, state: "done", check: "abcdefgh12345678", report: report() }));
  changed(doneJob);
  expect(parts("chip")[0]?.dataset).toMatchObject({ state: "fake", check: "abcdefgh12345678" });
  expect(parts("overlay")).toHaveLength(1);
  expect(parts("panel")).toHaveLength(1);
  expect(parts("live")[0]?.textContent).toBe(doneJob.sentence);
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

it("removes the badge of a cancelled job", async () => {
  changed({ ...(await clicked()), look: "error", cancelled: true });
  expect(parts("chip")).toHaveLength(0);
});

it("lists a page-wide check, and ends it when the list is closed", async () => {
  const pictures = await app.answers["page/collect"]({ minimumSize: 100 });
  expect(pictures).toHaveLength(1);
  const views = pictures.map((one, at) => viewOf(job({ id: `${at}`, picture: one, batch: "b" })));
  await app.answers["page/list"]({ jobs: views });
  expect(parts("page-item")).toHaveLength(1);
  expect(parts("chip")).toHaveLength(1);
  escape();
  expect(parts("page-list")).toHaveLength(0);
  expect(parts("chip")).toHaveLength(0);
  expect(chromeApi.runtime.sendMessage).toHaveBeenCalledWith(expect.objectContaining({ call: "page/cancel" }));
});

/** What the background answers to each call. */
function backgroundAnswers(answers: Record<string, (request: never) => unknown>): void {
  chromeApi.runtime.sendMessage.mockImplementation((message) => {
    const { call, request } = message as { call: string; request: never };
    return Promise.resolve({ value: answers[call]?.(request) ?? null });
  });
}

function doneView(id: string, view: JobView): JobView {
  return viewOf(job({ id, batch: view.batch, picture: { ...PICTURE, anchors: view.anchors }, state: "done", check: "abcdefgh12345678", report: report() }));
}

it("begins again at a picture that is checked again", async () => {
  changed(doneView("first", await clicked()));
  expect([parts("overlay").length, parts("panel").length]).toEqual([1, 1]);
  const again = { ...(await clicked()), id: "second" };
  expect(parts("chip").map(({ dataset }) => dataset["state"])).toEqual(["waiting"]);
  expect([parts("overlay").length, parts("panel").length]).toEqual([0, 0]);
  changed(again);
  expect(parts("chip").map(({ dataset }) => dataset["job"])).toEqual(["second"]);
});

it("leaves a badge to the later check when the earlier one is dropped", async () => {
  const view = await clicked();
  changed(view);
  changed({ ...view, id: "second" });
  changed({ ...view, look: "error", cancelled: true });
  expect(parts("chip").map(({ dataset }) => dataset["job"])).toEqual(["second"]);
});

it("marks the picture that an element shows now, not the one that it showed", async () => {
  changed(await clicked());
  picture.src = "https://news.example/next.jpg";
  const next = { ...(await clicked()), id: "second" };
  changed(next);
  expect(parts("chip").map(({ hidden, dataset }) => [hidden, dataset["job"]])).toEqual([[false, "second"]]);
});

it("asks for what is under way alone, and keeps what ended when the background has forgotten it", async () => {
  vi.useFakeTimers();
  for (let at = 1; at < 160; at++) image(`https://news.example/${at}.jpg`, [20, 30, 400, 300]);
  const pictures = await app.answers["page/collect"]({ minimumSize: 100 });
  const views = pictures.map((one, at) => viewOf(job({ id: `${at}`, picture: one, batch: "b" })));
  await app.answers["page/list"]({ jobs: views });
  changed(...views.slice(1).map((view) => doneView(view.id, view)));
  const requests: string[][] = [];
  backgroundAnswers({ "jobs/sync": ({ jobs }: { jobs: string[] }) => { requests.push(jobs); return views.slice(0, 1); } });
  await vi.advanceTimersByTimeAsync(5000);
  vi.useRealTimers();
  expect(requests).toEqual([["0"]]);
  expect(parts("chip")).toHaveLength(160);
});

it("lists nothing but the page-wide check, of which there may be a second", async () => {
  for (const batch of ["b", "c"]) {
    const [collectedPicture] = await app.answers["page/collect"]({ minimumSize: 100 });
    const view = viewOf(job({ id: batch, picture: collectedPicture ?? PICTURE, batch }));
    await app.answers["page/list"]({ jobs: [view] });
    changed(doneView(batch, view));
  }
  changed({ ...(await clicked()), id: "alone" });
  expect(parts("page-list")).toHaveLength(1);
  expect(parts("page-item").map(({ dataset }) => dataset["state"])).toEqual(["fake"]);
  expect(parts("chip").map(({ dataset }) => dataset["job"])).toEqual(["alone"]);
});

it("fetches a heatmap each time, since it may be another check's by then", async () => {
  const close = vi.fn();
  vi.stubGlobal("createImageBitmap", () => Promise.resolve({ width: 4, height: 3, close }));
  changed(doneView("first", await clicked()));
  let requestCount = 0;
  backgroundAnswers({ "job/heatmap": () => { requestCount++; return { base64: "" }; } });
  for (const state of ["true", "false", "true"]) {
    parts("heatmap-switch")[0]?.click();
    await vi.waitFor(() => { expect(parts("heatmap-switch")[0]?.getAttribute("aria-checked")).toBe(state); });
  }
  expect(requestCount).toBe(2);
  expect(close).toHaveBeenCalledTimes(2);
});

it("takes every chip away by Escape, those too that no check came to", async () => {
  await clicked();
  escape();
  expect(parts("chip")).toHaveLength(0);
});

it("leaves nothing behind", async () => {
  changed(await clicked());
  app.end();
  expect(document.querySelector("unmask-page")).toBeNull();
});

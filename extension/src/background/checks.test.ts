import { beforeEach, expect, it, vi } from "vitest";
import type { Picture } from "../shared/jobs";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { PICTURE } from "../testing/examples";
import { Checks } from "./checks";
import type { Runner } from "./runner";
import { Store } from "./store";

const tab = { id: 7, index: 0, windowId: 1, incognito: false } as chrome.tabs.Tab;
const NOTHING = { srcUrl: null, linkUrl: null, frame: 0 };
let chromeApi: FakeChrome;
let store: Store;
let runner: { pump: ReturnType<typeof vi.fn>; cancel: ReturnType<typeof vi.fn> };
let checks: Checks;

beforeEach(() => {
  chromeApi = installChrome();
  store = new Store(() => undefined);
  runner = { pump: vi.fn(() => Promise.resolve()), cancel: vi.fn() };
  checks = new Checks(store, runner as unknown as Runner);
});

function pageAnswers(answers: Record<string, unknown>): void {
  chromeApi.tabs.sendMessage.mockImplementation((_tab, message) =>
    Promise.resolve({ value: answers[(message as { call: string }).call] ?? null }));
}

it("checks what the page found under the click", async () => {
  pageAnswers({ "picture/find": PICTURE });
  await checks.clicked({ ...tab, incognito: true }, NOTHING);
  expect(store.all()).toMatchObject([{ picture: PICTURE, tabFrame: { tab: 7, frame: 0 }, trace: false }]);
  expect(runner.pump).toHaveBeenCalledOnce();
});

it("starts nothing while the person has yet to point at the picture", async () => {
  pageAnswers({});
  await checks.clicked(tab, NOTHING);
  expect(store.all()).toEqual([]);
});

it("shows the answer elsewhere where no script may run", async () => {
  chromeApi.scripting.executeScript.mockRejectedValue(new Error("cannot access"));
  await checks.clicked(tab, { ...NOTHING, srcUrl: "https://news.example/a.jpg" });
  expect(store.all()).toMatchObject([{ tabFrame: null, picture: { url: "https://news.example/a.jpg" } }]);
  expect(chromeApi.tabs.create).toHaveBeenCalledWith(
    expect.objectContaining({ url: `chrome-extension://our-id/popup.html?tab=${store.all()[0]?.id}` }));
  expect(await checks.all(tab)).toBe(false);
});

it("replaces an earlier check of the same picture", async () => {
  await checks.start({ tab: 7, frame: 0 }, PICTURE, true);
  await checks.start({ tab: 7, frame: 0 }, PICTURE, true);
  expect(store.all()).toHaveLength(1);
  expect(runner.cancel).toHaveBeenCalledOnce();
});

it("checks the pictures of all frames as one", async () => {
  chromeApi.scripting.executeScript.mockResolvedValue([{ frameId: 0 }, { frameId: 4 }]);
  const other: Picture = { ...PICTURE, anchors: ["b-0"] };
  pageAnswers({ "page/collect": [PICTURE, other] });
  expect(await checks.all(tab)).toBe(true);
  const jobs = store.all();
  expect(jobs).toHaveLength(4);
  expect(new Set(jobs.map(({ batch }) => batch)).size).toBe(1);
  expect(jobs.map(({ tabFrame }) => tabFrame?.frame)).toEqual([0, 0, 4, 4]);
});

it("goes on without a frame that went while it was asked", async () => {
  chromeApi.scripting.executeScript.mockResolvedValue([{ frameId: 0 }, { frameId: 4 }]);
  chromeApi.tabs.sendMessage.mockImplementation((_tab, message, target) => {
    const { call } = message as { call: string };
    if (call !== "page/collect") return Promise.resolve({ value: null });
    const { frameId } = target as { frameId: number };
    return frameId === 4 ? Promise.reject(new Error("gone")) : Promise.resolve({ value: [PICTURE] });
  });
  expect(await checks.all(tab)).toBe(true);
  expect(store.all()).toMatchObject([{ tabFrame: { frame: 0 }, picture: PICTURE }]);
});

it("begins again when all of a page are checked twice", async () => {
  pageAnswers({ "page/collect": [PICTURE, { ...PICTURE, anchors: ["b-0"] }] });
  await checks.all(tab);
  const before = store.all();
  await checks.all(tab);
  expect(store.all()).toHaveLength(2);
  expect(runner.cancel).toHaveBeenCalledWith(before.map(({ id }) => id));
  expect(store.all().map(({ id }) => id)).not.toEqual(expect.arrayContaining([before[0]?.id]));
});

import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { job, PICTURE } from "../testing/examples";
import { Store } from "./store";

let chromeApi: FakeChrome;
beforeEach(() => {
  chromeApi = installChrome();
  vi.useFakeTimers();
});

it("finds its jobs again after the worker died", async () => {
  const store = new Store(() => undefined);
  const { id } = store.add({ tabFrame: null, picture: PICTURE });
  store.change(id, { state: "checking", check: "abcdefgh12345678" });
  await vi.runAllTimersAsync();
  const next = new Store(() => undefined);
  await next.load();
  expect(next.get(id)).toEqual(store.get(id));
});

it("keeps a job that was added before the loading ended", async () => {
  chromeApi.storage.session.values["checks"] = { old: job({ id: "old" }) };
  const store = new Store(() => undefined);
  const loading = store.load();
  const { id } = store.add({ tabFrame: null, picture: PICTURE });
  await loading;
  expect(store.all().map((one) => one.id).sort()).toEqual([id, "old"].sort());
});

it("tells of each change, and not of jobs that were removed", () => {
  const listener = vi.fn();
  const store = new Store(listener);
  const { id } = store.add({ tabFrame: null, picture: PICTURE });
  store.remove(id);
  expect(store.change(id, { state: "done" })).toBeUndefined();
  expect(listener).toHaveBeenCalledOnce();
});

it("forgets the oldest of many that ended, and none under way", () => {
  const store = new Store(() => undefined);
  const { id } = store.add({ tabFrame: null, picture: PICTURE });
  for (let count = 0; count < 200; count++) store.add(job({ id: `${count}`, state: "done" }));
  expect(store.all()).toHaveLength(151);
  expect(store.get(id)).toBeDefined();
  expect(store.get("0")).toBeUndefined();
});

describe("the thumbnail of a job", () => {
  const NAME = "thumbnail:a";
  let store: Store;
  beforeEach(() => {
    chromeApi.storage.session.values[NAME] = "data:,";
    store = new Store(() => undefined);
    store.add(job({ id: "a", state: "checking" }));
  });
  const hasThumbnail = (): boolean => NAME in chromeApi.storage.session.values;

  it("stays while it is under way, and with a check that only the way to is broken", () => {
    store.change("a", { check: "abcdefgh12345678" });
    store.change("a", { state: "error", failure: { code: "offline", message: "" } });
    expect(hasThumbnail()).toBe(true);
  });
  it("goes when it fails", () => {
    store.change("a", { state: "error" });
    expect(hasThumbnail()).toBe(false);
  });
  it("goes when it is removed", () => {
    store.remove("a");
    expect(hasThumbnail()).toBe(false);
  });
  it("goes when it is forgotten as the oldest of many", () => {
    store.change("a", { state: "done" });
    for (let count = 0; count < 150; count++) store.add(job({ id: `${count}`, state: "done" }));
    expect(hasThumbnail()).toBe(false);
  });
});

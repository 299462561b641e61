import { beforeEach, expect, it, vi } from "vitest";
import { installChrome } from "../testing/chrome";
import { job } from "../testing/examples";
import { answersOf } from "./answers";
import type { Checks } from "./checks";
import type { CallingFrame } from "./router";
import type { Runner } from "./runner";
import { Store } from "./store";
import { TeamDesk } from "./team-desk";

const caller = (tab: number, frame: number): CallingFrame =>
  ({ tab: { id: tab, index: 0, windowId: 1, incognito: false } as chrome.tabs.Tab & { id: number }, frame });
let store: Store;
let runner: { pump: ReturnType<typeof vi.fn>; retry: ReturnType<typeof vi.fn>; cancel: ReturnType<typeof vi.fn> };
let checks: { cancelBatches: ReturnType<typeof vi.fn> };

function answers(): ReturnType<typeof answersOf> {
  return answersOf(store, runner as unknown as Runner, checks as unknown as Checks, new TeamDesk(store));
}

beforeEach(() => {
  installChrome();
  store = new Store(() => undefined);
  runner = { pump: vi.fn(() => Promise.resolve()), retry: vi.fn(), cancel: vi.fn() };
  checks = { cancelBatches: vi.fn() };
  store.add(job({ id: "mine", tabFrame: { tab: 7, frame: 2 } }));
  store.add(job({ id: "theirs", tabFrame: { tab: 8, frame: 0 } }));
});

it("lets a page touch its own checks only", async () => {
  await answers()["job/retry"]({ job: "mine" }, caller(7, 2));
  expect(runner.retry).toHaveBeenCalledWith("mine");
  await expect(answers()["job/retry"]({ job: "theirs" }, caller(7, 2))).rejects.toThrow();
  await expect(answers()["job/retry"]({ job: "mine" }, caller(7, 3))).rejects.toThrow();
});

it("lets the top frame speak for those below, since the list stands there", async () => {
  await answers()["job/cancel"]({ job: "mine" }, caller(7, 0));
  expect(runner.cancel).toHaveBeenCalledWith(["mine"]);
});

it("tells a page how its checks stand, and leaves out those of others", async () => {
  const views = await answers()["jobs/sync"]({ jobs: ["mine", "theirs", "unknown"] }, caller(7, 2));
  expect(views.map(({ id }) => id)).toEqual(["mine"]);
  expect(runner.pump).toHaveBeenCalledOnce();
});

it("tries again what failed, and nothing else, when one of our own pages asks", async () => {
  store.change("mine", { state: "error" });
  for (const id of ["mine", "theirs", "unknown"]) await answers()["job/again"]({ job: id }, null);
  expect(runner.retry.mock.calls).toEqual([["mine"]]);
});

it("ends a page-wide check when its page goes, not when a frame of it does", async () => {
  await answers()["page/gone"]({}, caller(7, 2));
  expect(checks.cancelBatches).not.toHaveBeenCalled();
  await answers()["page/gone"]({}, caller(7, 0));
  expect(checks.cancelBatches).toHaveBeenCalledWith(7);
});

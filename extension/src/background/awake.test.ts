import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";

let chromeApi: FakeChrome;
let keepAwake: (busy: boolean) => void;
beforeEach(async () => {
  chromeApi = installChrome();
  vi.useFakeTimers();
  vi.resetModules();
  ({ keepAwake } = await import("./awake"));
});

it("stays awake while busy, and no longer", () => {
  keepAwake(true);
  keepAwake(true);
  vi.advanceTimersByTime(60_000);
  expect(chromeApi.runtime.getPlatformInfo).toHaveBeenCalledTimes(3);
  expect(chromeApi.alarms.create).toHaveBeenCalledOnce();
  keepAwake(false);
  vi.advanceTimersByTime(60_000);
  expect(chromeApi.runtime.getPlatformInfo).toHaveBeenCalledTimes(3);
  expect(chromeApi.alarms.clear).toHaveBeenCalledOnce();
});

it("clears the alarm of an earlier life, once", () => {
  keepAwake(false);
  keepAwake(false);
  expect(chromeApi.alarms.clear).toHaveBeenCalledOnce();
});

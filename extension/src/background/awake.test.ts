import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { keepAwake } from "./awake";

let chromeApi: FakeChrome;
beforeEach(() => {
  chromeApi = installChrome();
  vi.useFakeTimers();
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

import { beforeEach, expect, it, vi } from "vitest";
import { Tracker } from "./track";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("ResizeObserver", class { observe(): void { /* nothing */ } unobserve(): void { /* nothing */ } disconnect(): void { /* nothing */ } });
});

it("follows closely after an event, calmly else, and not at all for nobody", () => {
  const tick = vi.fn();
  const update = vi.fn();
  const control = new AbortController();
  const tracker = new Tracker(tick);
  expect(vi.getTimerCount()).toBe(0);
  tracker.add(document.body, update, control.signal);
  expect(update).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(2000);
  const calm = update.mock.calls.length;
  vi.advanceTimersByTime(1000);
  expect(update.mock.calls.length - calm).toBeLessThan(8);
  const before = update.mock.calls.length;
  window.dispatchEvent(new Event("scroll"));
  vi.advanceTimersByTime(500);
  expect(update.mock.calls.length - before).toBeGreaterThan(20);
  control.abort();
  expect(vi.getTimerCount()).toBe(0);
});

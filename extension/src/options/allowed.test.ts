import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { allowed } from "./allowed";

const PATTERN = "http://127.0.0.1/*";
let chromeApi: FakeChrome;

beforeEach(() => {
  chromeApi = installChrome();
  vi.useFakeTimers();
});
afterEach(() => { vi.useRealTimers(); });

it.each([true, false])("returns the browser's answer: %s", async (answer) => {
  chromeApi.permissions.request.mockResolvedValue(answer);
  expect(await allowed(PATTERN)).toBe(answer);
  expect(vi.getTimerCount()).toBe(0);
});

it("goes on once the host is granted, though the browser does not answer", async () => {
  chromeApi.permissions.request.mockReturnValue(new Promise(() => undefined));
  chromeApi.permissions.contains.mockResolvedValue(false);
  const settled = vi.fn();
  const answer = allowed(PATTERN).then(settled);
  await vi.advanceTimersByTimeAsync(3000);
  expect(settled).not.toHaveBeenCalled();
  chromeApi.permissions.contains.mockResolvedValue(true);
  await vi.advanceTimersByTimeAsync(1000);
  await answer;
  expect(settled).toHaveBeenCalledWith(true);
  expect(vi.getTimerCount()).toBe(0);
});

it("looks at what is granted where the browser does not ask", async () => {
  chromeApi.permissions.request.mockRejectedValue(new Error("no click"));
  chromeApi.permissions.contains.mockResolvedValue(true);
  expect(await allowed(PATTERN)).toBe(true);
});

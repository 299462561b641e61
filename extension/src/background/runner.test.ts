import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useTexts } from "../shared/i18n";
import type { Job } from "../shared/jobs";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { check, job, jsonAnswer, PICTURE, report } from "../testing/examples";
import { Runner } from "./runner";
import { Store } from "./store";

const CHECK = "abcdefgh12345678";
let chromeApi: FakeChrome;
let server: ReturnType<typeof vi.fn<(path: string, init: RequestInit) => Response | Error>>;
let endedJobs: Job[];

beforeEach(() => {
  chromeApi = installChrome();
  useTexts(null, "");
  endedJobs = [];
  server = vi.fn<(path: string, init: RequestInit) => Response | Error>(() => jsonAnswer(check()));
  chromeApi.tabs.sendMessage.mockResolvedValue({ value: { base64: btoa("the picture") } });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    await new Promise((resolve) => setTimeout(resolve));
    init.signal?.throwIfAborted();
    const answer = server(new URL(url).pathname, init);
    if (answer instanceof Error) throw answer;
    return answer;
  });
});
afterEach(() => { vi.useRealTimers(); });

function started(): { store: Store; runner: Runner } {
  const store = new Store(() => undefined);
  const runner = new Runner(store, (one) => { endedJobs.push(one); return Promise.resolve(); }, () => undefined);
  return { store, runner };
}

async function until(settled: () => boolean): Promise<void> {
  await vi.waitFor(() => { if (!settled()) throw new Error("not yet"); }, { timeout: 3000, interval: 5 });
}

function posts(): number {
  return server.mock.calls.filter(([, { method }]) => method === "POST").length;
}

it("brings a picture of a page to its report", async () => {
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => endedJobs.length === 1);
  expect(store.get(id)).toMatchObject({ state: "done", check: CHECK, means: "original" });
  expect(chromeApi.tabs.sendMessage.mock.calls[0]?.[1]).toMatchObject({ call: "picture/bytes" });
});

it("goes on with a check that the server has, without sending it again", async () => {
  chromeApi.storage.session.values["checks"] = { "job-1": job({ state: "checking", check: CHECK }) };
  const { store, runner } = started();
  await runner.pump();
  await until(() => store.get("job-1")?.state === "done");
  expect(posts()).toBe(0);
});

it("sends the same bytes once", async () => {
  const { store, runner } = started();
  for (let count = 0; count < 4; count++) store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => endedJobs.length === 4);
  expect(posts()).toBe(1);
});

it("checks no more of a page at one time than the settings say", async () => {
  let most = 0;
  let now = 0;
  chromeApi.tabs.sendMessage.mockImplementation(async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now--;
    return { value: { base64: btoa(String(Math.random())) } };
  });
  const { store, runner } = started();
  for (let count = 0; count < 10; count++) {
    store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE, batch: "b" });
  }
  await runner.pump();
  await until(() => endedJobs.length === 10);
  expect(most).toBe(3);
});

it("waits as long as a busy server says, and goes on by itself", async () => {
  server.mockImplementationOnce(() =>
    jsonAnswer({ error: { code: "busy", message: "" } }, 503, { "Retry-After": "1" }));
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => store.get(id)?.retryAt != null);
  expect(store.get(id)).toMatchObject({ state: "waiting", failure: { code: "busy" }, tries: 1 });
  await until(() => store.get(id)?.state === "done");
  expect(store.get(id)).toMatchObject({ failure: null, retryAt: null });
});

it("goes on with its check where the server limits how often it may be asked for it", async () => {
  let limits = 1;
  server.mockImplementation((path, { method }) => {
    if (method === "POST") return jsonAnswer({ id: CHECK, sha256: "", state: "queued" });
    if (path.endsWith(CHECK) && limits-- > 0) {
      return jsonAnswer({ error: { code: "rate_limited", message: "" } }, 429, { "Retry-After": "1" });
    }
    return jsonAnswer(check());
  });
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => store.get(id)?.retryAt != null);
  expect(store.get(id)).toMatchObject({ state: "waiting", check: CHECK, failure: { code: "rate_limited" } });
  await until(() => store.get(id)?.state === "done");
  expect(posts()).toBe(1);
});

it("sends the same bytes once more, not once each, where the first sending failed", async () => {
  server.mockImplementationOnce(() => jsonAnswer({ error: { code: "internal", message: "" } }, 500));
  const { store, runner } = started();
  for (let count = 0; count < 4; count++) store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => endedJobs.length === 3);
  expect(store.all().filter(({ state }) => state === "error")).toHaveLength(1);
  expect(posts()).toBe(2);
});

it("brings every picture of a large page to its verdict", async () => {
  chromeApi.tabs.sendMessage.mockImplementation(() => Promise.resolve({ value: { base64: btoa(String(Math.random())) } }));
  const { store, runner } = started();
  for (let count = 0; count < 170; count++) {
    store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE, batch: "b" });
  }
  await runner.pump();
  await until(() => endedJobs.length === 170);
  expect(store.all().every(({ state }) => state === "done")).toBe(true);
});

it("judges a file that is chosen for a picture which the server was given another of", async () => {
  chromeApi.storage.session.values["checks"] = { "job-1": job({ state: "done", check: CHECK, means: "server", report: report() }) };
  const { store, runner } = started();
  await store.load();
  runner.retry("job-1", { means: "original", check: null });
  expect(store.get("job-1")).toMatchObject({ state: "waiting", report: null });
  await until(() => store.get("job-1")?.state === "done");
});

it("says that the server is away, and succeeds when tried again", async () => {
  server.mockImplementationOnce(() => new TypeError("failed to fetch"));
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => store.get(id)?.state === "error");
  expect(store.get(id)?.failure?.code).toBe("offline");
  runner.retry(id);
  await until(() => store.get(id)?.state === "done");
});

it("sends a picture again under the same key when the way was broken", async () => {
  server.mockImplementationOnce(() => new TypeError("failed to fetch"));
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => store.get(id)?.state === "error");
  runner.retry(id);
  await until(() => store.get(id)?.state === "done");
  const keys = server.mock.calls.filter(([, { method }]) => method === "POST")
    .map(([, { headers }]) => new Headers(headers).get("Idempotency-Key"));
  expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
});

it("tells a server that may not be reached from one that is away", async () => {
  server.mockImplementation(() => new TypeError("failed to fetch"));
  chromeApi.permissions.contains.mockResolvedValue(false);
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => store.get(id)?.state === "error");
  expect(store.get(id)?.failure?.code).toBe("not_connected");
});

it("submits a failed check again when it is tried again", async () => {
  server.mockImplementation((path) => jsonAnswer(path.endsWith(CHECK)
    ? { id: CHECK, sha256: "", state: "failed", error: { code: "poison_picture", message: "" } }
    : { id: CHECK, sha256: "", state: "queued" }));
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => store.get(id)?.state === "error");
  expect(store.get(id)).toMatchObject({ failure: { code: "poison_picture" }, check: null });
  runner.retry(id);
  await until(() => posts() === 2 && store.get(id)?.state === "error");
  const keys = server.mock.calls.filter(([, { method }]) => method === "POST")
    .map(([, { headers }]) => new Headers(headers).get("Idempotency-Key"));
  expect(new Set(keys).size).toBe(2);
});

it("lets the server fetch what neither the page nor we may read", async () => {
  chromeApi.tabs.sendMessage.mockResolvedValue({ value: null });
  chromeApi.permissions.contains.mockResolvedValue(false);
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => store.get(id)?.state === "done");
  const body = server.mock.calls[0]?.[1].body as FormData;
  expect(body.get("url")).toBe(PICTURE.url);
  expect(store.get(id)?.means).toBe("server");
});

it("says so where the server cannot fetch it either", async () => {
  chromeApi.tabs.sendMessage.mockResolvedValue({ value: null });
  server.mockImplementation(() => jsonAnswer({ error: { code: "url_unreachable", message: "" } }, 422));
  chromeApi.permissions.contains.mockResolvedValue(false);
  const { store, runner } = started();
  const { id } = store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE });
  await runner.pump();
  await until(() => store.get(id)?.state === "error");
  expect(store.get(id)?.failure?.code).toBe("no_bytes");
});

it("ends what is cancelled, and starts nothing of it", async () => {
  const { store, runner } = started();
  const ids = Array.from({ length: 6 }, () =>
    store.add({ tabFrame: { tab: 7, frame: 0 }, picture: PICTURE, batch: "b" }).id);
  await runner.pump();
  runner.cancel(ids);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(store.all().map(({ failure }) => failure?.code)).toEqual(ids.map(() => "cancelled"));
  expect(endedJobs).toEqual([]);
});

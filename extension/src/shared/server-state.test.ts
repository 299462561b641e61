import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { jsonAnswer } from "../testing/examples";
import { serverState } from "./server-state";
import { DEFAULTS } from "./settings";

let chromeApi: FakeChrome;
beforeEach(() => { chromeApi = installChrome(); });

function server(ready: () => Response | Error, known = jsonAnswer({ checks: [] })): Promise<string> {
  vi.stubGlobal("fetch", (url: string) => {
    const answer = url.endsWith("/readyz") ? ready() : known;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return serverState(DEFAULTS, new AbortController().signal).then(({ state }) => state);
}

const READY = (): Response => jsonAnswer({ status: "ready", workers: 1, waiting: 0 });

it("tells ready, offline, unauthorized and not set apart", async () => {
  expect(await server(READY)).toBe("ready");
  expect(await server(() => new TypeError("no"))).toBe("offline");
  expect(await server(READY, jsonAnswer({ error: { code: "key_needed", message: "" } }, 401))).toBe("unauthorized");
  chromeApi.permissions.contains.mockResolvedValue(false);
  expect(await server(READY)).toBe("not-set");
});

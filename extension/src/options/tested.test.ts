import { beforeEach, expect, it, vi } from "vitest";
import { DEFAULTS } from "../shared/settings";
import { installChrome } from "../testing/chrome";
import { jsonAnswer } from "../testing/examples";
import { tested } from "./tested";

beforeEach(() => { installChrome(); });

const READY = (): Response => jsonAnswer({ status: "ready", workers: 1, waiting: 0 });
const refusal = (status: number, code: string, headers = {}) => (): Response =>
  jsonAnswer({ error: { code, message: "" } }, status, headers);

it.each([
  ["a server that takes checks", READY, refusal(415, "unsupported_body"), null],
  ["one that is busy", READY, refusal(503, "busy", { "Retry-After": "9" }), null],
  ["one that needs a key", READY, refusal(401, "key_needed"), "key_needed"],
  ["a key without the scope", READY, refusal(403, "key_scope"), "key_scope"],
  ["one that does not know the extension", READY, refusal(403, "origin_refused"), "origin_refused"],
  ["another program", () => new Response("<html>"), READY, "not_unmask"],
  ["another program's 404", refusal(404, "not_found"), READY, "not_unmask"],
  ["nobody", () => { throw new TypeError("refused"); }, READY, "offline"],
])("tells %s", async (_, ready, post, code) => {
  vi.stubGlobal("fetch", async (url: string) => Promise.resolve(url.endsWith("/readyz") ? ready() : post()));
  expect((await tested(DEFAULTS))?.code ?? null).toBe(code);
});

it("tries again where a host that was just allowed is still refused", async () => {
  let refusals = 1;
  vi.stubGlobal("fetch", async (url: string) => {
    if (refusals-- > 0) throw new TypeError("not yet");
    return Promise.resolve(url.endsWith("/readyz") ? READY() : refusal(415, "unsupported_body")());
  });
  expect(await tested(DEFAULTS)).toBeNull();
});

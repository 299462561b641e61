import { beforeEach, expect, it, vi } from "vitest";
import { check, jsonAnswer } from "../testing/examples";
import { Api } from "./api";
import type { Trouble } from "./trouble";

const api = new Api({ serverUrl: "http://unmask.test", apiKey: "um_secret" });
const { signal } = new AbortController();
const answers = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

beforeEach(() => {
  answers.mockReset();
  vi.stubGlobal("fetch", answers);
});

async function troubleOf(work: Promise<unknown>): Promise<Trouble> {
  return work.then(() => { throw new Error("it went well"); }, (error: unknown) => error as Trouble);
}

it("sends a picture as a form, with the key, and says that it is the extension", async () => {
  answers.mockResolvedValue(jsonAnswer(check(), 202));
  await api.submit({ file: new Blob(["bytes"]) }, "once", signal);
  const [url, init] = answers.mock.calls[0] ?? [];
  const headers = new Headers(init?.headers);
  const form = init?.body as FormData;
  expect(url).toBe("http://unmask.test/v1/checks");
  expect(headers.get("Authorization")).toBe("Bearer um_secret");
  expect(headers.get("Idempotency-Key")).toBe("once");
  expect(form.get("door")).toBe("extension");
  expect((form.get("file") as File).size).toBe(5);
  expect(form.has("language")).toBe(false);
  expect(init?.credentials).toBe("omit");
});

it("names the language that was chosen for the words on the picture", async () => {
  answers.mockResolvedValue(jsonAnswer(check(), 202));
  const german = new Api({ serverUrl: "http://unmask.test", apiKey: "", language: "de" });
  await german.submit({ url: "http://pictures.test/a.jpg" }, "once", signal);
  expect((answers.mock.lastCall?.[1]?.body as FormData).get("language")).toBe("de");
});

it.each([
  [401, { error: { code: "key_needed", message: "Send a key." } }, {}, "key_needed", null],
  [429, { error: { code: "rate_limited", message: "" } }, { "Retry-After": "12" }, "rate_limited", 12],
  [413, "too large, says a proxy", {}, "too_many_bytes", null],
  [429, "slow down, says a proxy", {}, "rate_limited", 30],
  [502, "<html>bad gateway", {}, "offline", null],
  [404, "<html>not found", {}, "not_unmask", null],
])("names what a %i of %j means", async (status, body, headers, code, retryAfter) => {
  answers.mockResolvedValue(
    new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers: headers as Record<string, string> }),
  );
  expect(await troubleOf(api.read("abcdefgh12345678", signal))).toMatchObject({ code, retryAfter });
});

it("tells a server that does not answer from a cancelled request", async () => {
  answers.mockRejectedValue(new TypeError("failed to fetch"));
  expect(await troubleOf(api.ready(signal))).toMatchObject({ code: "offline" });
  const control = new AbortController();
  control.abort();
  expect(await troubleOf(api.ready(control.signal))).not.toMatchObject({ code: "offline" });
});

it("does not take any JSON for Unmask's", async () => {
  answers.mockImplementation(() => Promise.resolve(jsonAnswer({ status: "fine" })));
  expect(await troubleOf(api.ready(signal))).toMatchObject({ code: "not_unmask" });
  expect(await troubleOf(api.read("abcdefgh12345678", signal))).toMatchObject({ code: "not_unmask" });
});

it("refuses an id that would lead elsewhere", async () => {
  answers.mockResolvedValue(jsonAnswer({ id: "../../admin", state: "queued" }));
  expect(await troubleOf(api.read("x", signal))).toMatchObject({ code: "bad_answer" });
});

it("asks whether the key, or none, is taken", async () => {
  answers.mockResolvedValue(jsonAnswer({ needed: true, scopes: ["check"], team: null }, 200));
  await api.known(signal);
  answers.mockResolvedValue(jsonAnswer({ needed: false, scopes: [], team: null }, 200));
  await api.known(signal);
  answers.mockResolvedValue(jsonAnswer({ needed: true, scopes: [], team: null }, 200));
  expect(await troubleOf(api.known(signal))).toMatchObject({ code: "key_needed" });
  answers.mockResolvedValue(jsonAnswer({ error: { code: "key_needed", message: "" } }, 401));
  expect(await troubleOf(api.known(signal))).toMatchObject({ code: "key_needed" });
});

it("asks whether checks are taken without sending one", async () => {
  answers.mockResolvedValue(jsonAnswer({ error: { code: "unsupported_body", message: "" } }, 415));
  await api.wouldTake(signal);
  expect(answers.mock.calls[0]?.[1].body).toBeUndefined();
  answers.mockResolvedValue(jsonAnswer({ error: { code: "origin_refused", message: "" } }, 403));
  expect(await troubleOf(api.wouldTake(signal))).toMatchObject({ code: "origin_refused" });
});

it.each([
  [{ scopes: ["check", "desk:send"], team: "fact-desk" }, { slug: "fact-desk", maySend: true }],
  [{ scopes: ["desk:read"], team: "fact-desk" }, { slug: "fact-desk", maySend: false }],
  [{ scopes: ["check"], team: "fact-desk" }, null],
  [{ scopes: ["desk:send"], team: null }, null],
  [{ scopes: ["desk:send"], team: "../../admin" }, null],
])("learns from %j which team the key speaks to", async (told, team) => {
  answers.mockResolvedValue(jsonAnswer({ needed: true, ...told }));
  expect(await api.known(signal)).toEqual(team);
});

it("sends a check to a team as JSON, with the key", async () => {
  answers.mockResolvedValue(jsonAnswer({ state: "done", case: 214, answer: null, error: null }));
  const sent = await api.sendToTeam("desk", "abcdefgh12345678", { door: "extension", note: "A story" }, signal);
  expect(sent.case).toBe(214);
  const [url, init] = answers.mock.lastCall ?? [];
  expect(url).toBe("http://unmask.test/v1/teams/desk/cases");
  expect(JSON.parse(init?.body as string)).toEqual({ check: "abcdefgh12345678", source: { door: "extension", note: "A story" } });
  expect(new Headers(init?.headers).get("Content-Type")).toBe("application/json");
});

import { beforeEach, expect, it, vi } from "vitest";
import { Api } from "../shared/api";
import { DEFAULTS } from "../shared/settings";
import { check, jsonAnswer, report } from "../testing/examples";
import { follow } from "./follow";

const RUNNING = { id: "abcdefgh12345678", sha256: "", state: "running" };
const api = new Api(DEFAULTS);
const answers = vi.fn<(path: string) => Response | Error>();

beforeEach(() => {
  vi.useFakeTimers();
  answers.mockReset();
  vi.stubGlobal("fetch", (url: string) => {
    const answer = answers(new URL(url).pathname);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
});

function events(text: string): Response {
  return new Response(text);
}

it("listens until the check ends, then reads its report", async () => {
  answers
    .mockReturnValueOnce(jsonAnswer(RUNNING))
    .mockReturnValueOnce(events("event: running\ndata: {}\n\nevent: done\ndata: {}\n\n"))
    .mockReturnValueOnce(jsonAnswer(check()));
  const found = await follow(api, RUNNING.id, new AbortController().signal);
  expect(found.verdict).toBe("fake");
  expect(answers.mock.calls.map(([path]) => path.split("/").at(-1))).toEqual([RUNNING.id, "events", RUNNING.id]);
});

it("opens a stream again that broke", async () => {
  answers
    .mockReturnValueOnce(jsonAnswer(RUNNING))
    .mockReturnValueOnce(new TypeError("the connection broke"))
    .mockReturnValueOnce(jsonAnswer(check()));
  const found = follow(api, RUNNING.id, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(2000);
  expect((await found).verdict).toBe("fake");
});

it("reads what a server of 0.4.0 sends, where a done check is its report", async () => {
  const { id, state } = check();
  answers.mockReturnValueOnce(jsonAnswer({ id, state, ...report({ verdict: "unsure" }) }));
  const found = await follow(api, id, new AbortController().signal);
  expect(found).toMatchObject({ verdict: "unsure", faces: report().faces });
});

it("does not wait for ever for a report that never comes", async () => {
  answers.mockReturnValue(jsonAnswer(check({ report: null })));
  await expect(follow(api, RUNNING.id, new AbortController().signal)).rejects.toMatchObject({ code: "bad_answer" });
});

it("gives a server up that stays away", async () => {
  answers.mockReturnValue(new TypeError("nobody"));
  const outcome = follow(api, RUNNING.id, new AbortController().signal).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await outcome).toMatchObject({ code: "offline" });
});

it("raises what the check failed with", async () => {
  answers.mockReturnValue(jsonAnswer({ ...RUNNING, state: "failed", error: { code: "damaged", message: "Broken." } }));
  await expect(follow(api, RUNNING.id, new AbortController().signal)).rejects.toMatchObject({ code: "damaged", message: "Broken." });
});

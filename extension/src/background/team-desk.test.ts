import { beforeEach, expect, it, vi } from "vitest";
import { readHistory, remember } from "../shared/history";
import type { Job } from "../shared/jobs";
import { readSettings } from "../shared/settings";
import { readUnsent } from "../shared/unsent";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { job, jsonAnswer, report, teamAnswer } from "../testing/examples";
import { Store } from "./store";
import { TeamDesk } from "./team-desk";

const CHECK = "abcdefgh12345678";
const PAGE = { url: "https://ada:secret@news.example/story", title: " A\n story " };
const DONE = job({ state: "done", check: CHECK, report: report() });
const SENT = { state: "done", case: 214, answer: null, error: null };

let chromeApi: FakeChrome;
let store: Store;
let desk: TeamDesk;
let scopes: string[];
/** What the team's routes answer, and what they were sent. */
let answer: (path: string) => Response | Error;
let requests: { path: string; body: unknown }[];

beforeEach(() => {
  chromeApi = installChrome();
  chromeApi.storage.local.values["settings"] = { apiKey: "um_key" };
  store = new Store(() => undefined);
  desk = new TeamDesk(store);
  scopes = ["check", "desk:send"];
  requests = [];
  answer = () => jsonAnswer(SENT);
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    const path = new URL(url).pathname;
    const given = path === "/v1/key" ? jsonAnswer({ needed: true, scopes, team: "desk" }) : answer(path);
    requests.push({ path, body: typeof init.body === "string" ? JSON.parse(init.body) : null });
    return given instanceof Error ? Promise.reject(given) : Promise.resolve(given);
  });
});

function put(changes: Partial<Job> = {}): Job {
  return store.add({ ...DONE, ...changes });
}

function sendings(): unknown[] {
  return requests.filter(({ path }) => path.endsWith("/cases")).map(({ body }) => body);
}

function sending(id = "job-1"): NonNullable<Job["team"]>["sending"] | undefined {
  return store.get(id)?.team?.sending;
}

it("sends the check, the picture's address, and the page's address and title", async () => {
  await desk.send([put()], PAGE, true);
  expect(sendings()).toEqual([{
    check: CHECK,
    source: { door: "extension", picture_url: "https://news.example/photo.jpg", page_url: "https://news.example/story", note: "A story" },
  }]);
  expect(sending()).toEqual({ state: "sent", case: 214, failure: null });
  expect(await readUnsent()).toEqual([]);
});

it("leaves the page out, and keeps that choice", async () => {
  await desk.send([put()], PAGE, false);
  expect(JSON.stringify(sendings())).not.toContain("story");
  expect(await readSettings()).toMatchObject({ teamConfirmed: true, teamPage: false });
});

it("tells what would leave before it is agreed to, and asks nothing of the team for it", async () => {
  const offer = await desk.offer([put()], PAGE);
  expect(offer).toMatchObject({ title: "Send to the team “desk”?", isConfirmed: false, hasPage: true });
  expect(offer?.items).toEqual([
    "the check with its picture, which your server has already",
    "the picture’s address: https://news.example/photo.jpg",
    "the address and the title of the page: https://news.example/story (A story)",
  ]);
  const many = await desk.offer([put(), put({ id: "job-2" })], PAGE);
  expect(many?.title).toBe("Send 2 checks to the team “desk”?");
  expect(many?.items.join()).not.toContain("photo.jpg");
  expect(requests.map(({ path }) => path)).toEqual(["/v1/key"]);
});

it("offers nothing for a key that may only read, and asks nobody without one", async () => {
  scopes = ["desk:read"];
  expect(await desk.offer([put()], PAGE)).toBeNull();
  chromeApi.storage.local.values["settings"] = {};
  requests = [];
  await desk.ended(put());
  expect(requests).toEqual([]);
});

it("loses nothing offline: a later life of the worker sends it, with what was agreed to", async () => {
  answer = () => new TypeError("failed to fetch");
  await desk.send([put()], PAGE, true);
  expect(sending()).toMatchObject({ state: "unsent", failure: { code: "offline" } });
  expect(chromeApi.alarms.create).toHaveBeenCalledWith("team", expect.anything());
  requests = [];
  answer = () => jsonAnswer({ ...SENT, answer: teamAnswer() });
  await new TeamDesk(store).flush();
  expect(sendings()).toMatchObject([{ check: CHECK, source: { page_url: "https://news.example/story" } }]);
  expect(store.get("job-1")?.team).toMatchObject({ sending: { state: "sent", case: 214 }, answer: { verdict: "authentic" } });
  expect(await readUnsent()).toEqual([]);
  expect(chromeApi.alarms.clear).toHaveBeenLastCalledWith("team");
});

it("never sends to another server or team what waits for one", async () => {
  answer = () => new TypeError("failed to fetch");
  await desk.send([put()], PAGE, true);
  requests = [];
  chromeApi.storage.local.values["settings"] = { apiKey: "um_key", serverUrl: "https://other.example" };
  await desk.flush();
  expect(sendings()).toEqual([]);
  expect(await readUnsent()).toHaveLength(1);
});

it("says that a check which is gone cannot be sent, and forgets it", async () => {
  answer = () => jsonAnswer({ error: { code: "not_found", message: "It has expired." } }, 404);
  await desk.send([put()], PAGE, true);
  expect(sending()).toMatchObject({ state: "refused", failure: { code: "not_found" } });
  expect(await readUnsent()).toEqual([]);
});

it("keeps what a private window sends in memory alone", async () => {
  answer = () => new TypeError("failed to fetch");
  await desk.send([put({ trace: false })], PAGE, true);
  expect(await readUnsent()).toHaveLength(1);
  expect(JSON.stringify(chromeApi.storage.local.values)).not.toContain("/story");
});

it("asks for the pictures of a page together, by their hashes alone", async () => {
  const hashes = ["a", "b", "c"].map((letter) => letter.repeat(64));
  answer = () => jsonAnswer({ answers: { [hashes[1] ?? ""]: teamAnswer({ picture: "copy" }) } });
  const jobs = hashes.map((sha256, number) => put({ id: `job-${number}`, check: `${CHECK}${number}`, report: report({ sha256 }) }));
  await remember(jobs[1] ?? DONE, null);
  await Promise.all(jobs.map((one) => desk.ended(one)));
  expect(requests.filter(({ path }) => path.endsWith("/lookup"))).toEqual([{ path: "/v1/teams/desk/lookup", body: { sha256: hashes } }]);
  expect(jobs.map(({ id }) => store.get(id)?.team?.answer?.case ?? null)).toEqual([null, 214, null]);
  expect((await readHistory())[0]?.team).toMatchObject({ slug: "desk", case: 214 });
});

it("sends the checks of a list one after the other, each once", async () => {
  const jobs = ["a", "b", "c"].map((id) => put({ id, check: id === "c" ? `${CHECK}a` : `${CHECK}${id}`, report: report() }));
  await desk.send(jobs, PAGE, true);
  expect(sendings()).toMatchObject([{ check: `${CHECK}a` }, { check: `${CHECK}b`, source: { page_url: "https://news.example/story" } }]);
  expect(["a", "b", "c"].map((id) => sending(id)?.state)).toEqual(["sent", "sent", "sent"]);
  expect(await readUnsent()).toEqual([]);
});

it("keeps a whole list offline, without asking the server for each", async () => {
  answer = () => new TypeError("failed to fetch");
  const jobs = ["a", "b", "c"].map((id) => put({ id, check: `${CHECK}${id}`, report: report() }));
  await desk.send(jobs, PAGE, true);
  expect(sendings()).toHaveLength(1);
  expect(jobs.map(({ id }) => sending(id))).toMatchObject(Array(3).fill({ state: "unsent", failure: { code: "offline" } }));
  answer = () => jsonAnswer(SENT);
  await desk.flush();
  expect(await readUnsent()).toEqual([]);
  expect(sending("c")).toMatchObject({ state: "sent", case: 214 });
});

it("goes on with the list where one check is gone", async () => {
  answer = () => sendings().length === 0 ? jsonAnswer({ error: { code: "not_found", message: "" } }, 404) : jsonAnswer(SENT);
  const jobs = ["a", "b"].map((id) => put({ id, check: `${CHECK}${id}`, report: report() }));
  await desk.send(jobs, PAGE, true);
  expect(jobs.map(({ id }) => sending(id)?.state)).toEqual(["refused", "sent"]);
});

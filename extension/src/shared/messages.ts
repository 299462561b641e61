/** Every message between the background and the pages, once. */

import type { Picture } from "./jobs";
import type { JobView } from "./view";

/** A rectangle of the tab's viewport, in CSS pixels, and the viewport's width. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly viewport: number;
}

/** Bytes as base64: messages are JSON. */
export interface Encoded {
  readonly base64: string;
}

/** The page that a check is sent to the team from. */
export interface PageSeen {
  readonly url: string;
  readonly title: string;
}

/** What would leave the browser, and whether the person has agreed to it before. */
export interface TeamOffer {
  readonly title: string;
  readonly lead: string;
  readonly items: readonly string[];
  readonly isConfirmed: boolean;
  readonly hasPage: boolean;
  /** Whether the person lets the team know of the page. */
  readonly withPage: boolean;
}

interface Call<Request, Reply> {
  readonly request: Request;
  readonly reply: Reply;
}

/** What the background answers. */
export interface BackgroundCalls {
  "picture/picked": Call<{ picture: Picture }, null>;
  "jobs/sync": Call<{ jobs: readonly string[] }, readonly JobView[]>;
  "job/retry": Call<{ job: string }, null>;
  "job/cancel": Call<{ job: string }, null>;
  "job/file": Call<{ job: string } & Encoded, null>;
  "job/capture": Call<{ job: string; area: Area }, null>;
  "job/allow": Call<{ job: string }, null>;
  "job/heatmap": Call<{ job: string }, Encoded | null>;
  "team/offer": Call<{ jobs: readonly string[]; page: PageSeen }, TeamOffer | null>;
  /** Sends checks one after the other; `withPage` is the person's choice for these and the next. */
  "team/send": Call<{ jobs: readonly string[]; page: PageSeen; withPage: boolean }, null>;
  "team/again": Call<{ job: string }, null>;
  "page/cancel": Call<object, null>;
  "page/gone": Call<object, null>;
  "options/open": Call<object, null>;
  "tab/check": Call<{ tab: number }, boolean>;
  "file/check": Call<{ stored: string; label: string; trace: boolean }, null>;
  "history/clear": Call<object, null>;
  "job/again": Call<{ job: string }, null>;
  /** Sends a check, or one that is not yet sent, without a page. */
  "check/send": Call<{ check: string }, null>;
}

/** Who may make a call: a script of ours in a web page, or our own pages. */
export const CALLERS = {
  "picture/picked": "page",
  "jobs/sync": "page",
  "job/retry": "page",
  "job/cancel": "page",
  "job/file": "page",
  "job/capture": "page",
  "job/allow": "page",
  "job/heatmap": "page",
  "team/offer": "page",
  "team/send": "page",
  "team/again": "page",
  "page/cancel": "page",
  "page/gone": "page",
  "options/open": "page",
  "tab/check": "own",
  "file/check": "own",
  "history/clear": "own",
  "job/again": "own",
  "check/send": "own",
} as const satisfies Record<keyof BackgroundCalls, "page" | "own">;

/** What our script in a web page answers. */
export interface PageCalls {
  /** Hands over the texts of another language than the browser's; null for the browser's own. */
  "page/hello": Call<
    { texts: Readonly<Record<string, string>> | null; language: string; style: string }, null
  >;
  /** Finds what was clicked and marks it; null if the person must point at it first. */
  "picture/find": Call<
    { srcUrl: string | null; linkUrl: string | null },
    Picture | null
  >;
  "picture/bytes": Call<{ anchor: string | null; url: string | null }, Encoded | null>;
  "page/collect": Call<{ minimumSize: number }, readonly Picture[]>;
  "page/list": Call<{ jobs: readonly JobView[] }, null>;
  "jobs/changed": Call<{ jobs: readonly JobView[] }, null>;
  "page/hide": Call<{ hidden: boolean }, null>;
}

export type Request<Calls, Name extends keyof Calls> = Calls[Name] extends Call<infer R, unknown>
  ? R
  : never;
export type Reply<Calls, Name extends keyof Calls> = Calls[Name] extends Call<never, infer R>
  ? R
  : Calls[Name] extends { readonly reply: infer R }
    ? R
    : never;

/** Asks the background. Rejects when the extension was updated or removed under a page. */
export async function askBackground<Name extends keyof BackgroundCalls>(
  call: Name,
  request: Request<BackgroundCalls, Name>,
): Promise<Reply<BackgroundCalls, Name>> {
  const answer = unwrap(await chrome.runtime.sendMessage({ call, request }));
  return answer as Reply<BackgroundCalls, Name>;
}

/** Tells the background, whether or not it is there to hear it. */
export function tellBackground<Name extends keyof BackgroundCalls>(
  call: Name,
  request: Request<BackgroundCalls, Name>,
): void {
  askBackground(call, request).catch(() => undefined);
}

/** Asks our script in a frame. Rejects when the page has gone. */
export async function askPage<Name extends keyof PageCalls>(
  tab: number,
  frame: number,
  call: Name,
  request: Request<PageCalls, Name>,
): Promise<Reply<PageCalls, Name>> {
  const answer = unwrap(await chrome.tabs.sendMessage(tab, { call, request }, { frameId: frame }));
  return answer as Reply<PageCalls, Name>;
}

export type Wrapped = { readonly value: unknown } | { readonly refused: string };

function unwrap(answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null) throw new Error("nobody answered");
  if ("value" in answer) return answer.value;
  throw new Error("refused" in answer ? String(answer.refused) : "not understood");
}

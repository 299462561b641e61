/** Answers messages, each only to those who may ask: see the table in shared/messages. */

import type { BackgroundCalls, Reply, Request, Wrapped } from "../shared/messages";
import { CALLERS } from "../shared/messages";

type Sender = chrome.runtime.MessageSender;

/** A frame of a web page that our script asks from. */
export interface CallingFrame {
  readonly tab: chrome.tabs.Tab & { id: number };
  readonly frame: number;
}

export type Answers = {
  readonly [Name in keyof BackgroundCalls]: (
    request: Request<BackgroundCalls, Name>,
    caller: (typeof CALLERS)[Name] extends "own" ? null : CallingFrame,
  ) => Promise<Reply<BackgroundCalls, Name>>;
};

/** Throws unless the sender may make the call; returns the frame it was made from. */
export function admitted(call: unknown, sender: Sender): CallingFrame | null {
  if (sender.id !== chrome.runtime.id) throw new Error("not from this extension");
  if (typeof call !== "string" || !Object.hasOwn(CALLERS, call)) throw new Error("no such call");
  const own = (sender.url ?? "").startsWith(chrome.runtime.getURL(""));
  if (CALLERS[call as keyof BackgroundCalls] === "own") {
    if (!own) throw new Error("not open to pages");
    return null;
  }
  const { tab } = sender;
  if (own || tab?.id === undefined || sender.frameId === undefined) throw new Error("for pages only");
  return { tab: { ...tab, id: tab.id }, frame: sender.frameId };
}

export function route(answers: Answers): void {
  chrome.runtime.onMessage.addListener((message: unknown, sender, respond) => {
    answered(answers, message, sender).then(
      (value) => { respond({ value } satisfies Wrapped); },
      (error: unknown) => {
        respond({ refused: error instanceof Error ? error.message : String(error) } satisfies Wrapped);
      },
    );
    return true;
  });
}

async function answered(answers: Answers, message: unknown, sender: Sender): Promise<unknown> {
  const { call, request } = (message ?? {}) as { call?: unknown; request?: unknown };
  const caller = admitted(call, sender);
  const answer = answers[call as keyof BackgroundCalls] as (
    request: unknown,
    caller: CallingFrame | null,
  ) => Promise<unknown>;
  return answer(request, caller);
}

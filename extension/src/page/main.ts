/** Our script in a page. It is put there when it is asked for, and does nothing before. */

import "../right-click";
import type { PageCalls, Wrapped } from "../shared/messages";
import { useTexts } from "../shared/i18n";
import { App } from "./app";

declare global {
  var unmaskPage: true | undefined;
}

/** The script may be put into a frame that has it already. */
if (globalThis.unmaskPage === undefined) {
  globalThis.unmaskPage = true;
  listen();
}

function listen(): void {
  let app: App | null = null;
  chrome.runtime.onMessage.addListener((message: unknown, sender, respond) => {
    if (sender.id !== chrome.runtime.id || sender.tab !== undefined) return undefined;
    const { call, request } = message as { call: keyof PageCalls; request: never };
    const wrap = (value: unknown): void => { respond({ value } satisfies Wrapped); };
    const refuse = (why: unknown): void => { respond({ refused: String(why) } satisfies Wrapped); };
    if (call === "page/hello") {
      const { texts, language, style } = request as PageCalls["page/hello"]["request"];
      useTexts(texts, language);
      app ??= new App(style);
      wrap(null);
      return undefined;
    }
    const answer = app?.answers[call];
    if (answer === undefined) {
      refuse("not here");
      return undefined;
    }
    Promise.resolve(answer(request)).then(wrap, refuse);
    return true;
  });
}

/** Our script in a page: put there when it is asked for, and spoken to from here. */

import type { JobView } from "../shared/view";
import { askPage } from "../shared/messages";
import { loadTexts } from "../shared/i18n";
import { readSettings } from "../shared/settings";
import style from "../page/page.css";

export type Frames = { readonly frame: number } | "all";

/** The frames that our script is in now; none where the browser forbids it. */
export async function inject(tab: number, frames: Frames): Promise<readonly number[]> {
  const target = frames === "all" ? { allFrames: true } : { frameIds: [frames.frame] };
  let reached: readonly number[];
  try {
    const results = await chrome.scripting.executeScript({
      target: { tabId: tab, ...target },
      files: ["page.js"],
    });
    reached = results.map(({ frameId }) => frameId);
  } catch {
    return [];
  }
  const { language } = await readSettings();
  const texts = await loadTexts(language);
  const greeted = reached.map(async (frame) => {
    await askPage(tab, frame, "page/hello", { texts, language, style });
    return frame;
  });
  const answers = await Promise.allSettled(greeted);
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}

/** Tells a page how its jobs stand; a page that has gone is told nothing. */
export function tellPage(tab: number, frame: number, jobs: readonly JobView[]): void {
  askPage(tab, frame, "jobs/changed", { jobs }).catch(() => undefined);
}

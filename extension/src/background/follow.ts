/** From a check's id to its report, by its live events. */

import type { Api } from "../shared/api";
import type { Report } from "../shared/report";
import { asTrouble, Trouble } from "../shared/trouble";

const FIRST_PAUSE_MS = 500;
const MOST_BREAKS = 5;

/** The report; raises what the check failed with, and "offline" when the server stays away. */
export async function follow(api: Api, check: string, signal: AbortSignal): Promise<Report> {
  for (let breaks = 0; ; ) {
    try {
      const { state, report, error } = await api.read(check, signal);
      if (report !== null) return report;
      if (state === "failed") throw new Trouble(error?.code ?? "internal", error?.message ?? "");
      if (state === "done") throw new Trouble("bad_answer");
      await ended(api, check, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (asTrouble(error).code !== "offline" || ++breaks > MOST_BREAKS) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** breaks));
      signal.throwIfAborted();
    }
  }
}

/** Resolves when the stream says that the check ended, or breaks off. */
async function ended(api: Api, check: string, signal: AbortSignal): Promise<void> {
  let told = false;
  for await (const state of api.states(check, signal)) {
    told = true;
    if (state === "done" || state === "failed") return;
  }
  if (!told) throw new Trouble("offline");
}

/** A job: one picture's way from a page, the popup or a file to its verdict. */

import { shownVerdict } from "./evidence";
import type { Report, Verdict } from "./report";
import type { TeamState } from "./team";

/** What a chip and an item of a list say. */
export type Look = "waiting" | "checking" | Verdict | "error";

/** A picture as the page describes it; its bytes stay in the page until they are asked for. */
export interface Picture {
  /** Names of the places in the page that show it; none if the page does not (a link). */
  readonly anchors: readonly string[];
  /** http or https; null where only the page itself has the bytes (data:, blob:). */
  readonly url: string | null;
  /** Whether the page's own fetch may read it, cookies included. */
  readonly sameOrigin: boolean;
  /** Its own size in pixels; null where the page does not know it. */
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly label: string;
}

export interface Failure {
  readonly code: string;
  /** The server's own sentence, shown where there are no words of ours for the code. */
  readonly message: string;
}

/** A frame of a tab: where the picture stands in the browser. */
export interface TabFrame {
  readonly tab: number;
  readonly frame: number;
}

/** Where the bytes come from, as far as it bears on the verdict. */
export type Means = "original" | "server" | "capture";

export interface Job {
  readonly id: string;
  readonly tabFrame: TabFrame | null;
  readonly picture: Picture;
  /** The page-wide check that it belongs to. */
  readonly batch: string | null;
  /** Whether its bytes lie in the pictures' database: chosen, pasted or captured ones do. */
  readonly stored: boolean;
  readonly means: Means;
  /** Private windows leave no trace in the history. */
  readonly trace: boolean;
  readonly created: number;
  readonly state: "waiting" | "checking" | "done" | "error";
  readonly server: string | null;
  readonly sha256: string | null;
  /** The server's id of the check, once it was taken. */
  readonly check: string | null;
  readonly report: Report | null;
  readonly failure: Failure | null;
  /** When it is tried again by itself, in milliseconds since 1970. */
  readonly retryAt: number | null;
  readonly tries: number;
  /** Counts the checks that were asked for: sending one again is no new one. */
  readonly round: number;
  /** Null where the key belongs to no team, or the team was not asked yet. */
  readonly team?: TeamState | null;
}

export function isActive(job: Job): boolean {
  return job.state === "waiting" || job.state === "checking";
}

export function lookOf(job: Job): Look {
  if (job.state === "done") return job.report === null ? "error" : shownVerdict(job.report);
  return job.state;
}

/** The origin of a picture's address, null for what has none. */
export function siteOf(url: string | null): string | null {
  if (url === null) return null;
  try {
    const { origin, protocol } = new URL(url);
    return protocol === "http:" || protocol === "https:" ? origin : null;
  } catch {
    return null;
  }
}

/** Why a check cannot go on: a code of docs/errors.md, or one of ours from below. */

import type { Failure } from "./jobs";

/** Codes that the extension adds to the server's. */
export const OWN_CODES = [
  "offline", "not_connected", "not_unmask", "bad_answer",
  "no_bytes", "no_picture", "page_blocked", "capture_failed", "cancelled",
] as const;

export class Trouble extends Error implements Failure {
  constructor(
    readonly code: string,
    message = "",
    /** Seconds until it is worth trying again, where the server told. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "Trouble";
  }
}

export function asTrouble(error: unknown): Trouble {
  if (error instanceof Trouble) return error;
  return new Trouble("internal", error instanceof Error ? error.message : String(error));
}

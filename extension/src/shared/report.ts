/** What the server answers: docs/api.md, as far as the extension reads it. */

export type Verdict = "fake" | "unsure" | "real" | "no_face";

/** x, y, width, height in pixels of the picture as it is shown (upright). */
export type Box = readonly [number, number, number, number];

export interface Face {
  readonly box: Box;
  readonly fake_probability: number;
  readonly verdict: Verdict;
  readonly tampered_fraction: number;
  /** Why an unsure face is unsure; earlier servers do not say. */
  readonly reasons?: readonly string[];
  /** Polygons around the region that was marked, in pixels of the picture. */
  readonly outline: readonly (readonly (readonly [number, number])[])[];
}

/** One thing that the file tells of its origin. */
export interface Evidence {
  readonly kind: string;
  readonly code: string;
  readonly weight: "statement" | "hint" | "note";
  readonly says: "generated" | "edited" | "camera" | "nothing";
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly sentence: string;
}

export interface Report {
  readonly sha256: string;
  readonly verdict: Verdict;
  readonly fake_probability: number | null;
  readonly image: { readonly width: number; readonly height: number };
  readonly faces: readonly Face[];
  /** Earlier servers tell none. */
  readonly evidence?: readonly Evidence[];
  readonly evidence_says?: Evidence["says"];
}

/** One check, as it stands. */
export interface Check {
  readonly id: string;
  readonly sha256: string;
  readonly state: "queued" | "running" | "done" | "failed";
  readonly error?: { readonly code: string; readonly message: string } | null;
  /** There once the check is done. */
  readonly report: Report | null;
}

/** The check that a server sends. In 0.4.0 a done check is its report, with an id and a state. */
export function checkOf(sent: Omit<Check, "report"> & { readonly report?: Report | null }): Check {
  const { report = sent.state === "done" && "faces" in sent ? (sent as Check & Report) : null } = sent;
  return { ...sent, report };
}

/** The whole per cent that people see: 1 to 99, never 0 or 100. */
export function shownPercent(probability: number): number {
  return Math.round(100 * Math.min(Math.max(probability, 0.01), 0.99));
}

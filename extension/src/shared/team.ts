/** What a team's desk knows of a picture: docs/desk-api.md, as far as the extension reads it. */

import { language, t } from "./i18n";
import type { Failure } from "./jobs";
import type { Verdict } from "./report";

export type TeamVerdict = "authentic" | "manipulated" | "generated" | "out_of_context" | "cannot_tell";

/** A case that the team has on a picture; the verdict is there once it is decided, and answers. */
export interface TeamAnswer {
  readonly case: number;
  /** Whether the case's picture is the same file, or another encoding or size of it. */
  readonly picture: "same" | "copy";
  readonly verdict: TeamVerdict | null;
  readonly confidence: "low" | "medium" | "high" | null;
  readonly decided_at: string | null;
  /** Why a decided case does not answer. */
  readonly earlier: "stale" | "other_context" | null;
}

/** What became of a check that was sent. */
export interface Sent {
  readonly state: "pending" | "done" | "failed";
  readonly case: number | null;
  readonly answer: TeamAnswer | null;
  readonly error: string | null;
}

/** Where a picture was seen, as the team reads it. */
export interface Source {
  readonly door: "extension";
  readonly page_url?: string;
  readonly picture_url?: string;
  readonly note?: string;
}

/** The team of the key in the settings. */
export interface Team {
  readonly slug: string;
  readonly maySend: boolean;
}

/** How a check stands with the team. */
export interface TeamState {
  readonly slug: string;
  readonly maySend: boolean;
  readonly answer: TeamAnswer | null;
  /** Null until the check is sent; `case` is the case that it joined. */
  readonly sending: {
    readonly state: "sending" | "unsent" | "refused" | "sent";
    readonly case: number | null;
    readonly failure: Failure | null;
  } | null;
}

/** The colour and sign of a person's verdict, as the desk's own pages choose them. */
const LOOKS: Readonly<Record<TeamVerdict, Verdict>> = {
  authentic: "real", manipulated: "fake", generated: "fake", out_of_context: "unsure", cannot_tell: "no_face",
};

/** The team's verdict in words; null where no decided case answers. */
export interface TeamWords {
  readonly look: Verdict;
  readonly verdict: string;
  /** "12 May 2026 · same file · high confidence" */
  readonly about: string;
}

export function teamWords(answer: TeamAnswer | null): TeamWords | null {
  if (answer?.verdict == null || !Object.hasOwn(LOOKS, answer.verdict)) return null;
  const { verdict, confidence, picture } = answer;
  const parts = [decidedOn(answer), t(`team_${picture}`), confidence === null ? "" : t(`confidence_${confidence}`)];
  return {
    look: LOOKS[verdict],
    verdict: t("team_says", t(`team_${verdict}`)),
    about: parts.filter((part) => part !== "").join(" · "),
  };
}

/** What is said of a case that the team has and that does not answer with a verdict. */
export function teamNote(answer: TeamAnswer | null): string {
  if (answer === null || answer.verdict !== null) return "";
  if (answer.decided_at === null) return t("team_undecided", answer.case);
  return t(answer.earlier === "other_context" ? "team_other_context" : "team_stale", answer.case, decidedOn(answer));
}

/** The address of a case on the server's own page. */
export function caseLink(server: string, team: string, number: number): string {
  return `${server}/t/${encodeURIComponent(team)}/${number}`;
}

function decidedOn({ decided_at: decided }: TeamAnswer): string {
  if (decided === null || Number.isNaN(Date.parse(decided))) return "";
  return new Intl.DateTimeFormat(language(), { dateStyle: "medium" }).format(new Date(decided));
}

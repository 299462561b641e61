/** What people read of a job, in their language. */

import { origin, originInstead, originSentence } from "./evidence";
import type { Failure, Job, Look } from "./jobs";
import type { Face, Report, Verdict } from "./report";
import { shownPercent } from "./report";
import { hasText, percent, t } from "./i18n";

type Origin = ReturnType<typeof originInstead>;

export function lookWords(look: Look): string {
  return t(`look_${look}`);
}

/** A chip's words: the number first, for it stays where there is room for little. */
export function chipWords(look: Look, { report, failure }: Pick<Job, "report" | "failure">): string {
  if (failure?.code === "cancelled") return t("look_cancelled");
  return withOdds(look, report?.fake_probability ?? null, report === null ? null : originInstead(report));
}

/** "95 % fake · Signs found"; without a probability the look alone. What the file says stands in the
 * look's place. */
export function withOdds(look: Look, probability: number | null, said: Origin = null): string {
  const words = said === null ? lookWords(look) : t(`look_${said}`);
  if (probability === null) return words;
  return t("chip_verdict", t("face_fake", percent(shownPercent(probability))), words);
}

/** The verdict, or what the file says, where that is worse. */
export function reportTitle(report: Report): string {
  return t(`verdict_${originInstead(report) ?? report.verdict}`);
}

/** What the faces show, joined with what the file says. */
export function sentence(report: Report): string {
  const { verdict, fake_probability: probability } = report;
  const file = originSentence(report);
  if (file === null) return faceSentence(report);
  const isDenied = verdict === "real" && probability !== null && origin(report) !== null;
  const faces = isDenied ? t("sentence_clean", percent(shownPercent(probability))) : faceSentence(report);
  return `${faces} ${file}`;
}

/** One plain sentence; absence of evidence is said as such. */
function faceSentence({ verdict, fake_probability: probability, faces }: Report): string {
  if (verdict === "no_face" || probability === null) return t("sentence_no_face");
  const odds = percent(shownPercent(probability));
  if (verdict === "real") return t("sentence_real", odds);
  if (verdict === "unsure") return unsure(probability, faces, odds);
  return faces.length === 1 ? t("sentence_fake_one", odds) : t("sentence_fake_many", faces.length, odds);
}

/** Why the most suspicious face is unsure. */
function unsure(probability: number, faces: readonly Face[], odds: string): string {
  const worst = faces.find((face) => face.verdict === "unsure" && face.fake_probability === probability);
  if (worst?.reasons?.includes("too_small")) {
    return faces.length === 1 ? t("sentence_unsure_small_one", odds) : t("sentence_unsure_small_many", faces.length, odds);
  }
  if (worst?.reasons?.includes("profile")) return t("sentence_unsure_profile", odds);
  if (worst?.reasons?.join() === "occluded") return t("sentence_unsure_covered", odds);
  if (worst?.reasons?.includes("judges_disagree")) return t("sentence_unsure_disagree", odds);
  return t(probability >= 0.5 ? "sentence_unsure_signs" : "sentence_unsure_weak", odds);
}

export function caveat(verdict: Verdict): string {
  return t(`caveat_${verdict}`);
}

/** Our own words for a code where there are some, else the server's sentence. */
export function failureWords({ code, message }: Failure): string {
  const alike = ALIKE[code] ?? code;
  if (hasText(`error_${alike}`)) return t(`error_${alike}`);
  return message === "" ? t("error_internal") : message;
}

/** Codes that mean the same to the person who asked. */
const ALIKE: Readonly<Record<string, string>> = {
  truncated: "damaged",
  empty_file: "not_a_picture",
  queue_unavailable: "not_ready",
  model_missing: "not_ready",
  model_mismatch: "not_ready",
  output_unwritable: "storage_full",
  bad_answer: "not_unmask",
  picture_missing: "not_found",
  result_missing: "not_found",
  url_refused: "no_bytes",
  url_unreachable: "no_bytes",
  url_timeout: "no_bytes",
  bad_url: "no_bytes",
};

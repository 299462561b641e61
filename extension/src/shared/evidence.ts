/** What the file tells beside the score, as far as the extension shows it: docs/evidence.md. */

import { t } from "./i18n";
import type { Evidence, Report, Verdict } from "./report";

/** What the file says of the picture's origin, null where it says nothing or speaks for it. */
export function origin(report: Report): "generated" | "edited" | null {
  const says = report.evidence_says;
  return says === "generated" || says === "edited" ? says : null;
}

/** The same where it stands in the verdict's place: not where the faces are fake already. */
export function originInstead(report: Report): ReturnType<typeof origin> {
  return report.verdict === "fake" ? null : origin(report);
}

/** The verdict whose colour and sign a report has: worse than its own, where the file says so. */
export function shownVerdict(report: Report): Verdict {
  const finding = telling(report);
  if (finding === null || origin(report) === null || report.verdict === "fake") return report.verdict;
  return finding.weight === "statement" && finding.says === "generated" ? "fake" : "unsure";
}

/** The sentence on the origin; null where the file says nothing. It is set against a clean face. */
export function originSentence(report: Report): string | null {
  const finding = telling(report);
  if (finding === null) return null;
  const how = t(howKey(finding));
  const who = nameIn(finding);
  if (finding.says === "camera") return t("file_camera", who ?? "–", how);
  const start = report.verdict === "real" || report.verdict === "no_face" ? "but" : "file";
  if (finding.says === "edited" && who === null) return t(`${start}_edited_unnamed`, how);
  return t(`${start}_${finding.says}`, who ?? t("an_ai_model"), how);
}

/** The heaviest finding that says what the whole says, if possible one with a name. */
function telling({ evidence = [], evidence_says: says = "nothing" }: Report): Evidence | null {
  const fitting = evidence.filter((finding) => finding.says === says && finding.weight !== "note");
  const first = says === "nothing" ? undefined : fitting[0];
  if (first === undefined) return null;
  const heaviest = fitting.filter(({ weight }) => weight === first.weight);
  return heaviest.find(({ parameters }) => "maker" in parameters || "agent" in parameters) ?? first;
}

function howKey({ weight, kind }: Evidence): string {
  if (weight === "statement") return "how_signed";
  return kind === "credentials" ? "how_unknown" : kind === "visible_marks" ? "how_visible" : "how_mark";
}

/** A signer is named only where the signature is trusted. */
function nameIn({ weight, parameters }: Evidence): string | null {
  const made = parameters["maker"] ?? parameters["agent"];
  const signer = weight === "statement" ? parameters["signer"] : undefined;
  const names = [made, signer].filter((name, index, all) => name !== undefined && all.indexOf(name) === index);
  return names.length === 0 ? null : names.join(", ");
}

/** Engines of reverse image search; the picture's address goes where the dots are. */
const ENGINES: readonly (readonly [string, string])[] = [
  ["Google Lens", "https://lens.google.com/uploadbyurl?url=…"],
  ["Bing", "https://www.bing.com/images/searchbyimage?cbir=ssbi&imgurl=…"],
  ["Yandex", "https://yandex.com/images/search?url=…&rpt=imageview"],
  ["TinEye", "https://www.tineye.com/search?url=…"],
  ["Fact Check Explorer", "https://toolbox.google.com/factcheck/explorer/search/image_url:…"],
];

export interface SearchLink {
  readonly name: string;
  readonly href: string;
}

/** Where a picture at a public address can be searched for; none for what no engine can open. */
export function searchLinks(url: string | null): readonly SearchLink[] {
  if (url === null || !/^https?:\/\/[^/?#@]+\.[^/?#@]+/.test(url)) return [];
  return ENGINES.map(([name, pattern]) => ({ name, href: pattern.replace("…", encodeURIComponent(url)) }));
}

/** What the page and the lists show of a job: the words are chosen here, so that the script in the
 * page stays small. */

import type { SearchLink } from "./evidence";
import { searchLinks } from "./evidence";
import { t } from "./i18n";
import type { Job, Look } from "./jobs";
import { lookOf, siteOf } from "./jobs";
import type { Report } from "./report";
import type { TeamState, TeamWords } from "./team";
import { caseLink, teamNote, teamWords } from "./team";
import { caveat, chipWords, failureWords, lookWords, reportTitle, sentence } from "./words";

/** What a person can do about a check that did not end well, the likeliest to help first. */
export type WayOut = "retry" | "options" | "allow" | "file" | "capture";

/** What the panel says of a team and a check. */
export interface TeamView {
  /** The team's verdict, which stands before the machine's. */
  readonly words: TeamWords | null;
  /** How the case stands, or how far the sending is. */
  readonly note: string;
  readonly isTrouble: boolean;
  readonly caseName: string;
  readonly link: string | null;
  /** What can be done next: sending it, or trying that again. */
  readonly action: "send" | "again" | null;
}

export interface JobView {
  readonly id: string;
  readonly anchors: readonly string[];
  readonly look: Look;
  readonly label: string;
  readonly batch: string | null;
  readonly check: string | null;
  readonly report: Report | null;
  readonly cancelled: boolean;
  readonly retryAt: number | null;
  /** The address of the full report. */
  readonly link: string | null;
  readonly waysOut: readonly WayOut[];
  /** The host that "allow" asks for. */
  readonly host: string | null;
  readonly chip: string;
  /** What the machine says where the team's verdict stands before it, else empty. */
  readonly machine: string;
  /** Whether "Send all suspicious" sends it: the machine finds signs or is unsure, and the team does
   * not have it yet. */
  readonly forTeam: boolean;
  readonly title: string;
  /** The finding, or what is the matter. */
  readonly sentence: string;
  readonly caveat: string;
  /** Where the picture can be searched for by its address. */
  readonly search: readonly SearchLink[];
  readonly warning: string;
  /** A line of the server's settings that would mend it. */
  readonly setting: string;
  /** Null where the key has no say in a team. */
  readonly team: TeamView | null;
}

export function viewOf(job: Job): JobView {
  const { id, batch, check, report, failure, retryAt, picture, server, means } = job;
  const team = report !== null && job.team != null && server !== null ? teamView(job.team, server) : null;
  const words = team?.words ?? null;
  const look = words?.look ?? lookOf(job);
  const site = siteOf(picture.url);
  const isOther = showsAnother(job);
  return {
    id,
    batch,
    check,
    report,
    retryAt,
    look,
    anchors: picture.anchors,
    label: picture.label,
    cancelled: failure?.code === "cancelled",
    link: server !== null && check !== null ? `${server}/c/${check}` : null,
    waysOut: failure !== null ? waysOut(failure.code, site !== null) : isOther ? ["file"] : [],
    host: site === null ? null : new URL(site).host,
    chip: words?.verdict ?? chipWords(look, job),
    machine: words === null ? "" : t("machine_line", chipWords(lookOf(job), job)),
    forTeam: team?.action === "send" && team.link === null && ["fake", "unsure"].includes(lookOf(job)),
    title: words?.verdict ?? (report === null ? lookWords(look) : reportTitle(report)),
    sentence: report !== null ? sentence(report)
      : failure === null ? t("message_working") : failureWords(failure),
    caveat: report === null ? "" : caveat(report.verdict),
    search: report === null ? [] : searchLinks(picture.url),
    warning: isOther ? t("warn_other_picture")
      : report !== null && means === "capture" ? t("warn_capture") : "",
    setting: failure?.code === "origin_refused" ? originSetting() : "",
    team,
  };
}

function teamView({ slug, maySend, answer, sending }: TeamState, server: string): TeamView {
  const number = sending?.case ?? answer?.case ?? null;
  const failure = sending?.failure ?? null;
  const why = failure === null ? "" : failureWords(failure);
  const notes = { sending: t("team_sending"), unsent: t("team_unsent", why), refused: t("team_refused", why), sent: "" };
  const isTrouble = sending?.state === "unsent" || sending?.state === "refused";
  return {
    words: teamWords(answer),
    note: (sending === null ? "" : notes[sending.state]) || teamNote(answer),
    isTrouble,
    caseName: number === null ? "" : t("team_case", number),
    link: number === null ? null : caseLink(server, slug, number),
    action: isTrouble ? "again" : maySend && sending === null ? "send" : null,
  };
}

const NEEDS_BYTES = new Set([
  "no_bytes", "not_a_picture", "unsupported_format", "damaged", "truncated", "capture_failed",
]);
const NEEDS_SETTINGS = new Set(["offline", "not_connected", "not_unmask", "key_needed", "key_scope"]);
const HOPELESS = new Set([
  "too_many_bytes", "too_many_pixels", "too_many_frames", "bad_dimensions", "polyglot", "page_blocked",
]);

function waysOut(code: string, hasSite: boolean): WayOut[] {
  if (HOPELESS.has(code)) return [];
  if (NEEDS_SETTINGS.has(code)) return ["retry", "options"];
  if (!NEEDS_BYTES.has(code)) return ["retry"];
  return code === "no_bytes" && hasSite ? ["allow", "file", "capture", "retry"] : ["file", "capture", "retry"];
}

/** A site may give a stranger, such as our server, another picture than the person who asks. */
function showsAnother({ means, picture, report }: Job): boolean {
  if (report === null || means !== "server" || picture.size === null) return false;
  const pageRatio = picture.size.width / picture.size.height;
  const reportRatio = report.image.width / report.image.height;
  return Math.abs(Math.log(pageRatio / reportRatio)) > 0.05;
}

/** What the server must be told to take checks from here; Firefox gives each installation an origin
 * of its own. */
export function originSetting(): string {
  const own = chrome.runtime.getURL("").replace(/\/$/, "");
  return `UNMASK_EXTENSION_ORIGINS=${own.startsWith("moz-extension:") ? "moz-extension://*" : own}`;
}

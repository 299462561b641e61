/** The recent checks: those under way, those of this session, and the history where it is kept. */

import { h } from "../shared/dom";
import type { Past } from "../shared/history";
import { readHistory } from "../shared/history";
import { language, t } from "../shared/i18n";
import type { Job, Look } from "../shared/jobs";
import { isActive } from "../shared/jobs";
import { viewOf } from "../shared/view";
import { icon } from "../shared/icons";
import { tellBackground } from "../shared/messages";
import { part } from "../shared/own-page";
import { caseLink, teamWords } from "../shared/team";
import type { Unsent } from "../shared/unsent";
import { readUnsent } from "../shared/unsent";
import { withOdds } from "../shared/words";
import { inPrivateWindow } from "./window";

/** `asked` is the check that the popup was opened for as a tab of its own. */
export async function showRecent(ownJob: string | null): Promise<void> {
  // Before the first reading: no event tells of what was written between it and the listening.
  chrome.storage.onChanged.addListener((changes) => {
    if ("checks" in changes || "history" in changes || "unsent" in changes) void render(ownJob);
  });
  await render(ownJob);
}

/** To be called once the server has told whether the key may send to a team. */
export async function offerTeam(offered: boolean, ownJob: string | null): Promise<void> {
  if (offered === maySend) return;
  maySend = offered;
  await render(ownJob);
}

let maySend = false;

/** Drawings overlap, and nothing says that storage answers them in their order. */
let latest = 0;

async function render(ownJob: string | null): Promise<void> {
  const drawing = ++latest;
  const isPrivate = await inPrivateWindow();
  const { checks } = await chrome.storage.session.get("checks");
  const jobs = Object.values((checks as Record<string, Job> | undefined) ?? {});
  const history = await readHistory();
  const waiting = await readUnsent();
  const unsent = new Set(waiting.map(({ check }) => check));
  if (drawing !== latest) return; // a later one knows more, and may be through already
  const recorded = new Set(history.map(({ check }) => check));
  const fresh = jobs
    .filter(({ id, trace }) => trace || isPrivate || id === ownJob)
    .filter((job) => isActive(job) || job.tabFrame === null || job.state === "done")
    // The history is written first: what it tells may still be "checking" here.
    .filter(({ check }) => check === null || !recorded.has(check))
    .filter(({ failure }) => failure?.code !== "cancelled")
    .sort((a, b) => b.created - a.created);
  const items = [
    ...unique(fresh).map((job) => jobItem(job, unsent)),
    ...history.map((past) => pastItem(past, unsent)),
    ...waiting.filter(({ check }) => !recorded.has(check) && !fresh.some((job) => job.check === check)).map(unsentItem),
  ];
  part("[data-part=recent]").replaceChildren(...items);
  part("[data-part=recent-empty]").hidden = items.length > 0;
  part("[data-part=clear-history]").hidden = items.length === 0;
}

/** Several pictures of a page may be one check. */
function unique(jobs: readonly Job[]): Job[] {
  const seen = new Set<string>();
  return jobs.filter(({ check }) => {
    if (check === null) return true;
    if (seen.has(check)) return false;
    seen.add(check);
    return true;
  });
}

function jobItem(job: Job, unsent: ReadonlySet<string>): HTMLElement {
  const { look, report, link, chip, sentence, label, waysOut, team } = viewOf(job);
  const failed = job.failure !== null;
  return item({
    look,
    link: report === null ? null : link,
    thumbnail: null,
    title: chip,
    below: [
      h("span", { class: failed ? "recent-message" : "recent-label" }, failed ? sentence : label),
      // Not where the same file would fail the same way.
      waysOut[0] === "retry" && againButton(job.id, label),
    ],
    beside: job.check === null || report === null ? []
      : teamParts(job.check, unsent, team?.link ?? null, team?.caseName ?? ""),
  });
}

function pastItem(past: Past, unsent: ReadonlySet<string>): HTMLElement {
  const when = new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(past.when);
  const below = past.label === "" ? when : `${past.label} · ${when}`;
  const machine = withOdds(past.verdict, past.probability, past.origin);
  const words = teamWords(past.team?.answer ?? null);
  const { team } = past;
  return item({
    look: words?.look ?? past.verdict,
    link: `${past.server}/c/${past.check}`,
    thumbnail: past.thumbnail,
    title: words?.verdict ?? machine,
    below: [
      words !== null && h("span", { class: "recent-label" }, t("machine_line", machine)),
      h("span", { class: "recent-label" }, below),
    ],
    beside: teamParts(
      past.check, unsent,
      team === undefined ? null : caseLink(past.server, team.slug, team.case),
      team === undefined ? "" : t("team_case", team.case),
    ),
  });
}

/** A check that is listed for nothing but its sending: the recent checks are not kept. */
function unsentItem({ check, server, source }: Unsent): HTMLElement {
  return item({
    look: "waiting",
    link: `${server}/c/${check}`,
    thumbnail: null,
    title: source.note ?? t("open_report"),
    below: [],
    beside: teamParts(check, new Set([check]), null, ""),
  });
}

/** The case of a check, and the button that sends it or tries that again. */
function teamParts(check: string, unsent: ReadonlySet<string>, link: string | null, caseName: string): HTMLElement[] {
  const send = (): void => { tellBackground("check/send", { check }); };
  if (unsent.has(check)) {
    return [
      h("span", { class: "recent-message", part: "team-note" }, t("team_not_yet")),
      h("button", { class: "button plain", part: "team-again", click: send }, t("retry")),
    ];
  }
  if (link !== null) return [h("a", { href: link, target: "_blank", rel: "noopener", part: "case-link" }, caseName)];
  return maySend ? [h("button", { class: "button plain", part: "team-send", click: send }, t("team_send"))] : [];
}

function againButton(job: string, label: string): HTMLElement {
  const again = (): void => { tellBackground("job/again", { job }); };
  return h("button", { class: "button", part: "retry", title: label, click: again }, t("retry"));
}

interface Item {
  readonly look: Look;
  readonly link: string | null;
  readonly thumbnail: string | null;
  readonly title: string;
  readonly below: readonly (HTMLElement | false)[];
  /** What can be pressed by itself. */
  readonly beside: readonly HTMLElement[];
}

function item({ look, link, thumbnail, title, below, beside }: Item): HTMLElement {
  const content = [
    thumbnail === null
      ? h("span", { class: "thumbnail" })
      : h("img", { class: "thumbnail", src: thumbnail, alt: "" }),
    h("span", { class: "recent-words" },
      h("span", { class: "recent-verdict" }, icon(look), title),
      ...below,
    ),
  ];
  const attributes = { class: `recent-item v-${look}`, part: "recent-item", "data-state": look };
  return h("li", {}, link === null
    ? h("div", attributes, ...content)
    : h("a", { ...attributes, href: link, target: "_blank", rel: "noopener", title: t("open_report") }, ...content),
  beside.length > 0 && h("div", { class: "recent-team" }, ...beside));
}

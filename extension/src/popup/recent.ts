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
import { withOdds } from "../shared/words";
import { inPrivateWindow } from "./window";

/** `asked` is the check that the popup was opened for as a tab of its own. */
export async function showRecent(ownJob: string | null): Promise<void> {
  // Before the first reading: no event tells of what was written between it and the listening.
  chrome.storage.onChanged.addListener((changes) => {
    if ("checks" in changes || "history" in changes) void render(ownJob);
  });
  await render(ownJob);
}

/** Drawings overlap, and nothing says that storage answers them in their order. */
let latest = 0;

async function render(ownJob: string | null): Promise<void> {
  const drawing = ++latest;
  const isPrivate = await inPrivateWindow();
  const { checks } = await chrome.storage.session.get("checks");
  const jobs = Object.values((checks as Record<string, Job> | undefined) ?? {});
  const history = await readHistory();
  if (drawing !== latest) return; // a later one knows more, and may be through already
  const recorded = new Set(history.map(({ check }) => check));
  const fresh = jobs
    .filter(({ id, trace }) => trace || isPrivate || id === ownJob)
    .filter((job) => isActive(job) || job.tabFrame === null || job.state === "done")
    // The history is written first: what it tells may still be "checking" here.
    .filter(({ check }) => check === null || !recorded.has(check))
    .filter(({ failure }) => failure?.code !== "cancelled")
    .sort((a, b) => b.created - a.created);
  const items = [...unique(fresh).map(jobItem), ...history.map(pastItem)];
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

function jobItem(job: Job): HTMLElement {
  const { look, report, link, chip, sentence, label, waysOut } = viewOf(job);
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
  });
}

function pastItem(past: Past): HTMLElement {
  const when = new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(past.when);
  const below = past.label === "" ? when : `${past.label} · ${when}`;
  return item({
    look: past.verdict,
    link: `${past.server}/c/${past.check}`,
    thumbnail: past.thumbnail,
    title: withOdds(past.verdict, past.probability, past.origin),
    below: [h("span", { class: "recent-label" }, below)],
  });
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
}

function item({ look, link, thumbnail, title, below }: Item): HTMLElement {
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
    : h("a", { ...attributes, href: link, target: "_blank", rel: "noopener", title: t("open_report") }, ...content));
}

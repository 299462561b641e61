/** The recent checks: those under way, those of this session, and the history where it is kept. */

import { h } from "../shared/dom";
import type { Past } from "../shared/history";
import { readHistory } from "../shared/history";
import { language, t } from "../shared/i18n";
import type { Job, Look } from "../shared/jobs";
import { isActive } from "../shared/jobs";
import { viewOf } from "../shared/view";
import { mark } from "../shared/marks";
import { part } from "../shared/own-page";
import { withOdds } from "../shared/words";

export async function showRecent(): Promise<void> {
  await render();
  chrome.storage.onChanged.addListener((changes) => {
    if ("checks" in changes || "history" in changes) void render();
  });
}

let latest = 0;

async function render(): Promise<void> {
  const turn = ++latest;
  const { checks } = await chrome.storage.session.get("checks");
  const jobs = Object.values((checks as Record<string, Job> | undefined) ?? {});
  const history = await readHistory();
  if (turn !== latest) return; // a later one knows more, and may be through already
  const told = new Set(history.map(({ check }) => check));
  const fresh = jobs
    .filter((job) => isActive(job) || job.spot === null || job.state === "done")
    .filter(({ check, state }) => state !== "done" || check === null || !told.has(check))
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
  const view = viewOf(job);
  const failed = job.failure !== null;
  const link = view.report === null ? null : view.link;
  return item(view.look, link, null, view.chip, failed ? view.sentence : view.label, failed);
}

function pastItem(past: Past): HTMLElement {
  const when = new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(past.when);
  const below = past.label === "" ? when : `${past.label} · ${when}`;
  return item(past.verdict, `${past.server}/c/${past.check}`, past.thumbnail, withOdds(past.verdict, past.probability), below, false);
}

function item(
  look: Look, link: string | null, thumbnail: string | null, title: string, below: string, isMessage: boolean,
): HTMLElement {
  const content = [
    thumbnail === null
      ? h("span", { class: "thumbnail" })
      : h("img", { class: "thumbnail", src: thumbnail, alt: "" }),
    h("span", { class: "recent-words" },
      h("span", { class: "recent-verdict" }, mark(look), title),
      h("span", { class: isMessage ? "recent-message" : "recent-label" }, below),
    ),
  ];
  const attributes = { class: `recent-item v-${look}`, part: "recent-item", "data-state": look };
  return h("li", {}, link === null
    ? h("div", attributes, ...content)
    : h("a", { ...attributes, href: link, target: "_blank", rel: "noopener", title: t("open_report") }, ...content));
}

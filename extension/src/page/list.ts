/** The list of a page-wide check: how far it is, what was found, and what to look at first. */

import { h } from "../shared/dom";
import type { Look } from "../shared/jobs";
import type { JobView } from "../shared/view";
import { t } from "../shared/i18n";
import { icon } from "../shared/icons";
import type { TeamOffer } from "../shared/messages";
import { button, closeButton } from "./panel";
import { confirmation } from "./team";
import { thumbnailOf } from "./thumbnail";
import type { PagePicture } from "./page-picture";

export interface ListActions {
  readonly open: (view: JobView) => void;
  readonly cancel: () => void;
  readonly close: () => void;
  readonly pagePicture: (anchor: string) => PagePicture | undefined;
  /** What would leave the browser with the checks of jobs; null if nothing can be sent. */
  readonly offer: (jobs: readonly string[]) => Promise<TeamOffer | null>;
  readonly send: (jobs: readonly string[], withPage: boolean) => void;
  readonly sendAgain: (job: string) => void;
}

const FILTERS = ["all", "fake", "unsure", "real", "no_face", "error"] as const;
const ORDER: readonly Look[] = ["fake", "unsure", "real", "no_face", "error", "checking", "waiting"];

export class PageList {
  readonly element: HTMLElement;
  readonly #views = new Map<string, JobView>();
  readonly #items = new Map<string, HTMLLIElement>();
  readonly #bar = h("div", { class: "bar", role: "progressbar", part: "page-progress", "aria-label": t("list_title"), "aria-valuemin": 0 }, h("span", { class: "bar-fill" }));
  readonly #count = h("p", { class: "count" });
  readonly #holder = h("ul", { class: "items" });
  readonly #empty = h("p", { hidden: true });
  readonly #cancel: HTMLButtonElement;
  readonly #filter: HTMLSelectElement;
  readonly #sendAll = button("team-send-all", "", () => { void this.#ask(this.#unsentSuspicious()); });
  readonly #confirm = h("div", {});
  readonly #shown = new Map<Element, string>();
  constructor(root: ShadowRoot, views: readonly JobView[], private readonly actions: ListActions) {
    this.#cancel = button("page-cancel", t("cancel"), actions.cancel);
    this.#filter = h(
      "select",
      { class: "button", part: "page-filter", "aria-label": t("filter_label"), change: () => { this.#sift(); } },
      ...FILTERS.map((name) => h("option", { value: name }, t(name === "all" ? "filter_all" : `look_${name}`))),
    );
    this.element = h(
      "section",
      { class: "list", role: "dialog", "aria-labelledby": "list-title", tabindex: "-1", part: "page-list" },
      h("header", {}, h("h2", { id: "list-title" }, t("list_title")), closeButton(actions.close)),
      this.#count,
      this.#bar,
      h("div", { class: "actions" }, this.#filter, this.#cancel, this.#sendAll),
      this.#confirm,
      this.#empty,
      this.#holder,
    );
    root.append(this.element);
    for (const view of views) {
      this.#newItem(view);
      this.#put(view);
    }
    this.#tell();
  }

  get jobs(): readonly string[] {
    return [...this.#views.keys()];
  }

  get done(): boolean {
    return [...this.#views.values()].every(isEnded);
  }

  /** Shows how a check stands; one that was asked for by itself is not listed. */
  show(view: JobView): void {
    if (this.#put(view)) this.#tell();
  }

  /** Whether anything that is shown has changed. */
  #put(view: JobView): boolean {
    const item = this.#items.get(view.id);
    if (item === undefined) return false;
    this.#views.set(view.id, view);
    const { chip: words, machine, team } = view;
    const shown = JSON.stringify([words, view.check, team]);
    if (this.#shown.get(item) === shown) return false;
    this.#shown.set(item, shown);
    item.dataset["state"] = view.look;
    item.dataset["words"] = words;
    item.dataset["check"] = view.check ?? "";
    item.className = `item v-${view.look}`;
    item.querySelector(".item-state")?.replaceChildren(icon(view.look), words);
    item.querySelector(".item-machine")?.replaceChildren(machine);
    this.#showTeam(item, view);
    return true;
  }

  /** The case of a check, how far its sending is, and the button that sends it. */
  #showTeam(item: HTMLElement, { id, team, label }: JobView): void {
    if (team === null) return;
    const { note, link, action, caseName } = team;
    const holder = item.lastElementChild as HTMLElement;
    const hadFocus = holder.contains((this.element.getRootNode() as ShadowRoot).activeElement);
    const words = action && t(`team_${action}`);
    const act = action && button(`team-${action}`, words ?? "", () => {
      if (action === "send") void this.#ask([id]);
      else this.actions.sendAgain(id);
    });
    act?.setAttribute("aria-label", `${words}: ${label}`);
    holder.replaceWith(h("div", { class: "item-team" },
      note !== "" && h("span", { class: team.isTrouble ? "warning" : "count", part: "team-note" }, note),
      link !== null && h("a", { href: link, target: "_blank", rel: "noopener noreferrer", part: "case-link" }, caseName),
      act,
    ));
    if (hadFocus) item.querySelector("button")?.focus({ preventScroll: true });
  }

  /** What "Send all suspicious" would send: nothing that the team has already. */
  #unsentSuspicious(): string[] {
    return [...this.#views.values()].filter(({ forTeam }) => forTeam).map(({ id }) => id);
  }

  /** Asks the person before the first time, and sends. */
  async #ask(jobs: readonly string[]): Promise<void> {
    const offer = await this.actions.offer(jobs);
    if (offer === null) return;
    const send = (withPage: boolean | null): void => {
      this.#confirm.replaceChildren();
      this.element.focus({ preventScroll: true });
      if (withPage !== null) this.actions.send(jobs, withPage);
    };
    if (offer.isConfirmed) {
      send(offer.withPage);
      return;
    }
    const question = confirmation(offer, send);
    this.#confirm.replaceChildren(question);
    question.focus();
  }

  #newItem(view: JobView): void {
    const anchor = view.anchors[0];
    const pagePicture = anchor === undefined ? undefined : this.actions.pagePicture(anchor);
    const item = h(
      "li",
      { part: "page-item" },
      h(
        "button",
        { class: "item-button", click: () => { this.actions.open(this.#views.get(view.id) ?? view); } },
        thumbnailOf(pagePicture),
        h("span", { class: "item-words" },
          h("span", { class: "item-label" }, view.label === "" ? t("picture_number", this.#items.size + 1) : view.label),
          h("span", { class: "item-state" }),
          h("span", { class: "item-machine" }),
        ),
      ),
      h("div", { class: "item-team" }),
    );
    this.#items.set(view.id, item);
    this.#holder.append(item);
  }

  #tell(): void {
    const views = [...this.#views.values()];
    const endedCount = views.filter(isEnded).length;
    this.#bar.setAttribute("aria-valuemax", String(views.length));
    this.#bar.setAttribute("aria-valuenow", String(endedCount));
    (this.#bar.firstElementChild as HTMLElement).style.width = `${(100 * endedCount) / (views.length || 1)}%`;
    this.#count.textContent = t("list_progress", endedCount, views.length);
    const suspicious = this.#unsentSuspicious().length;
    this.#sendAll.textContent = t("team_send_all", suspicious);
    this.#sendAll.hidden = !suspicious;
    this.#cancel.hidden = this.#bar.hidden = endedCount === views.length;
    for (const option of this.#filter.options) {
      const count = views.filter((view) => option.value === "all" || view.look === option.value).length;
      const name = t(option.value === "all" ? "filter_all" : `look_${option.value}`);
      option.textContent = t("filter_count", name, count);
    }
    this.#sift();
  }

  /** Shows what the filter lets through; once all ended, the most suspicious first. */
  #sift(): void {
    const filter = this.#filter.value;
    const views = [...this.#views.values()];
    const items = views.map((view) => ({ view, item: this.#items.get(view.id) }));
    for (const { view, item } of items) {
      if (item !== undefined) item.hidden = filter !== "all" && view.look !== filter;
    }
    this.#empty.hidden = items.some(({ item }) => item?.hidden === false);
    this.#empty.textContent = views.length === 0 ? t("list_none") : t("list_none_such");
    if (!this.done || views.length === 0) return;
    const focused = (this.element.getRootNode() as ShadowRoot).activeElement;
    items.sort((a, b) => rank(a.view) - rank(b.view));
    this.#holder.append(...items.flatMap(({ item }) => item ?? []));
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}

export function isEnded({ look }: JobView): boolean {
  return look !== "waiting" && look !== "checking";
}

function rank({ look, report }: JobView): number {
  return ORDER.indexOf(look) - (report?.fake_probability ?? 0);
}

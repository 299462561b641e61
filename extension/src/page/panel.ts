/** The panel of one check: what was found, or what went wrong and the ways out. */

import { h } from "../shared/dom";
import type { JobView, WayOut } from "../shared/view";
import { percent, t } from "../shared/i18n";
import type { SearchLink } from "../shared/evidence";
import { icon } from "../shared/icons";
import type { TeamOffer } from "../shared/messages";
import type { Face, Report } from "../shared/report";
import { shownPercent } from "../shared/report";
import { countdown } from "./countdown";
import type { Rect } from "./place";
import { shareButton } from "./share";
import { confirmation, teamBox } from "./team";

export interface PanelActions {
  readonly close: () => void;
  readonly retry: () => void;
  readonly cancel: () => void;
  readonly allow: () => void;
  readonly file: (file: File) => void;
  /** Null where the picture cannot be seen or its place on the screen is unknown. */
  readonly capture: (() => void) | null;
  readonly options: () => void;
  readonly heatmap: (on: boolean) => Promise<boolean>;
  /** What would leave the browser with "Send to team"; null if nothing can be sent. */
  readonly offer: () => Promise<TeamOffer | null>;
  readonly send: (withPage: boolean) => void;
  readonly sendAgain: () => void;
}

const GAP = 12;

export class Panel {
  readonly element: HTMLElement;
  #control = new AbortController();
  #view: JobView;
  /** What the person is asked to let go to the team. */
  #offer: TeamOffer | null = null;

  constructor(root: ShadowRoot, view: JobView, private readonly actions: PanelActions) {
    this.#view = view;
    this.element = h("section", {
      class: "panel", role: "dialog", "aria-labelledby": "panel-title", tabindex: "-1", part: "panel",
    });
    root.append(this.element);
    this.#fill();
  }

  get job(): string {
    return this.#view.id;
  }

  show(view: JobView): void {
    const isUnchanged = JSON.stringify(view) === JSON.stringify(this.#view);
    this.#view = view;
    if (isUnchanged) return;
    const root = this.element.getRootNode() as ShadowRoot;
    const hadFocus = this.element.contains(root.activeElement);
    this.#fill();
    if (hadFocus) this.focus();
  }

  focus(): void {
    this.element.focus({ preventScroll: true });
  }

  /** Beside the picture where there is room, else in the corner that leaves most of it free. */
  place(picture: Rect | null, taken: number): void {
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const right = innerWidth - taken - GAP;
    let x = right - width;
    let y = innerHeight - height - GAP;
    if (picture !== null) {
      const after = picture.x + picture.width + GAP;
      const before = picture.x - width - GAP;
      if (after + width <= right) x = after;
      else if (before >= GAP) x = before;
      else if (picture.x + picture.width / 2 > right / 2) x = GAP;
      const beside = x === after || x === before;
      if (beside) y = Math.min(Math.max(picture.y, GAP), innerHeight - height - GAP);
    }
    this.element.style.transform = `translate(${Math.round(Math.max(GAP, x))}px, ${Math.round(Math.max(GAP, y))}px)`;
  }

  remove(): void {
    this.#control.abort();
    this.element.remove();
  }

  #fill(): void {
    this.#control.abort();
    this.#control = new AbortController();
    const { look, report, title } = this.#view;
    this.element.dataset["state"] = look;
    this.element.className = `panel v-${look}`;
    this.element.replaceChildren(
      h("header", {}, icon(look), h("h2", { id: "panel-title" }, title), closeButton(this.actions.close)),
      ...(report === null ? this.#unfinished() : this.#finished(report)).filter((node) => node !== null),
    );
  }

  #finished({ faces }: Report): (Node | null)[] {
    const { link, warning, sentence, caveat, search, team } = this.#view;
    const several = faces.length > 1;
    return [
      team && teamBox(team),
      h("p", { part: "sentence" }, sentence),
      warning === "" ? null : h("p", { class: "warning", part: "message" }, warning),
      h("ol", { class: "faces" }, ...faces.map((face, index) => faceItem(face, several ? index + 1 : null))),
      faces.length === 0 ? null : heatmapSwitch(this.actions.heatmap),
      h("details", { class: "caveat" }, h("summary", {}, t("caveat_title")), h("p", {}, caveat)),
      search.length === 0 ? null : searchBox(search),
      h("div", { class: "actions" },
        link !== null && h("a", { class: "button primary", href: link, target: "_blank", rel: "noopener noreferrer", part: "report-link" }, t("open_report")),
        link !== null && shareButton(link),
        team?.action && this.#offer === null && button(`team-${team.action}`, t(`team_${team.action}`), team.action === "send" ? () => { void this.#ask(); } : this.actions.sendAgain),
        ...this.#waysOut(),
      ),
      this.#offer && confirmation(this.#offer, (withPage) => { this.#answer(withPage); }),
    ];
  }

  /** Asks the person before the first time, and sends. */
  async #ask(): Promise<void> {
    const offer = await this.actions.offer();
    if (offer === null) return;
    if (offer.isConfirmed) {
      this.actions.send(offer.withPage);
      return;
    }
    this.#offer = offer;
    this.#fill();
    this.element.querySelector<HTMLElement>(".confirm")?.focus();
  }

  /** Null: the person does not want it sent. */
  #answer(withPage: boolean | null): void {
    this.#offer = null;
    this.#fill();
    this.focus();
    if (withPage !== null) this.actions.send(withPage);
  }

  #unfinished(): (Node | null)[] {
    const { look, retryAt, sentence, setting } = this.#view;
    const isError = look === "error";
    return [
      h("p", { part: "message", role: isError && "alert" }, sentence),
      setting === "" ? null : h("code", { class: "setting" }, setting),
      retryAt === null ? null : countdown(retryAt, this.#control.signal),
      h("div", { class: "actions is-stacked" }, ...(isError ? this.#waysOut() : [
        retryAt !== null && button("retry", t("retry_now"), this.actions.retry, "primary"),
        button("cancel", t("cancel"), this.actions.cancel),
      ])),
    ];
  }

  #waysOut(): (HTMLElement | null)[] {
    const { waysOut, host } = this.#view;
    const { retry, options, allow, file, capture } = this.actions;
    const ways: Record<WayOut, HTMLElement | null> = {
      retry: button("retry", t("retry"), retry),
      options: button("options", t("open_options"), options),
      allow: button("allow", t("allow_site", host ?? ""), allow),
      file: fileButton(file),
      capture: capture && button("capture", t("capture"), capture),
    };
    const buttons = waysOut.map((way) => ways[way]);
    buttons[0]?.classList.add("primary");
    return buttons;
  }
}

export function button(part: string, words: string, act: () => void, kind = ""): HTMLButtonElement {
  return h("button", { class: `button ${kind}`, part: part, click: act }, words);
}

export function closeButton(close: () => void): HTMLButtonElement {
  return h("button", { class: "close", part: "close", "aria-label": t("close"), title: t("close"), click: close }, "✕");
}

function faceItem(face: Face, number: number | null): HTMLElement {
  const fakePercent = shownPercent(face.fake_probability);
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span", { class: "bar-fill" }));
  (bar.firstElementChild as HTMLElement).style.width = `${fakePercent}%`;
  const marked = Math.round(face.tampered_fraction * 100);
  return h(
    "li",
    { class: `face v-${face.verdict}`, part: "panel-face", "data-verdict": face.verdict },
    h("span", { class: "face-words" },
      number !== null && h("span", { class: "number" }, String(number)),
      h("span", { class: "face-verdict" }, t(`verdict_${face.verdict}`)),
    ),
    h("span", { class: "face-odds" }, t("face_fake", percent(fakePercent))),
    bar,
    marked > 0 && h("span", { class: "face-marked" }, t("face_marked", percent(marked))),
  );
}

/** Links to engines of reverse image search: they tell an engine the picture's address. */
function searchBox(links: readonly SearchLink[]): HTMLElement {
  const engines = links.map(({ name, href }) =>
    h("li", {}, h("a", { href, target: "_blank", rel: "noopener noreferrer", part: "search-link" }, name)));
  return h("details", { class: "search" },
    h("summary", {}, t("search_title")), h("p", {}, t("search_note")), h("ul", {}, ...engines));
}

function heatmapSwitch(switchHeatmap: (on: boolean) => Promise<boolean>): HTMLElement {
  const toggle: HTMLButtonElement = h(
    "button",
    {
      class: "switch", role: "switch", "aria-checked": "false", part: "heatmap-switch",
      click: () => {
        const on = toggle.getAttribute("aria-checked") !== "true";
        toggle.disabled = true;
        void switchHeatmap(on).then((done) => {
          toggle.disabled = false;
          toggle.setAttribute("aria-checked", String(done));
        });
      },
    },
    h("span", { class: "switch-words" }, t("heatmap")),
    h("span", { class: "switch-track", "aria-hidden": "true" }, h("span", { class: "switch-thumb" })),
  );
  return toggle;
}

function fileButton(choose: (file: File) => void): HTMLElement {
  const input: HTMLInputElement = h("input", {
    type: "file", accept: "image/*,.heic,.heif,.avif", class: "file-input", tabindex: "-1", "aria-hidden": "true",
    change: () => {
      const file = input.files?.[0];
      if (file !== undefined) choose(file);
    },
  });
  return h("span", { class: "file" }, button("choose-file", t("choose_file"), () => { input.click(); }), input);
}

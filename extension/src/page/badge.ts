/** What is drawn on one picture: its chip, and over it what was found. */

import { h } from "../shared/dom";
import type { JobView } from "../shared/view";
import { t } from "../shared/i18n";
import { icon } from "../shared/icons";
import { Overlay } from "./overlay";
import type { Rect } from "./place";
import { boundsOf, visiblePart } from "./place";
import type { PagePicture } from "./page-picture";
import { stillShows } from "./page-picture";
import type { Tracker } from "./track";

const CHIP_INSET = 8;
/** Room for the icon alone. */
const CHIP_LEAST = 32;

export class Badge {
  readonly chip: HTMLButtonElement;
  readonly #control = new AbortController();
  #overlay: Overlay | null = null;
  #view: JobView | null = null;

  constructor(
    private readonly root: ShadowRoot,
    /** Null for a picture that the page does not show: its chip stands in a corner. */
    readonly pagePicture: PagePicture | null,
    tracker: Tracker,
    onClick: () => void,
  ) {
    this.chip = h("button", { part: "chip", click: onClick });
    root.append(this.chip);
    this.#say();
    if (pagePicture !== null) tracker.add(pagePicture.element, () => { this.#place(); }, this.#control.signal);
  }

  show(view: JobView): void {
    this.#view = view;
    this.#say();
    this.#overlay?.show(view);
  }

  /** The job that it shows; undefined before it shows one. */
  get job(): string | undefined {
    return this.#view?.id;
  }

  get overlaid(): boolean {
    return this.#overlay !== null;
  }

  /** Draws what was found over the picture, or takes it away. */
  set overlaid(overlaid: boolean) {
    if (overlaid === this.overlaid) return;
    this.#overlay?.remove();
    this.#overlay = null;
    if (!overlaid || this.pagePicture === null || this.#view?.report == null) return;
    this.#overlay = new Overlay(this.root, this.pagePicture);
    this.#overlay.show(this.#view);
    this.#place();
  }

  showHeatmap(heatmap: ImageBitmap | null): void {
    this.#overlay?.showHeatmap(heatmap);
  }

  /** The part of the picture that can be seen; null if none can. */
  visible(): Rect | null {
    return this.pagePicture && visiblePart(this.pagePicture.element);
  }

  remove(): void {
    this.#control.abort();
    this.#overlay?.remove();
    this.chip.remove();
  }

  #say(): void {
    const look = this.#view?.look ?? "waiting";
    const words = this.#view?.chip ?? t("look_waiting");
    const { chip } = this;
    chip.dataset["state"] = look;
    chip.className = `chip v-${look}${this.pagePicture === null ? " is-docked" : ""}`;
    if (this.#view !== null) {
      chip.dataset["job"] = this.#view.id;
      chip.dataset["check"] = this.#view.check ?? "";
    }
    if (chip.textContent === words) return;
    chip.replaceChildren(icon(look), h("span", {}, words));
    chip.setAttribute("aria-label", t("chip_label", words));
  }

  #place(): void {
    const { pagePicture, chip } = this;
    if (pagePicture === null) return;
    const bounds = boundsOf(pagePicture.element);
    const visible = this.visible();
    const hidden = visible === null || !stillShows(pagePicture);
    chip.hidden = hidden;
    this.#overlay?.place(bounds, hidden ? null : visible);
    if (hidden) return;
    const x = Math.max(visible.x, 0) + Math.min(CHIP_INSET, visible.width / 8);
    const y = Math.max(visible.y, 0) + Math.min(CHIP_INSET, visible.height / 8);
    const move = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    if (chip.style.transform === move) return;
    chip.style.transform = move;
    chip.style.maxWidth = `${Math.max(CHIP_LEAST, visible.width - 2 * CHIP_INSET)}px`;
  }
}


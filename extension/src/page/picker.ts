/** "Click the picture": for a first right click on what the browser does not call a picture. */

import { h } from "../shared/dom";
import { t } from "../shared/i18n";
import { allPictures, pictureAt } from "./find";
import { boundsOf } from "./place";
import type { PagePicture } from "./page-picture";

const SMALLEST = 48;

export class Picker {
  readonly #control = new AbortController();
  readonly #hint = h("div", { class: "hint", role: "status", part: "picker" }, t("picker_hint"));
  readonly #frame = h("div", { class: "picker-frame", hidden: true, "aria-hidden": "true" });
  #aimed: PagePicture | null = null;

  constructor(root: ShadowRoot, private readonly onPick: (pagePicture: PagePicture) => void) {
    root.append(this.#hint, this.#frame);
    const options = { capture: true, signal: this.#control.signal };
    addEventListener("pointermove", (event) => { this.#aim(pictureAt(event)); }, options);
    addEventListener("scroll", () => { this.#aim(this.#aimed); }, options);
    for (const type of ["pointerdown", "mousedown", "pointerup", "mouseup"] as const) addEventListener(type, swallow, options);
    addEventListener("click", (event) => {
      swallow(event);
      this.#pick(pictureAt(event));
    }, options);
    addEventListener("keydown", (event) => { this.#key(event); }, options);
  }

  remove(): void {
    this.#control.abort();
    this.#hint.remove();
    this.#frame.remove();
  }

  #pick(pagePicture: PagePicture | null): void {
    if (pagePicture !== null) this.onPick(pagePicture);
    else this.#hint.textContent = t("picker_missed");
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") this.#pick(this.#aimed);
    else if (step !== undefined) this.#step(step);
    else return;
    swallow(event);
  }

  #step(step: number): void {
    const all = allPictures(SMALLEST);
    const now = all.findIndex(({ element }) => element === this.#aimed?.element);
    const next = all.at((now + step + all.length) % Math.max(1, all.length)) ?? null;
    next?.element.scrollIntoView({ block: "nearest" });
    this.#aim(next);
  }

  #aim(pagePicture: PagePicture | null): void {
    this.#aimed = pagePicture;
    this.#frame.hidden = pagePicture === null;
    if (pagePicture === null) return;
    const { x, y, width, height } = boundsOf(pagePicture.element);
    Object.assign(this.#frame.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  }
}

function swallow(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

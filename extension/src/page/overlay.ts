/** Boxes, the tampered region and the heatmap, laid exactly over the picture. */

import { h, svg } from "../shared/dom";
import type { JobView } from "../shared/view";
import type { Face, Report } from "../shared/report";
import type { Rect } from "./place";
import { paintedIn, transformOf } from "./place";
import type { PagePicture } from "./page-picture";

export class Overlay {
  readonly #element = h("div", { class: "overlay", part: "overlay", "aria-hidden": "true" });
  readonly #layers = h("div", { class: "layers" });
  readonly #heatmap = h("canvas", { class: "heatmap", part: "heatmap", hidden: true });
  #report: Report | null = null;
  #placed = "";

  constructor(root: ShadowRoot, private readonly pagePicture: PagePicture) {
    this.#layers.append(this.#heatmap);
    this.#element.append(this.#layers);
    root.prepend(this.#element);
  }

  show({ report, check }: JobView): void {
    if (report === null || report === this.#report) return;
    this.#report = report;
    this.#placed = "";
    this.#element.dataset["check"] = check ?? "";
    this.#layers.replaceChildren(this.#heatmap, drawing(report));
  }

  /** Lays a heatmap over the picture; null takes it away. */
  showHeatmap(heatmap: ImageBitmap | null): void {
    this.#heatmap.hidden = heatmap === null;
    this.#element.classList.toggle("has-heatmap", heatmap !== null);
    if (heatmap === null) return;
    this.#heatmap.width = heatmap.width;
    this.#heatmap.height = heatmap.height;
    this.#heatmap.getContext("2d")?.drawImage(heatmap, 0, 0);
  }

  /** `bounds` of the picture's element and the part of it that can be seen; null hides all. */
  place(bounds: Rect, shown: Rect | null): void {
    this.#element.hidden = shown === null;
    if (shown === null || this.#report === null) return;
    const { element } = this.pagePicture;
    const transform = element instanceof HTMLElement ? transformOf(element) : null;
    const box = transform === null ? bounds : upright(element as HTMLElement, bounds);
    const painted = paintedIn(this.pagePicture, box, this.#report.image);
    const { style } = this.#element;
    const now = JSON.stringify([box, shown, painted, transform]);
    if (now === this.#placed) return;
    this.#placed = now;
    lay(this.#element, box);
    lay(this.#layers, painted);
    style.transform = transform === null ? "" : String(transform);
    style.clipPath = "";
    if (transform !== null) return;
    const right = bounds.x + bounds.width - shown.x - shown.width;
    const bottom = bounds.y + bounds.height - shown.y - shown.height;
    style.clipPath =
      `inset(${px(shown.y - bounds.y)} ${px(right)} ${px(bottom)} ${px(shown.x - bounds.x)})`;
  }

  remove(): void {
    this.#element.remove();
  }
}

function drawing({ image, faces }: Report): SVGSVGElement {
  return svg(
    "svg",
    {
      class: "drawing",
      viewBox: `0 0 ${image.width} ${image.height}`,
      preserveAspectRatio: "none",
    },
    ...faces.flatMap((face, index) => [region(face), ...box(face, index, faces.length > 1, image)]),
  );
}

function region({ outline, verdict }: Face): SVGPathElement | null {
  if (outline.length === 0) return null;
  const path = outline.map((polygon) => `M${polygon.map((point) => point.join(" ")).join("L")}Z`);
  return svg("path", { class: `region v-${verdict}`, part: "region", "fill-rule": "evenodd", d: path.join("") });
}

function box(face: Face, index: number, numbered: boolean, image: Report["image"]): SVGElement[] {
  const [x, y, width, height] = face.box;
  const sides = { x, y, width, height, rx: Math.min(width, height) * 0.05 };
  const size = Math.max(image.width, image.height) / 36;
  return [
    svg("rect", { class: "halo", ...sides }),
    svg("rect", { class: `box v-${face.verdict}`, part: "box", "data-face": index, ...sides }),
    ...(numbered
      ? [
          svg("circle", { class: "tag", cx: x, cy: y, r: size * 0.72 }),
          svg("text", { class: "tag-text", x, y, dy: "0.36em", "text-anchor": "middle", "font-size": size * 0.9 }, String(index + 1)),
        ]
      : []),
  ];
}

/** An element's box before it was turned about its middle. */
function upright({ offsetWidth: width, offsetHeight: height }: HTMLElement, bounds: Rect): Rect {
  return {
    x: bounds.x + (bounds.width - width) / 2,
    y: bounds.y + (bounds.height - height) / 2,
    width,
    height,
  };
}

function lay(element: HTMLElement, { x, y, width, height }: Rect): void {
  element.style.left = px(x);
  element.style.top = px(y);
  element.style.width = px(width);
  element.style.height = px(height);
}

function px(number: number): string {
  return `${Math.round(number * 100) / 100}px`;
}

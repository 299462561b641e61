/** A small likeness of a picture in the page, for the list; drawn for the eye, read by nobody. */

import { h } from "../shared/dom";
import type { PagePicture } from "./page-picture";

const SIDE = 88;

export function thumbnailOf(pagePicture: PagePicture | undefined): HTMLElement {
  const canvas = h("canvas", { class: "thumbnail", width: SIDE, height: SIDE, "aria-hidden": "true" });
  if (pagePicture === undefined) return canvas;
  const { element, isWaiting } = pagePicture;
  if (element instanceof HTMLImageElement && !isWaiting) drawn(canvas, element);
  else {
    const image = new Image();
    image.onload = () => { drawn(canvas, image); };
    image.src = pagePicture.url;
  }
  return canvas;
}

function drawn(canvas: HTMLCanvasElement, image: HTMLImageElement): void {
  const { naturalWidth: width, naturalHeight: height } = image;
  if (!image.complete) {
    image.addEventListener("load", () => { drawn(canvas, image); }, { once: true });
    return;
  }
  if (width === 0 || height === 0) return;
  const side = Math.min(width, height);
  canvas.getContext("2d")?.drawImage(image, (width - side) / 2, (height - side) / 4, side, side, 0, 0, SIDE, SIDE);
}

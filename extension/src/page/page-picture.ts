/** What an element shows: the address of its picture, whatever kind of element it is. */

import { waitingBackground, waitingFor, waitingInside } from "./lazy";
import { misfit } from "./srcset";

export interface PagePicture {
  readonly element: Element;
  readonly kind: "picture" | "background";
  /** The pseudo-element that shows it. */
  readonly pseudo: "::before" | "::after" | null;
  readonly url: string;
  /** The picture's own size; null where the page does not know it. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** Whether the page is yet to load it; until then a placeholder may stand in its place. */
  readonly isWaiting: boolean;
}

/** The picture that the element itself shows, or is to show once it is loaded; null for none. */
export function pictureIn(element: Element): PagePicture | null {
  if (element instanceof HTMLImageElement) return ofImage(element);
  if (element instanceof HTMLPictureElement) {
    const image = element.querySelector("img");
    return image === null ? null : ofImage(image);
  }
  const address = addressOf(element);
  return address === null ? null : withAddress(element, address);
}

function addressOf(element: Element): string | null {
  if (element instanceof HTMLVideoElement) {
    return element.poster === "" ? (element.dataset["poster"] ?? null) : element.poster;
  }
  if (element instanceof SVGImageElement) return element.href.baseVal;
  if (element instanceof HTMLInputElement) return element.type === "image" ? element.src : null;
  if (element instanceof HTMLObjectElement) return element.type.startsWith("image/") ? element.data : null;
  if (element instanceof HTMLEmbedElement) return element.type.startsWith("image/") ? element.src : null;
  return null;
}

/** The picture that the element's style shows, or is to show once it is loaded; null for none. */
export function backgroundOf(element: Element): PagePicture | null {
  const shown = styledBackground(element);
  if (shown !== null && !shown.url.startsWith("data:")) return shown;
  const address = waitingBackground(element) ?? waitingInside(element);
  const url = address === null ? null : absolute(address);
  if (url === null) return shown;
  return { element, kind: "background", pseudo: null, url, size: null, isWaiting: true };
}

function styledBackground(element: Element): PagePicture | null {
  for (const pseudo of [null, "::before", "::after"] as const) {
    const style = getComputedStyle(element, pseudo);
    const content = pseudo === null || style.content === "none" ? "" : style.content;
    const url = urlIn(`${style.backgroundImage} ${content}`);
    if (url !== null) return { element, kind: "background", pseudo, url, size: null, isWaiting: false };
  }
  return null;
}

/** The first address of a computed `background-image` or `content`; of an image-set the one that
 * suits the screen best. */
export function urlIn(value: string): string | null {
  const matches = [...value.matchAll(/url\((?:"((?:[^"\\]|\\.)*)"|([^)]*))\)(?:\s+([\d.]+)(?:dppx|x))?/g)];
  const first = matches[0];
  if (first === undefined) return null;
  const candidates = value.includes("image-set(") ? matches : [first];
  const best = candidates.reduce((a, b) => (misfit(densityOf(b)) < misfit(densityOf(a)) ? b : a));
  const url = (best[1] ?? best[2] ?? "").replace(/\\(.)/g, "$1");
  return absolute(url);
}

function densityOf([, , , density]: RegExpExecArray): number {
  return Number(density ?? 1);
}

function ofImage(image: HTMLImageElement): PagePicture | null {
  const waiting = waitingFor(image);
  const late = waiting === null ? null : withAddress(image, waiting);
  if (late !== null) return { ...late, isWaiting: true };
  const current = withAddress(image, image.currentSrc === "" ? image.src : image.currentSrc);
  const { naturalWidth: width, naturalHeight: height } = image;
  return current === null || width === 0 ? current : { ...current, size: { width, height } };
}

function withAddress(element: Element, address: string): PagePicture | null {
  const url = address === "" ? null : absolute(address);
  return url === null ? null : { element, kind: "picture", pseudo: null, url, size: null, isWaiting: false };
}

function absolute(address: string): string | null {
  try {
    const { href, protocol } = new URL(address, document.baseURI);
    return /^(https?|data|blob):$/.test(protocol) ? href : null;
  } catch {
    return null;
  }
}

/** Whether the element still shows that picture: carousels put another one in the same place. */
export function stillShows({ element, kind, url }: PagePicture): boolean {
  if (kind === "background") return backgroundOf(element)?.url === url;
  if (pictureIn(element)?.url === url) return true;
  if (!(element instanceof HTMLImageElement)) return false;
  if (element.currentSrc === url || element.src === url) return true;
  // Another size of it, or the address it is yet to be loaded from.
  const file = url.split("/").at(-1) ?? url;
  const parts = element.parentElement instanceof HTMLPictureElement
    ? [element, ...element.parentElement.children]
    : [element];
  return parts.some(({ attributes }) => [...attributes].some(({ value }) => value.includes(file)));
}

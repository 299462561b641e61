/** Names for places in the page, so that the background can speak of them. */

import type { Picture } from "../shared/jobs";
import type { PagePicture } from "./page-picture";

/** Names of one document: those of the page before it must not be taken for ours. */
const PREFIX = Math.random().toString(36).slice(2);

export class Anchors {
  readonly #pagePictures = new Map<string, PagePicture>();
  readonly #names = new WeakMap<Element, string>();

  /** A picture as the background knows it. */
  describe(pagePicture: PagePicture, ...same: readonly PagePicture[]): Picture {
    const { url, size, element } = pagePicture;
    const http = /^https?:/.test(url);
    return {
      anchors: [pagePicture, ...same].map((one) => this.#name(one)),
      url: http ? url : null,
      sameOrigin: http && new URL(url).origin === location.origin,
      size,
      label: labelOf(element, http ? url : ""),
    };
  }

  /** What stands behind a name; an element that left the page is gone. */
  get(anchor: string): PagePicture | undefined {
    const pagePicture = this.#pagePictures.get(anchor);
    return pagePicture?.element.isConnected === true ? pagePicture : undefined;
  }

  #name(pagePicture: PagePicture): string {
    const earlierName = this.#names.get(pagePicture.element);
    const name = earlierName ?? `${PREFIX}-${this.#pagePictures.size}`;
    this.#names.set(pagePicture.element, name);
    this.#pagePictures.set(name, pagePicture);
    return name;
  }
}

/** One description for each address, with every place that shows it. */
export function describeAll(anchors: Anchors, pagePictures: readonly PagePicture[]): Picture[] {
  const byUrl = new Map<string, [PagePicture, ...PagePicture[]]>();
  for (const pagePicture of pagePictures) {
    const same = byUrl.get(pagePicture.url);
    if (same === undefined) byUrl.set(pagePicture.url, [pagePicture]);
    else same.push(pagePicture);
  }
  return [...byUrl.values()].map(([first, ...same]) => anchors.describe(first, ...same));
}

function labelOf(element: Element, url: string): string {
  const label = element.getAttribute("alt") ?? element.getAttribute("aria-label") ?? "";
  if (label.trim() !== "") return label.trim().slice(0, 120);
  const name = url === "" ? "" : (new URL(url).pathname.split("/").at(-1) ?? "");
  try {
    return decodeURIComponent(name).slice(0, 120);
  } catch {
    return name.slice(0, 120);
  }
}

/** From what the browser says of a right click to the picture that was meant. */

import type { Picture } from "../shared/jobs";
import type { Point } from "./find";
import { pictureAt, pictureOf } from "./find";
import { PICTURE_FILE } from "./lazy";
import type { PagePicture } from "./page-picture";

/** A picture of so few pixels is laid over another to keep it from being saved. */
const SPACER = 4;

/** What is in the page, or a picture that it only links to; null if that cannot be known. */
export function chosen(
  { srcUrl, linkUrl }: { srcUrl: string | null; linkUrl: string | null },
  point: Point | null,
): PagePicture | Picture | null {
  if (srcUrl !== null) {
    const named = pictureOf(srcUrl, point);
    const spacer = named?.size != null && Math.min(named.size.width, named.size.height) <= SPACER;
    if (named !== null && !spacer) return named;
    const under = point === null ? null : pictureAt(point);
    if (under !== null) return under;
    if (named === null && /^https?:/.test(srcUrl)) return elsewhere(srcUrl);
  }
  const under = point === null ? null : pictureAt(point);
  if (linkUrl === null || !leadsToPicture(linkUrl)) return under;
  return under !== null && linkOf(under.element) === linkUrl ? under : elsewhere(linkUrl);
}

function leadsToPicture(url: string): boolean {
  try {
    const { protocol, pathname } = new URL(url);
    return /^https?:$/.test(protocol) && PICTURE_FILE.test(pathname);
  } catch {
    return false;
  }
}

function linkOf(element: Element): string | undefined {
  return element.closest<HTMLAnchorElement>("a[href]")?.href;
}

function elsewhere(url: string): Picture {
  const { origin, pathname } = new URL(url);
  const label = pathname.split("/").at(-1) ?? "";
  return { anchors: [], url, sameOrigin: origin === location.origin, size: null, label };
}

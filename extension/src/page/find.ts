/** Finds pictures: the one that was clicked, the one under a point, all of a page. */

import { boundsOf, visiblePart } from "./place";
import type { PagePicture } from "./page-picture";
import { backgroundOf, pictureIn } from "./page-picture";

/** Below this many pixels it is an icon or a spacer, not what someone means by "the picture". */
const ICON = 24;
/** Height or width of an image that nothing gave a size. */
const COLLAPSED = 4;
const SHOWS_PICTURES =
  "img, video[poster], video[data-poster], image, input[type=image], object[type^='image/'], embed[type^='image/']";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The picture at a point of the viewport, under whatever covers it. */
export function pictureAt(point: Point): PagePicture | null {
  const stack = stackAt(document, point);
  const pagePictures = stack.flatMap((element) => pictureIn(element) ?? backgroundOf(element) ?? []);
  const large = pagePictures.filter((candidate) => !isIcon(candidate));
  // What lets the pointer through is in no stack; a texture laid over it would win otherwise.
  const beneath = everyPicture()
    .filter((candidate) => !stack.includes(candidate.element) && holds(candidate.element, point) && !isIcon(candidate));
  return large.find(({ kind }) => kind === "picture")
    ?? large.find((candidate) => !isTexture(candidate))
    ?? beneath.at(-1)
    ?? large[0]
    ?? null;
}

/** The element that shows `url`: the one at the point if there are several, or the most visible. */
export function pictureOf(url: string, point: Point | null): PagePicture | null {
  const same = everyPicture().filter((candidate) => candidate.url === url || showsPlaceholder(candidate, url));
  const atPoint = point === null ? undefined : same.find(({ element }) => holds(element, point));
  if (atPoint !== undefined) return atPoint;
  return same.sort((a, b) => shownArea(b.element) - shownArea(a.element))[0] ?? null;
}

/** All pictures of the page, backgrounds included, whose shorter side is long enough. */
export function allPictures(minimumSize: number): PagePicture[] {
  const pictures: PagePicture[] = [];
  for (const root of everyRoot()) {
    for (const element of root.querySelectorAll("*")) {
      if (isSmall(element, minimumSize)) continue;
      const pagePicture = pictureIn(element) ?? backgroundOf(element);
      if (pagePicture === null || element instanceof HTMLPictureElement) continue;
      if (pagePicture.kind === "background" && isTexture(pagePicture)) continue;
      const { size } = pagePicture;
      if (size !== null && Math.min(size.width, size.height) < minimumSize) continue;
      if (isShown(element)) pictures.push(pagePicture);
    }
  }
  return pictures;
}

/** The document and every shadow root in it. */
export function* everyRoot(): Generator<Document | ShadowRoot, void, undefined> {
  const waiting: (Document | ShadowRoot)[] = [document];
  for (let root = waiting.pop(); root !== undefined; root = waiting.pop()) {
    yield root;
    for (const element of root.querySelectorAll("*")) {
      const inner = shadowOf(element);
      if (inner !== null) waiting.push(inner);
    }
  }
}

function everyPicture(): PagePicture[] {
  return [...everyRoot()]
    .flatMap((root) => [...root.querySelectorAll(SHOWS_PICTURES)])
    .flatMap((element) => pictureIn(element) ?? []);
}

function shadowOf(element: Element): ShadowRoot | null {
  if (!(element instanceof HTMLElement) || element.localName === "unmask-page") return null;
  if (element.shadowRoot !== null) return element.shadowRoot;
  // Only what may have one is asked: the call is dear on large pages.
  if (!element.localName.includes("-")) return null;
  const { dom } = chrome as Partial<typeof chrome>;
  return element.openOrClosedShadowRoot ?? dom?.openOrClosedShadowRoot(element) ?? null;
}

function stackAt(root: Document | ShadowRoot, point: Point): Element[] {
  return root.elementsFromPoint(point.x, point.y).flatMap((element) => {
    if (element.localName === "unmask-page") return [];
    const inner = shadowOf(element);
    return inner === null || inner === root ? [element] : [...stackAt(inner, point), element];
  });
}

function holds(element: Element, { x, y }: Point): boolean {
  const box = boundsOf(element);
  const inside = box.x <= x && x <= box.x + box.width && box.y <= y && y <= box.y + box.height;
  return inside && isShown(element);
}

function isShown(element: Element): boolean {
  return element.checkVisibility({ visibilityProperty: true });
}

function isIcon({ element, size }: PagePicture): boolean {
  const { width, height } = boundsOf(element);
  if (Math.min(width, height) < ICON) return true;
  return size !== null && Math.min(size.width, size.height) < ICON;
}

/** Whether an element is too small on the page. Of an image without a size of its own that is yet to
 * be loaded only a dot is there: it will be as large as what holds it. */
function isSmall(element: Element, minimumSize: number): boolean {
  const { width, height } = boundsOf(element);
  if (Math.min(width, height) >= minimumSize) return false;
  if (!(element instanceof HTMLImageElement) || Math.min(width, height) > COLLAPSED) return true;
  const holder = element.parentElement;
  return holder === null || boundsOf(holder).width < minimumSize || pictureIn(element)?.isWaiting !== true;
}

/** Whether an address is that of the placeholder that an image shows while its picture waits. */
function showsPlaceholder({ element, isWaiting }: PagePicture, url: string): boolean {
  return isWaiting && element instanceof HTMLImageElement && element.currentSrc === url;
}

/** A background that is repeated at its own size: a pattern, not a photograph. */
function isTexture({ element, kind, pseudo, isWaiting }: PagePicture): boolean {
  if (kind !== "background" || isWaiting) return false;
  const style = getComputedStyle(element, pseudo);
  return style.backgroundRepeat.startsWith("repeat") && style.backgroundSize === "auto";
}

function shownArea(element: Element): number {
  const { width, height } = visiblePart(element) ?? { width: 0, height: 0 };
  return width * height;
}

/** Finds pictures: the one that was clicked, the one under a point, all of a page. */

import { boundsOf, visiblePart } from "./place";
import type { Sighting } from "./sighting";
import { backgroundOf, pictureIn } from "./sighting";

/** Below this many pixels it is an icon or a spacer, not what someone means by "the picture". */
const ICON = 24;
const SHOWS_PICTURES = "img, video[poster], image, input[type=image], object[type^='image/']";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The picture at a point of the viewport, under whatever covers it. */
export function pictureAt(point: Point): Sighting | null {
  const stack = stackAt(document, point);
  const sightings = stack.flatMap((element) => pictureIn(element) ?? backgroundOf(element) ?? []);
  const large = sightings.filter((found) => !isIcon(found));
  // What lets the pointer through is in no stack; a texture laid over it would win otherwise.
  const beneath = everyPicture()
    .filter((found) => !stack.includes(found.element) && holds(found.element, point) && !isIcon(found));
  return large.find(({ kind }) => kind === "picture")
    ?? large.find((found) => !isTexture(found))
    ?? beneath.at(-1)
    ?? large[0]
    ?? null;
}

/** The element that shows `url`: the one at the point if there are several, or the most visible. */
export function pictureOf(url: string, point: Point | null): Sighting | null {
  const same = everyPicture().filter((found) => found.url === url);
  const at = point === null ? undefined : same.find(({ element }) => holds(element, point));
  if (at !== undefined) return at;
  return same.sort((a, b) => shownArea(b.element) - shownArea(a.element))[0] ?? null;
}

/** All pictures of the page, backgrounds included, whose shorter side is long enough. */
export function allPictures(minimumSize: number): Sighting[] {
  const found: Sighting[] = [];
  for (const root of everyRoot()) {
    for (const element of root.querySelectorAll("*")) {
      const { width, height } = boundsOf(element);
      if (Math.min(width, height) < minimumSize) continue;
      const sighting = pictureIn(element) ?? backgroundOf(element);
      if (sighting === null || element instanceof HTMLPictureElement) continue;
      if (sighting.kind === "background" && isTexture(sighting)) continue;
      const { size } = sighting;
      if (size !== null && Math.min(size.width, size.height) < minimumSize) continue;
      if (isShown(element)) found.push(sighting);
    }
  }
  return found;
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

function everyPicture(): Sighting[] {
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

function isIcon({ element, size }: Sighting): boolean {
  const { width, height } = boundsOf(element);
  if (Math.min(width, height) < ICON) return true;
  return size !== null && Math.min(size.width, size.height) < ICON;
}

/** A background that is repeated at its own size: a pattern, not a photograph. */
function isTexture({ element, kind, pseudo }: Sighting): boolean {
  if (kind !== "background") return false;
  const style = getComputedStyle(element, pseudo);
  return style.backgroundRepeat.startsWith("repeat") && style.backgroundSize === "auto";
}

function shownArea(element: Element): number {
  const { width, height } = visiblePart(element) ?? { width: 0, height: 0 };
  return width * height;
}

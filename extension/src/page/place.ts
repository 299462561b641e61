/** Where in the viewport a picture is, and which part of its element it fills. */

import type { PagePicture } from "./page-picture";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function boundsOf(element: Element): Rect {
  return element.getBoundingClientRect();
}

/** The part of an element that can be seen: what its ancestors cut off by scrolling or hiding, is
 * not drawn over either. Null if nothing can. */
export function visiblePart(element: Element): Rect | null {
  let seen = common(boundsOf(element), { x: 0, y: 0, width: innerWidth, height: innerHeight });
  for (let parent = parentOf(element); seen !== null && parent !== null; parent = parentOf(parent)) {
    if (parent === document.documentElement || parent === document.body) break;
    if (!getComputedStyle(parent).overflow.startsWith("visible")) seen = common(seen, boundsOf(parent));
  }
  return seen;
}

function common(a: Rect, b: Rect): Rect | null {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  const height = Math.min(a.y + a.height, b.y + b.height) - y;
  return width < 1 || height < 1 ? null : { x, y, width, height };
}

/** How an element and its ancestors rotate, mirror and stretch it: the linear part alone, for the
 * middle of a box stays the middle of its bounds. Null if they leave it as it is. */
export function transformOf(element: Element): DOMMatrix | null {
  let matrix = new DOMMatrix();
  for (let ancestor: Element | null = element; ancestor !== null; ancestor = parentOf(ancestor)) {
    const { transform, rotate, scale } = getComputedStyle(ancestor);
    const own = `rotate(${rotate})scale(${scale.replace(" ", ",")})${transform}`;
    matrix = new DOMMatrix(own.replace(/\w+\((none)?\)|none/g, "")).multiply(matrix);
  }
  const linear = new DOMMatrix([matrix.a, matrix.b, matrix.c, matrix.d, 0, 0]);
  return linear.isIdentity ? null : linear;
}

/** Where in the element's bounds the picture is painted, relative to their corner. It may be larger
 * than the bounds (cover) or smaller (contain). */
export function paintedIn(pagePicture: PagePicture, bounds: Rect, picture: Size): Rect {
  const style = getComputedStyle(pagePicture.element, pagePicture.pseudo);
  const own = pagePicture.element;
  const edge = (name: string): number => Number.parseFloat(style.getPropertyValue(name)) || 0;
  const inset = (side: string): number =>
    edge(`border-${side}-width`) + (pagePicture.kind === "picture" ? edge(`padding-${side}`) : 0);
  const [left, top] = [inset("left"), inset("top")];
  const box = {
    width: Math.max(0, bounds.width - left - inset("right")),
    height: Math.max(0, bounds.height - top - inset("bottom")),
  };
  const natural = pagePicture.size ?? picture;
  const { width, height } = pagePicture.kind === "background"
    ? backgroundSize(style.backgroundSize, box, natural)
    : fitted(fitOf(own, style), box, natural);
  const position = pagePicture.kind === "background" ? style.backgroundPosition : positionOf(own, style);
  const [x = "50%", y = "50%"] = position.split(",")[0]?.trim().split(/\s+/) ?? [];
  return {
    x: left + (length(x, box.width - width) ?? 0),
    y: top + (length(y, box.height - height) ?? 0),
    width,
    height,
  };
}

/** Size of a replaced element's picture in its box, by `object-fit`. */
export function fitted(fit: string, box: Size, natural: Size): Size {
  const cover = Math.max(box.width / natural.width, box.height / natural.height);
  const contain = Math.min(box.width / natural.width, box.height / natural.height);
  const by = (factor: number): Size => ({
    width: natural.width * factor,
    height: natural.height * factor,
  });
  if (fit === "cover") return by(cover);
  if (fit === "contain") return by(contain);
  if (fit === "none") return by(1);
  if (fit === "scale-down") return by(Math.min(contain, 1));
  return box;
}

/** Size of a background picture in its box, by `background-size`. */
export function backgroundSize(value: string, box: Size, natural: Size): Size {
  const first = value.split(",")[0]?.trim() ?? "auto";
  if (first === "cover" || first === "contain") return fitted(first, box, natural);
  const [across = "auto", down = "auto"] = first.split(/\s+/);
  const width = length(across, box.width);
  const height = length(down, box.height);
  const ratio = natural.width / natural.height;
  if (width === null && height === null) return fitted("none", box, natural);
  return { width: width ?? (height ?? 0) * ratio, height: height ?? (width ?? 0) / ratio };
}

function fitOf(element: Element, style: CSSStyleDeclaration): string {
  if (element instanceof SVGImageElement) {
    const aspect = element.getAttribute("preserveAspectRatio") ?? "";
    if (aspect.includes("none")) return "fill";
    return aspect.includes("slice") ? "cover" : "contain";
  }
  return style.objectFit;
}

function positionOf(element: Element, style: CSSStyleDeclaration): string {
  if (!(element instanceof SVGImageElement)) return style.objectPosition;
  const aspect = element.getAttribute("preserveAspectRatio") ?? "";
  const share = (axis: string): string =>
    aspect.includes(`${axis}Min`) ? "0%" : aspect.includes(`${axis}Max`) ? "100%" : "50%";
  return `${share("x")} ${share("Y")}`;
}

function length(text: string, whole: number): number | null {
  const number = Number.parseFloat(text);
  if (Number.isNaN(number)) return null;
  return text.endsWith("%") ? (number / 100) * whole : number;
}


function parentOf(element: Element): Element | null {
  const root = element.parentNode;
  return element.assignedSlot ?? (root instanceof ShadowRoot ? root.host : element.parentElement);
}

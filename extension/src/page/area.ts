/** A rectangle of this frame in the coordinates of the whole tab, as a screenshot has them. */

import type { Area } from "../shared/messages";
import type { Rect } from "./place";

/** Null inside frames of another site: where they stand is not for them to know. */
export function areaInTab({ x, y, width, height }: Rect): Area | null {
  let [left, top] = [x, y];
  try {
    for (let inner: Window = window; inner !== inner.parent; inner = inner.parent) {
      const frame = inner.frameElement;
      if (frame === null) return null;
      const box = frame.getBoundingClientRect();
      left += box.left + frame.clientLeft;
      top += box.top + frame.clientTop;
    }
    return { x: left, y: top, width, height, viewport: (window.top ?? window).innerWidth };
  } catch {
    return null;
  }
}

/** happy-dom lays nothing out: tests say where elements are. */

import { vi } from "vitest";

export function at(element: Element, x: number, y: number, width: number, height: number): void {
  const rect = { x, y, width, height, left: x, top: y, right: x + width, bottom: y + height };
  vi.spyOn(element, "getBoundingClientRect").mockReturnValue({ ...rect, toJSON: () => rect });
}

/** Puts an image on the page that has loaded. */
export function image(url: string, [x, y, width, height]: readonly [number, number, number, number], natural = { width: 400, height: 300 }): HTMLImageElement {
  const element = document.createElement("img");
  element.src = url;
  Object.defineProperties(element, {
    currentSrc: { get: () => element.src },
    complete: { value: true },
    naturalWidth: { value: natural.width },
    naturalHeight: { value: natural.height },
  });
  document.body.append(element);
  at(element, x, y, width, height);
  return element;
}

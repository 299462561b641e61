/** Names for places in the page, so that the background can speak of them. */

import type { Picture } from "../shared/jobs";
import type { Sighting } from "./sighting";

/** Names of one document: those of the page before it must not be taken for ours. */
const PREFIX = Math.random().toString(36).slice(2);

export class Anchors {
  readonly #sightings = new Map<string, Sighting>();
  readonly #names = new WeakMap<Element, string>();

  /** A picture as the background knows it. */
  describe(sighting: Sighting, ...same: readonly Sighting[]): Picture {
    const { url, size, element } = sighting;
    const http = /^https?:/.test(url);
    return {
      anchors: [sighting, ...same].map((one) => this.#name(one)),
      url: http ? url : null,
      sameOrigin: http && new URL(url).origin === location.origin,
      size,
      label: labelOf(element, http ? url : ""),
    };
  }

  /** What stands behind a name; an element that left the page is gone. */
  get(anchor: string): Sighting | undefined {
    const found = this.#sightings.get(anchor);
    return found?.element.isConnected === true ? found : undefined;
  }

  #name(sighting: Sighting): string {
    const known = this.#names.get(sighting.element);
    const name = known ?? `${PREFIX}-${this.#sightings.size}`;
    this.#names.set(sighting.element, name);
    this.#sightings.set(name, sighting);
    return name;
  }
}

/** One description for each address, with every place that shows it. */
export function describeAll(anchors: Anchors, sightings: readonly Sighting[]): Picture[] {
  const byUrl = new Map<string, [Sighting, ...Sighting[]]>();
  for (const sighting of sightings) {
    const same = byUrl.get(sighting.url);
    if (same === undefined) byUrl.set(sighting.url, [sighting]);
    else same.push(sighting);
  }
  return [...byUrl.values()].map(([first, ...same]) => anchors.describe(first, ...same));
}

function labelOf(element: Element, url: string): string {
  const said = element.getAttribute("alt") ?? element.getAttribute("aria-label") ?? "";
  if (said.trim() !== "") return said.trim().slice(0, 120);
  const name = url === "" ? "" : (new URL(url).pathname.split("/").at(-1) ?? "");
  try {
    return decodeURIComponent(name).slice(0, 120);
  } catch {
    return name.slice(0, 120);
  }
}

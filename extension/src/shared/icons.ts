/** The signs of looks: shape as well as colour tells them apart. */

import { svg } from "./dom";
import type { Look } from "./jobs";

const CIRCLE = "M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19Z";
const SHAPES: Readonly<Record<Look, { outline: string; inside: string }>> = {
  fake: { outline: "M12 3 22 20.5H2Z", inside: "M12 9.5v5M12 17.2v.4" },
  unsure: {
    outline: "M8 3h8a5 5 0 0 1 5 5v8a5 5 0 0 1-5 5H8a5 5 0 0 1-5-5V8a5 5 0 0 1 5-5Z",
    inside: "M9.2 9.6c0-3.8 5.8-3.6 5.6-.2-.1 2.2-2.8 2.3-2.8 4.6M12 17.2v.4",
  },
  real: { outline: CIRCLE, inside: "M7.8 12.3l2.9 2.9 5.5-6" },
  no_face: { outline: CIRCLE, inside: "M8 12h8" },
  error: { outline: "M8 2.5h8l5.5 5.5v8L16 21.5H8L2.5 16V8Z", inside: "M9 9l6 6M15 9l-6 6" },
  waiting: { outline: CIRCLE, inside: "M12 7v5.5l3.5 2" },
  checking: { outline: "", inside: "M12 3a9 9 0 1 1-9 9" },
};

export function icon(look: Look): SVGSVGElement {
  const { outline, inside } = SHAPES[look];
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: `icon icon-${look}`, "aria-hidden": "true" },
    outline !== "" && svg("path", { class: "icon-outline", d: outline }),
    svg("path", { class: "icon-inside", d: inside }),
  );
}

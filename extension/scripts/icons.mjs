/** Renders icons/*.svg to the PNG files that browsers ask for. */

import { readFile, writeFile } from "node:fs/promises";
import { Resvg } from "@resvg/resvg-js";

const ICONS = new URL("../icons/", import.meta.url);
/** At the smallest size the thin outline would blur: that one has a drawing of its own. */
const DRAWINGS = { 16: "small.svg", 32: "mark.svg", 48: "mark.svg", 128: "store.svg" };

for (const [size, drawing] of Object.entries(DRAWINGS)) {
  const text = await readFile(new URL(drawing, ICONS), "utf8");
  const image = new Resvg(text, { fitTo: { mode: "width", value: Number(size) } }).render();
  await writeFile(new URL(`${size}.png`, ICONS), image.asPng());
}

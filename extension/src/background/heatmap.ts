/** The heatmap as a picture to lay over the page: coloured, small enough for a message. */

import type { Api } from "../shared/api";
import { toBase64 } from "../shared/bytes";

const LONGEST_SIDE = 1024;
/** Suspicion 0 to 1 as red, green, blue, opacity: the scale of the server's own page. */
const SCALE: readonly (readonly [number, number, number, number])[] = [
  [0, 0, 0, 0],
  [0.34, 0.06, 0.43, 0.55],
  [0.73, 0.21, 0.33, 0.75],
  [0.95, 0.49, 0.09, 0.82],
  [0.99, 1, 0.64, 0.88],
];

/** A PNG in base64. */
export async function heatmapOf(api: Api, check: string, signal: AbortSignal): Promise<string> {
  const bitmap = await createImageBitmap(await api.picture(check, "heatmap.png", signal));
  const shrink = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) =>
    Math.max(1, Math.round(side * shrink)),
  ) as [number, number];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const pixels = context.getImageData(0, 0, width, height);
  paint(pixels.data);
  context.putImageData(pixels, 0, 0);
  const png = await canvas.convertToBlob({ type: "image/png" });
  return toBase64(new Uint8Array(await png.arrayBuffer()));
}

/** Turns grey RGBA pixels into colours of the scale, in place. */
export function paint(data: Uint8ClampedArray): void {
  const table = Array.from({ length: 256 }, (_, grey) => colour(grey / 255));
  for (let at = 0; at < data.length; at += 4) data.set(table[data[at] ?? 0] ?? [0, 0, 0, 0], at);
}

function colour(value: number): readonly number[] {
  const step = Math.min(SCALE.length - 2, Math.floor(value * (SCALE.length - 1)));
  const part = value * (SCALE.length - 1) - step;
  const [below, above] = [SCALE[step], SCALE[step + 1]];
  return [0, 1, 2, 3].map((channel) =>
    Math.round(255 * ((below?.[channel] ?? 0) * (1 - part) + (above?.[channel] ?? 0) * part)),
  );
}

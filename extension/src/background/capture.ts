/** What the screen shows of a picture whose file cannot be read. These are other pixels than the
 * file's: the verdict is less sure, and every place that shows it says so. */

import { fromBase64 } from "../shared/bytes";
import type { Area } from "../shared/messages";
import { Trouble } from "../shared/trouble";

export async function captured(windowId: number, area: Area): Promise<Blob> {
  let screen: ImageBitmap;
  try {
    const url = await chrome.tabs.captureVisibleTab(windowId, { format: "png" });
    // Not fetched: our policy allows no data: addresses.
    const png = fromBase64(url.slice(url.indexOf(",") + 1));
    screen = await createImageBitmap(new Blob([png], { type: "image/png" }));
  } catch {
    throw new Trouble("capture_failed");
  }
  const { x, y, width, height } = inPixels(area, screen.width, screen.height);
  if (width < 16 || height < 16) throw new Trouble("capture_failed");
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.drawImage(screen, x, y, width, height, 0, 0, width, height);
  screen.close();
  return canvas.convertToBlob({ type: "image/png" });
}

/** An area of the viewport in the screenshot's own pixels, cut at its edges. */
export function inPixels(area: Area, width: number, height: number): Omit<Area, "viewport"> {
  const scale = width / area.viewport;
  const left = Math.max(0, Math.round(area.x * scale));
  const top = Math.max(0, Math.round(area.y * scale));
  const right = Math.min(width, Math.round((area.x + area.width) * scale));
  const bottom = Math.min(height, Math.round((area.y + area.height) * scale));
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

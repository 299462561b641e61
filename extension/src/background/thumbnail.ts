/** Small pictures for the list of recent checks; they never leave the browser. */

import { toBase64 } from "../shared/bytes";

const SIDE = 96;
const NAME = "thumbnail:";

export async function thumbnailOf(file: Blob): Promise<string | null> {
  try {
    const whole = await createImageBitmap(file);
    const side = Math.min(whole.width, whole.height);
    const canvas = new OffscreenCanvas(SIDE, SIDE);
    // Faces are in the upper part of portraits more often than in the lower.
    const x = (whole.width - side) / 2;
    const y = (whole.height - side) / 4;
    canvas.getContext("2d")?.drawImage(whole, x, y, side, side, 0, 0, SIDE, SIDE);
    whole.close();
    const small = await canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
    return `data:${small.type};base64,${toBase64(new Uint8Array(await small.arrayBuffer()))}`;
  } catch {
    return null; // A format that the browser does not read, such as HEIC.
  }
}

/** Keeps a job's thumbnail until the job ends, through the worker's death; none for a job that
 * was ended while it was drawn. */
export async function noteThumbnail(job: string, file: Blob, signal: AbortSignal): Promise<void> {
  const thumbnail = await thumbnailOf(file);
  if (thumbnail === null || signal.aborted) return;
  await chrome.storage.session.set({ [NAME + job]: thumbnail });
}

export async function takeThumbnail(job: string): Promise<string | null> {
  const name = NAME + job;
  const { [name]: noted } = await chrome.storage.session.get(name);
  await chrome.storage.session.remove(name);
  return typeof noted === "string" ? noted : null;
}

/** For a job that ended without a verdict, or is forgotten. */
export function dropThumbnail(job: string): void {
  void chrome.storage.session.remove(NAME + job);
}

/** The bytes of a picture as the page may read them: the file itself, never its pixels. */

import { ACCEPT } from "../shared/accept";
import type { Encoded } from "../shared/messages";
import { toBase64 } from "../shared/bytes";
import { isPageText } from "../shared/page-text";

const MOST_BYTES = 40_000_000;

export async function readPicture(url: string, signal: AbortSignal): Promise<Encoded | null> {
  if (url.startsWith("data:")) return ofData(url);
  try {
    const answer = await fetch(url, {
      // A site of its own would need to name us to be sent cookies; then none are.
      credentials: "same-origin",
      cache: "force-cache",
      headers: url.startsWith("blob:") ? {} : { Accept: ACCEPT },
      signal,
    });
    if (!answer.ok) return null;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (bytes.length === 0 || bytes.length > MOST_BYTES) return null;
    if (isPageText(answer.headers.get("Content-Type"), bytes)) return null;
    return { base64: toBase64(bytes) };
  } catch {
    return null;
  }
}

/** A data: address holds its bytes; no policy of the page is asked. */
function ofData(url: string): Encoded | null {
  const comma = url.indexOf(",");
  if (comma < 0) return null;
  // The browser has written all but ASCII as %XX; a % that stands for itself stays.
  const bytes = url.slice(comma + 1).replace(/#.*/s, "")
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return { base64: btoa(/;\s*base64\s*$/i.test(url.slice(0, comma)) ? atob(bytes) : bytes) };
  } catch {
    return null;
  }
}

/** A file that was chosen, for a message. */
export async function fileToBase64(file: Blob): Promise<string> {
  return toBase64(new Uint8Array(await file.arrayBuffer()));
}

/** The original bytes of a picture, by whichever way is open: never pixels from a canvas. */

import { ACCEPT } from "../shared/accept";
import { fromBase64 } from "../shared/bytes";
import type { Job, TabFrame } from "../shared/jobs";
import { askPage } from "../shared/messages";
import { isPageText } from "../shared/page-text";
import { getPicture } from "../shared/pictures";
import { Trouble } from "../shared/trouble";
import { mayRead } from "./permissions";

/** Larger files are for the server to refuse, but not for us to hold in memory. */
const MOST_BYTES = 64_000_000;
const SECONDS = 40;

/** The picture's file, or null where only the server might get it by its address. */
export async function obtain(job: Job, signal: AbortSignal): Promise<Blob | null> {
  if (job.stored) {
    const picture = await getPicture(job.id);
    if (picture === null) throw new Trouble("no_bytes");
    return picture;
  }
  const { url, sameOrigin } = job.picture;
  for (const way of ways(job, url, sameOrigin, signal)) {
    const file = await way();
    signal.throwIfAborted();
    if (file !== null) return file;
  }
  if (url === null) throw new Trouble("no_bytes");
  return null;
}

function* ways(
  job: Job,
  url: string | null,
  sameOrigin: boolean,
  signal: AbortSignal,
): Generator<() => Promise<Blob | null>, void, undefined> {
  const anchor = job.picture.anchors[0] ?? null;
  const fromPage = () => throughPage(job.tabFrame, anchor, url);
  if (url === null || sameOrigin) yield fromPage;
  if (url === null) return;
  yield () => directly(url, signal);
  // Sites that share their pictures with every page share them with this one too.
  if (!sameOrigin) yield fromPage;
}

/** With the browser's cookies for that site, where the person let us read it. */
async function directly(url: string, signal: AbortSignal): Promise<Blob | null> {
  if (!(await mayRead(url))) return null;
  try {
    const answer = await fetch(url, {
      credentials: "include",
      cache: "force-cache",
      headers: { Accept: ACCEPT },
      signal: AbortSignal.any([signal, AbortSignal.timeout(SECONDS * 1000)]),
    });
    const length = Number(answer.headers.get("Content-Length") ?? 0);
    if (!answer.ok || length > MOST_BYTES) return null;
    const file = await answer.blob();
    if (file.size === 0 || file.size > MOST_BYTES) return null;
    const start = new Uint8Array(await file.slice(0, 1024).arrayBuffer());
    return isPageText(answer.headers.get("Content-Type"), start) ? null : file;
  } catch {
    return null;
  }
}

/** By the page's own right to what it shows. */
async function throughPage(
  tabFrame: TabFrame | null,
  anchor: string | null,
  url: string | null,
): Promise<Blob | null> {
  if (tabFrame === null) return null;
  try {
    const answer = await askPage(tabFrame.tab, tabFrame.frame, "picture/bytes", { anchor, url });
    return answer === null ? null : new Blob([fromBase64(answer.base64)]);
  } catch {
    return null;
  }
}

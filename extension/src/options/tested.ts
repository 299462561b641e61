/** Whether the server that was set takes checks from here. */

import { Api } from "../shared/api";
import type { Failure } from "../shared/jobs";
import type { Settings } from "../shared/settings";
import { asTrouble } from "../shared/trouble";

const SECONDS = 20;
/** Firefox may still refuse a host for a moment after the person allowed it. */
const A_MOMENT = 500;

/** Null if it does. */
export async function tested(settings: Settings): Promise<Failure | null> {
  const first = await once(settings);
  if (first?.code !== "offline") return first;
  await new Promise((resolve) => setTimeout(resolve, A_MOMENT));
  return once(settings);
}

async function once(settings: Settings): Promise<Failure | null> {
  const api = new Api(settings);
  const signal = AbortSignal.timeout(SECONDS * 1000);
  try {
    await api.ready(signal);
    await api.wouldTake(signal);
    return null;
  } catch (error) {
    const { code, message, retryAfter } = asTrouble(error);
    if (signal.aborted) return { code: "offline", message: "" };
    // It stands, and knows us; it has much to do just now.
    return retryAfter === null ? { code: code === "not_found" ? "not_unmask" : code, message } : null;
  }
}

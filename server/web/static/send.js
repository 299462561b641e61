// Sends a photo, or the address of one, and waits for room if the server has none.

import { ApiError, addressOf, errorOf, pause, unreachable } from "./api.js";
import { language, text } from "./texts.js";

/** Statuses that mean "not now". */
const RETRYABLE = [429, 503];
const MAX_WAITS = 3;
/** Files of fewer bytes are sent before anybody reads their progress. */
const LARGE = 1_000_000;

/**
 * Sends bytes; resolves to the id of their check, or throws an ApiError.
 * @param {File} file
 * @param {number} limit
 * @param {(text: string) => void} onState
 */
export function sendFile(file, limit, onState) {
  if (limit && file.size > limit) {
    // The server would answer the same, but only after it received the whole file.
    throw new ApiError(text("too_large", { limit: limit / 1_000_000 }));
  }
  const onSent = (/** @type {number} */ part) => {
    if (file.size >= LARGE) onState(text("sending_part", { percent: Math.floor(part * 100) }));
  };
  return patiently(() => post(file, "application/octet-stream", onSent), onState);
}

/**
 * Sends an address; resolves to the id of its check, or throws an ApiError.
 * @param {string} url
 * @param {(text: string) => void} onState
 */
export function sendUrl(url, onState) {
  return patiently(() => post(JSON.stringify({ url }), "application/json"), onState);
}

/**
 * @param {() => Promise<Response>} send
 * @param {(text: string) => void} onState
 * @returns {Promise<string>}
 */
async function patiently(send, onState) {
  for (let waits = 0; ; waits += 1) {
    const response = await send();
    const { id } = response.ok ? await response.json().catch(() => ({})) : {};
    if (id) return id;
    if (!RETRYABLE.includes(response.status) || waits === MAX_WAITS) throw await errorOf(response);
    onState(text("waiting_for_room"));
    await pause(response, waits);
    onState(text("sending"));
  }
}

/**
 * Like fetch, which cannot tell how much of a body is sent.
 * @param {File | string} body
 * @param {string} type
 * @param {(part: number) => void} [onSent]
 * @returns {Promise<Response>}
 */
function post(body, type, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", addressOf("v1/checks?door=web"));
    request.setRequestHeader("Content-Type", type);
    request.setRequestHeader("Accept-Language", language);
    if (onSent) {
      request.upload.addEventListener("progress", (event) => {
        if (event.total) onSent(event.loaded / event.total);
      });
    }
    request.addEventListener("load", () => resolve(responseOf(request)));
    request.addEventListener("error", () => reject(unreachable()));
    request.send(body);
  });
}

/** @param {XMLHttpRequest} request */
function responseOf(request) {
  const retryAfter = request.getResponseHeader("Retry-After");
  /** @type {Record<string, string>} */
  const headers = retryAfter ? { "Retry-After": retryAfter } : {};
  return new Response(request.responseText || null, { status: request.status, headers });
}

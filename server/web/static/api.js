// What the server's responses mean: how long to wait, and what to tell people about an error.

import { errorText, text } from "./texts.js";

/**
 * An address of the server, which may lie under a path of its host: scripts lie in its folder static.
 * @param {string} path
 */
export const addressOf = (path) => new URL(`../${path}`, import.meta.url).href;

/** Seconds of the first pause and of the longest one that we choose ourselves. */
const FIRST = 1;
const LONGEST = 30;
/** A server that asks for a longer pause than this is asked again sooner. */
const MAX_PAUSE = 600;

/** The error of a request, in words for people; `code` is the server's, if it sent one. */
export class ApiError extends Error {
  /** @param {string} message @param {string | null} code */
  constructor(message, code = null) {
    super(message);
    this.code = code;
  }
}

export const unreachable = () => new ApiError(text("unreachable"));

/**
 * The error of a response that is no success. A proxy's response may be of any shape.
 * @param {Response} response
 */
export async function errorOf(response) {
  try {
    const { code, message, detail } = (await response.json()).error;
    if (code === "key_needed") return new ApiError(text("signed_out"), code);
    if (message) return new ApiError(errorText(code, detail) ?? message, code);
  } catch {
    // Not from our server.
  }
  return new ApiError(text("answered", { status: response.status }));
}

/**
 * Waits as long as the response asks (Retry-After), else longer each time; a signal ends it.
 * @param {Response | null} response
 * @param {number} times How often this was done before.
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(response, times, signal) {
  const retryAfter = Number(response?.headers.get("Retry-After"));
  const seconds = retryAfter > 0 ? Math.min(retryAfter, MAX_PAUSE) : Math.min(FIRST * 2 ** times, LONGEST);
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => resolve());
  });
}

/** What anything that was thrown says, in words for people. @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * Puts the words of an error into an element, as a link where there is a way on.
 * @param {HTMLElement} element
 * @param {unknown} error
 */
export function showError(element, error) {
  element.textContent = messageOf(error);
  if (!(error instanceof ApiError) || error.code !== "key_needed") return;
  const link = document.createElement("a");
  link.href = addressOf("");
  link.textContent = error.message;
  element.replaceChildren(link);
}

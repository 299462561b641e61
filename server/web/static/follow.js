// Follows a check by its live events, and fetches its card once it has ended.

import { addressOf, pause } from "./api.js";
import { language, text } from "./texts.js";

/** @type {Record<string, string>} */
const STATES = { queued: text("queued"), running: text("running") };
const AWAY = text("away");

/** The states in which a check no longer changes. @type {(string | undefined)[]} */
export const ENDED = ["done", "failed"];

/**
 * The card of a check once it has ended, or null if the check is gone or the signal says stop.
 * Only a 404 means gone: a server that is busy, or away for a while, is asked again.
 * @param {string | undefined} id
 * @param {(text: string) => void} onState
 * @param {AbortSignal} [signal]
 * @returns {Promise<HTMLElement | null>}
 */
export async function follow(id, onState, signal) {
  for (let times = 0; !signal?.aborted; times += 1) {
    await listen(id, onState, signal);
    if (signal?.aborted) return null;
    const { response, card } = await fetchCard(id);
    if (response?.status === 404) return null;
    if (card && ENDED.includes(card.dataset.state)) return card;
    onState(STATES[card?.dataset.state ?? ""] ?? AWAY);
    await pause(response, times, signal);
  }
  return null;
}

/**
 * Resolves when the check has ended, the stream is refused, or the signal says stop.
 * @param {string | undefined} id
 * @param {(text: string) => void} onState
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function listen(id, onState, signal) {
  return new Promise((resolve) => {
    const events = new EventSource(addressOf(`v1/checks/${id}/events`));
    const end = () => {
      events.close();
      resolve();
    };
    for (const [state, words] of Object.entries(STATES)) {
      events.addEventListener(state, () => onState(words));
    }
    events.addEventListener("done", end);
    events.addEventListener("failed", end);
    // The browser opens a broken connection again. It gives up on one that was refused, and does
    // not tell why: the response for the card will.
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) end();
      else if (events.readyState === EventSource.CONNECTING) onState(AWAY);
    });
    signal?.addEventListener("abort", end);
  });
}

/**
 * The server's response for a card, and the card, as far as they came.
 * @param {string | undefined} id
 * @returns {Promise<{ response: Response | null, card: HTMLElement | null }>}
 */
async function fetchCard(id) {
  let response = null;
  try {
    response = await fetch(addressOf(`c/${id}/card`), { headers: { "Accept-Language": language } });
    if (!response.ok) return { response, card: null };
    const template = document.createElement("template");
    // eslint-disable-next-line no-restricted-properties -- our server escapes what it did not write
    template.innerHTML = await response.text();
    resolveAddresses(template.content, response.url);
    const card = template.content.querySelector("article[data-check]");
    return { response, card: card instanceof HTMLElement ? card : null };
  } catch {
    return { response, card: null };
  }
}

/**
 * Makes the paths in a fragment absolute: they are relative to where the fragment came from.
 * @param {DocumentFragment} fragment
 * @param {string} base
 */
function resolveAddresses(fragment, base) {
  for (const name of ["href", "src"]) {
    for (const element of fragment.querySelectorAll(`[${name}]`)) {
      const { origin, pathname, search } = new URL(element.getAttribute(name) ?? "", base);
      if (origin === location.origin) element.setAttribute(name, pathname + search);
    }
  }
}

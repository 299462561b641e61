// Follows a check by its live events, and fetches its card once it has ended.

import { pause } from "./answers.js";

const STATES = { queued: "Waiting for its turn", running: "Looking at the faces" };
const AWAY = "Waiting for the server";

/**
 * The card of a check once it has ended, or null if the check is gone or the signal says stop.
 * Only a 404 means gone: a server that is busy, or away for a while, is asked again.
 */
export async function follow(id, onState, signal) {
  for (let times = 0; !signal?.aborted; times += 1) {
    await listen(id, onState, signal);
    if (signal?.aborted) return null;
    const { answer, card } = await look(id);
    if (answer?.status === 404) return null;
    if (card && ["done", "failed"].includes(card.dataset.state)) return card;
    onState(card ? STATES[card.dataset.state] : AWAY);
    await pause(answer, times, signal);
  }
  return null;
}

/** Resolves when the check has ended, the stream is refused, or the signal says stop. */
function listen(id, onState, signal) {
  return new Promise((resolve) => {
    const events = new EventSource(`/v1/checks/${id}/events`);
    const end = () => {
      events.close();
      resolve();
    };
    for (const state of Object.keys(STATES)) {
      events.addEventListener(state, () => onState(STATES[state]));
    }
    events.addEventListener("done", end);
    events.addEventListener("failed", end);
    // A connection that broke is tried again by the browser; one that was refused is not, and why
    // it was, the browser does not tell: the card will.
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) end();
      else if (events.readyState === EventSource.CONNECTING) onState(AWAY);
    });
    signal?.addEventListener("abort", end);
  });
}

/** The server's answer for a card, and the card, as far as they came. */
async function look(id) {
  let answer = null;
  try {
    answer = await fetch(`/c/${id}/card`);
    if (!answer.ok) return { answer, card: null };
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text(); // Our own server's, which escapes what it did not write.
    return { answer, card: holder.content.querySelector("article[data-check]") };
  } catch {
    return { answer, card: null };
  }
}

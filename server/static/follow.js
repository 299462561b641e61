// Follows a check by its live events, and fetches its card once it has ended.

const STATES = { queued: "Waiting for its turn", running: "Looking at the faces" };

/** Resolves when the check has ended or is gone; calls onState with words for each state. */
export function follow(id, onState) {
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
    // A connection that broke is tried again by the browser; one that was refused is not.
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) end();
    });
  });
}

/** The card of a check as an element, or null if the check is gone. */
export async function cardOf(id) {
  const answer = await fetch(`/c/${id}/card`);
  if (!answer.ok) return null;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text(); // Our own server's, which escapes what it did not write.
  return holder.content.querySelector("article");
}

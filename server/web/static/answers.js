// What the server's answers mean: how long to wait, and what to tell people when it refuses.

/** Seconds of the first pause and of the longest one that we choose ourselves. */
const FIRST = 1;
const LONGEST = 30;
/** A server that asks for more than this is asked again sooner. */
const PATIENCE = 600;

/** A request that came to nothing, in words for people; `code` is the server's, if it gave one. */
export class Refusal extends Error {
  constructor(message, code = null) {
    super(message);
    this.code = code;
  }
}

export const unreachable = () => new Refusal("The server cannot be reached. Is it running?");

/** What an answer that is no success says. A proxy's answer may be of any shape. */
export async function refusal(answer) {
  try {
    const { code, message } = (await answer.json()).error;
    if (code === "key_needed") {
      return new Refusal("You are signed out. Open the start page and sign in.", code);
    }
    if (message) return new Refusal(message, code);
  } catch {
    // Not ours.
  }
  return new Refusal(`The server answered ${answer.status}.`);
}

/** Waits as long as the answer asks (Retry-After), else longer each time; a signal ends it. */
export function pause(answer, times, signal) {
  const asked = Number(answer?.headers.get("Retry-After"));
  const seconds = asked > 0 ? Math.min(asked, PATIENCE) : Math.min(FIRST * 2 ** times, LONGEST);
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", resolve);
  });
}

/** For those who listen to the page. */
export function say(text) {
  const said = document.getElementById("said");
  if (said) said.textContent = text;
}

/** Puts the words of a refusal into an element, with the way on where there is one. */
export function show(element, error) {
  element.textContent = error.message;
  if (error.code !== "key_needed") return;
  const link = document.createElement("a");
  link.href = "/";
  link.textContent = error.message;
  element.replaceChildren(link);
}

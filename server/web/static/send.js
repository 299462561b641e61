// Sends a photo, or the address of one, and waits for room where there is none just now.

import { Refusal, pause, refusal, unreachable } from "./answers.js";

/** Answers that mean "not now". */
const LATER = [429, 503];
const MOST_WAITS = 3;
/** Files of fewer bytes are sent before anybody reads how far they are. */
const LARGE = 1_000_000;

/** Sends bytes; resolves to the id of their check, or throws a Refusal. */
export function sendFile(file, limit, onState) {
  if (limit && file.size > limit) {
    // The server would say the same, but only after the whole of it was sent.
    throw new Refusal(`The file is larger than ${limit.toLocaleString("en")} bytes.`);
  }
  const sent = (part) => {
    if (file.size >= LARGE) onState(`Sending, ${Math.floor(part * 100)} %`);
  };
  return patiently(() => post(file, "application/octet-stream", sent), onState);
}

/** Sends an address; resolves to the id of its check, or throws a Refusal. */
export function sendUrl(url, onState) {
  return patiently(() => post(JSON.stringify({ url }), "application/json"), onState);
}

async function patiently(ask, onState) {
  for (let waits = 0; ; waits += 1) {
    const answer = await ask();
    const { id } = answer.ok ? await answer.json().catch(() => ({})) : {};
    if (id) return id;
    if (!LATER.includes(answer.status) || waits === MOST_WAITS) throw await refusal(answer);
    onState("Waiting for room");
    await pause(answer, waits);
    onState("Sending");
  }
}

/** Like fetch, which cannot tell how much of a body is sent. */
function post(body, type, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/checks?door=web");
    request.setRequestHeader("Content-Type", type);
    if (onSent) {
      request.upload.addEventListener("progress", (event) => {
        if (event.total) onSent(event.loaded / event.total);
      });
    }
    request.addEventListener("load", () => resolve(answerOf(request)));
    request.addEventListener("error", () => reject(unreachable()));
    request.send(body);
  });
}

function answerOf(request) {
  const later = request.getResponseHeader("Retry-After");
  const headers = later ? { "Retry-After": later } : {};
  return new Response(request.responseText || null, { status: request.status, headers });
}

// The layers of a picture's traces of saving: the server draws one when it is shown, which may take
// a while, and may fail. The switch itself is a matter of the style sheet, and works without this.

import { errorOf, messageOf, unreachable } from "./api.js";
import { text } from "./texts.js";

document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.dataset.trace === undefined) return;
  const viewer = target.closest(".viewer");
  say(viewer, "");
  const image = viewer?.querySelector(`[data-trace-of="${target.dataset.trace}"]`);
  if (!(image instanceof HTMLImageElement) || image.dataset.state === "drawn") return;
  say(viewer, text("drawing_layer"));
  if (image.dataset.state === "failed") image.setAttribute("src", image.src); // asks again
  image.dataset.state = "wanted";
});

// Neither event bubbles.
document.addEventListener("load", ({ target }) => ended(target, "drawn"), true);
document.addEventListener("error", ({ target }) => ended(target, "failed"), true);

/**
 * Notes what became of a layer, and says why there is none.
 * @param {EventTarget | null} image
 * @param {"drawn" | "failed"} state
 */
async function ended(image, state) {
  if (!(image instanceof HTMLImageElement) || image.dataset.traceOf === undefined) return;
  image.dataset.state = state;
  const viewer = image.closest(".viewer");
  const why = state === "failed" ? await reason(image.src) : "";
  const chosen = viewer?.querySelector("[data-trace]:checked");
  if (chosen instanceof HTMLElement && chosen.dataset.trace === image.dataset.traceOf) say(viewer, why);
}

/** Why the server sends no picture: an image does not tell. @param {string} address */
async function reason(address) {
  try {
    const response = await fetch(address);
    return messageOf(response.ok ? unreachable() : await errorOf(response)); // it was, a moment ago
  } catch {
    return messageOf(unreachable());
  }
}

/** @param {Element | null | undefined} viewer @param {string} words */
function say(viewer, words) {
  const line = viewer?.querySelector(".trace-state");
  if (line) line.textContent = words;
}

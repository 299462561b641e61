// What a card does: copy its link, remove its check, pass the focus on.

import { addressOf, errorOf, showError, unreachable } from "./api.js";
import { announce } from "./dom.js";
import "./layers.js";
import { text } from "./texts.js";

/**
 * Make a card's buttons work; onRemoved is called when the check is gone.
 * @param {HTMLElement} card
 * @param {() => void} onRemoved
 */
export function enhance(card, onRemoved) {
  const share = card.querySelector("[data-share]");
  if (share instanceof HTMLAnchorElement) {
    share.addEventListener("click", (event) => {
      if (!navigator.clipboard) return; // The link itself still leads to the page.
      event.preventDefault();
      copy(share);
    });
  }
  const remove = card.querySelector("[data-remove]");
  if (remove instanceof HTMLButtonElement) {
    remove.hidden = false;
    remove.addEventListener("click", () =>
      confirmed(remove, () => removeCheck(card, remove, onRemoved)),
    );
  }
}

/**
 * Puts the focus on the first control of an element, or on the page's content if it has none.
 * @param {Element | null} element
 */
export function focusIn(element) {
  const control = element?.querySelector("a[href], button:not([hidden]), input");
  const target = control instanceof HTMLElement ? control : document.getElementById("main");
  target?.focus();
}

/** @param {HTMLAnchorElement} link */
async function copy(link) {
  const label = link.textContent;
  try {
    await navigator.clipboard.writeText(link.href);
  } catch {
    location.assign(link.href);
    return;
  }
  link.textContent = text("copied");
  announce(text("link_copied"));
  setTimeout(() => (link.textContent = label), 2000);
}

/**
 * The first press asks, the second within four seconds does it.
 * @param {HTMLButtonElement} button
 * @param {() => void} act
 */
function confirmed(button, act) {
  if (button.dataset.confirming) {
    act();
    return;
  }
  const label = button.textContent;
  button.dataset.confirming = "yes";
  button.textContent = text("remove_for_good");
  announce(text("press_again"));
  setTimeout(() => {
    delete button.dataset.confirming;
    button.textContent = label;
  }, 4000);
}

/**
 * @param {HTMLElement} card
 * @param {HTMLButtonElement} button
 * @param {() => void} onRemoved
 */
async function removeCheck(card, button, onRemoved) {
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true"); // `disabled` would take the focus from it.
  card.querySelector(".alert")?.remove();
  try {
    await deleteCheck(card.dataset.check);
  } catch (error) {
    showBelow(button, error);
    return;
  } finally {
    button.removeAttribute("aria-disabled");
  }
  announce(text("removed"));
  onRemoved();
}

/** Deletes a check, or throws an ApiError. @param {string | undefined} id */
async function deleteCheck(id) {
  let response;
  try {
    response = await fetch(addressOf(`v1/checks/${id}`), { method: "DELETE" });
  } catch {
    throw unreachable();
  }
  if (!response.ok && response.status !== 404) throw await errorOf(response);
}

/** @param {HTMLButtonElement} button @param {unknown} error */
function showBelow(button, error) {
  const alert = document.createElement("p");
  alert.className = "alert";
  alert.setAttribute("role", "alert");
  showError(alert, error);
  button.closest(".actions")?.after(alert);
}

// What a card does besides showing: copy its link, remove its check, pass the focus on.

import { refusal, say, show, unreachable } from "./answers.js";

/** Give a card's buttons their work; onRemoved is called when the check is gone. */
export function enhance(card, onRemoved) {
  const share = card.querySelector("[data-share]");
  share?.addEventListener("click", (event) => {
    if (!navigator.clipboard) return; // The link itself still leads to the page.
    event.preventDefault();
    copy(share);
  });
  const remove = card.querySelector("[data-remove]");
  if (remove) {
    remove.hidden = false;
    remove.addEventListener("click", () =>
      confirmed(remove, () => removeCheck(card, remove, onRemoved)),
    );
  }
}

/** Puts the focus on the first control of an element, or on the page's content if it has none. */
export function focusIn(element) {
  const control = element?.querySelector("a[href], button:not([hidden]), input");
  (control ?? document.getElementById("main")).focus();
}

async function copy(link) {
  const words = link.textContent;
  try {
    await navigator.clipboard.writeText(link.href);
  } catch {
    location.assign(link.href);
    return;
  }
  link.textContent = "Copied";
  say("The link was copied.");
  setTimeout(() => (link.textContent = words), 2000);
}

/** The first press asks, the second within four seconds does it. */
function confirmed(button, act) {
  if (button.dataset.asked) {
    act();
    return;
  }
  const words = button.textContent;
  button.dataset.asked = "yes";
  button.textContent = "Remove for good?";
  say("Press again to remove this check for good.");
  setTimeout(() => {
    delete button.dataset.asked;
    button.textContent = words;
  }, 4000);
}

async function removeCheck(card, button, onRemoved) {
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true"); // `disabled` would take the focus from it.
  card.querySelector(".alert")?.remove();
  try {
    await ask(card.dataset.check);
  } catch (error) {
    complain(button, error);
    return;
  } finally {
    button.removeAttribute("aria-disabled");
  }
  say("The check was removed.");
  onRemoved();
}

/** Has a check removed, or throws a Refusal. */
async function ask(id) {
  let answer;
  try {
    answer = await fetch(`/v1/checks/${id}`, { method: "DELETE" });
  } catch {
    throw unreachable();
  }
  if (!answer.ok && answer.status !== 404) throw await refusal(answer);
}

function complain(button, error) {
  const told = document.createElement("p");
  told.className = "alert";
  told.setAttribute("role", "alert");
  show(told, error);
  button.closest(".actions").after(told);
}

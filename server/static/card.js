// What a finished card does besides showing: copy its link, remove its check.

export function say(text) {
  const said = document.getElementById("said");
  if (said) said.textContent = text;
}

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
    remove.addEventListener("click", () => confirmed(remove, () => removeCheck(card, onRemoved)));
  }
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

async function removeCheck(card, onRemoved) {
  const answer = await fetch(`/v1/checks/${card.dataset.check}`, { method: "DELETE" });
  if (!answer.ok && answer.status !== 404) {
    const { error } = await answer.json();
    const told = document.createElement("p");
    told.className = "alert";
    told.setAttribute("role", "alert");
    told.textContent = error.message;
    card.querySelector(".actions").after(told);
    return;
  }
  say("The check was removed.");
  onRemoved();
}

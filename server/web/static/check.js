// The page of one check: live while it is under way.

import { addressOf } from "./api.js";
import { enhance, focusIn } from "./card.js";
import { announce, cardIn, get } from "./dom.js";
import { ENDED, follow } from "./follow.js";

const card = cardIn(document);
const leave = () => location.assign(addressOf(""));

enhance(card, leave);
if (!ENDED.includes(card.dataset.state)) {
  const state = get(card, ".state-text", HTMLElement);
  const ended = await follow(card.dataset.check, (text) => (state.textContent = text));
  if (ended) {
    const hadFocus = card.contains(document.activeElement);
    card.replaceWith(ended);
    enhance(ended, leave);
    if (hadFocus) focusIn(ended);
    announce(get(ended, "h2", HTMLElement).textContent);
  } else {
    location.reload();
  }
}

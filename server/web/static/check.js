// The page of one check: live while it is under way.

import { say } from "./answers.js";
import { enhance, focusIn } from "./card.js";
import { follow } from "./follow.js";

const card = document.querySelector("article[data-check]");
const leave = () => location.assign("/");

enhance(card, leave);
if (!["done", "failed"].includes(card.dataset.state)) {
  const words = card.querySelector(".state-text");
  const ended = await follow(card.dataset.check, (text) => (words.textContent = text));
  if (ended) {
    const held = card.contains(document.activeElement);
    card.replaceWith(ended);
    enhance(ended, leave);
    if (held) focusIn(ended);
    say(ended.querySelector("h2").textContent);
  } else {
    location.reload();
  }
}

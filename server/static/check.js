// The page of one check: live while it is under way.

import { enhance } from "./card.js";
import { cardOf, follow } from "./follow.js";

const card = document.querySelector("article[data-check]");
const leave = () => location.assign("/");

if (card.dataset.state === "done") {
  enhance(card, leave);
} else if (card.dataset.state !== "failed") {
  const id = card.dataset.check;
  await follow(id, (words) => (card.querySelector(".state-text").textContent = words));
  const ended = await cardOf(id);
  if (ended) {
    card.replaceWith(ended);
    enhance(ended, leave);
    document.getElementById("said").textContent = ended.querySelector("h2").textContent;
  } else {
    location.reload();
  }
}

// The start page: photos come by drop, paste, choice or address, and each becomes a card.

import { enhance, say } from "./card.js";
import { cardOf, follow } from "./follow.js";
import { turns } from "./turns.js";

const form = document.getElementById("drop");
const cards = document.getElementById("cards");
const uploading = turns(2);
const following = turns(3);

if (form) {
  listen();
  for (const id of history.state?.checks ?? []) restore(id);
}

function listen() {
  const file = document.getElementById("file");
  const url = document.getElementById("url");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (url.value.trim()) checkUrl(url.value.trim());
    else url.focus();
    url.value = "";
  });
  const take = () => {
    checkFiles(file.files);
    file.value = "";
  };
  file.addEventListener("change", take);
  take(); // What was chosen before this script was there.
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) {
      event.preventDefault();
      checkFiles(event.clipboardData.files);
    } else if (!event.target.closest("input")) {
      checkText(event.clipboardData.getData("text/plain"));
    }
  });
  listenForDrops();
}

function listenForDrops() {
  let depth = 0; // Entering a child comes before leaving its parent.
  const over = (change) => {
    depth = Math.max(0, depth + change);
    form.classList.toggle("is-over", depth > 0);
  };
  document.addEventListener("dragenter", () => over(1));
  document.addEventListener("dragleave", () => over(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(-depth);
    const { files } = event.dataTransfer;
    if (files.length) checkFiles(files);
    else checkText(event.dataTransfer.getData("text/uri-list").split("\n")[0]);
  });
}

function checkFiles(files) {
  for (const file of files) {
    const card = pending(file.name, URL.createObjectURL(file));
    const headers = { "Content-Type": "application/octet-stream" };
    run(card, () => send({ method: "POST", headers, body: file }));
  }
}

function checkText(text) {
  if (/^https?:\/\//.test(text.trim())) checkUrl(text.trim());
}

function checkUrl(url) {
  const card = pending(url.replace(/^https?:\/\//, ""), null);
  const headers = { "Content-Type": "application/json" };
  run(card, () => send({ method: "POST", headers, body: JSON.stringify({ url }) }));
}

/** A card for a photo under way, put on top of the others. */
function pending(name, preview) {
  const item = document.getElementById("pending").content.firstElementChild.cloneNode(true);
  item.querySelector("h2").textContent = name;
  item.dataset.name = name;
  const picture = item.querySelector("img");
  if (preview) {
    picture.src = preview;
    picture.addEventListener("error", () => picture.removeAttribute("src"));
    item.dataset.preview = preview;
  }
  cards.prepend(item);
  return item;
}

async function run(item, start) {
  let id;
  try {
    id = await uploading(start);
  } catch (error) {
    fail(item, error.message);
    return;
  }
  item.dataset.check = id;
  item.querySelector(".state-text").textContent = "Waiting for its turn";
  remember();
  await finish(item, id);
}

/** Sends one picture; the id of its check, or an error with words for people. */
async function send(request) {
  let answer;
  try {
    answer = await fetch("/v1/checks?door=web", request);
  } catch {
    throw new Error("The server cannot be reached. Is it running?");
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error.message);
  return body.id;
}

async function finish(item, id) {
  const state = item.querySelector(".state-text");
  await following(() => follow(id, (words) => (state.textContent = words)));
  const card = await cardOf(id);
  if (!card) {
    forget(item);
    return;
  }
  item.replaceChildren(card);
  enhance(card, () => forget(item));
  say(`${item.dataset.name ?? "Photo"}: ${card.querySelector("h2").textContent}`);
  if (item.dataset.preview) URL.revokeObjectURL(item.dataset.preview);
}

function fail(item, message) {
  const card = item.firstElementChild;
  card.classList.replace("is-pending", "is-failed");
  card.querySelector(".state-text").textContent = message;
  const dismiss = card.querySelector(".dismiss");
  dismiss.hidden = false;
  dismiss.addEventListener("click", () => item.remove());
  say(`${item.dataset.name}: ${message}`);
}

/** A check from before the page was loaded anew. */
function restore(id) {
  const item = pending("A photo", null);
  item.dataset.check = id;
  finish(item, id);
}

function forget(item) {
  item.remove();
  remember();
}

/** The ids live in this tab's history alone, so that going back or reloading finds them. */
function remember() {
  const ids = [...cards.children].map((item) => item.dataset.check).filter(Boolean);
  history.replaceState({ checks: ids.reverse() }, "");
}

// The start page: photos come by drop, paste, choice or address, and each becomes a card.

import { say, show } from "./answers.js";
import { enhance, focusIn } from "./card.js";
import { follow } from "./follow.js";
import { sendFile, sendUrl } from "./send.js";
import { turns } from "./turns.js";

const form = document.getElementById("drop");
const cards = document.getElementById("cards");
const uploading = turns(2);
const following = turns(3);

if (form) {
  listen();
  for (const check of history.state?.checks ?? []) restore(check);
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
  if (files.length > 1) say(`${files.length} photos: sending`);
  else if (files.length) say(`${files[0].name}: sending`);
  const limit = Number(form.dataset.maxBytes);
  for (const file of files) {
    const item = pending(file.name, URL.createObjectURL(file));
    run(item, () => sendFile(file, limit, stateOf(item)));
  }
}

function checkText(text) {
  if (/^https?:\/\//.test(text.trim())) checkUrl(text.trim());
}

function checkUrl(url) {
  const item = pending(url.replace(/^https?:\/\//, ""), null);
  say(`${item.dataset.name}: sending`);
  run(item, () => sendUrl(url, stateOf(item)));
}

/** An item for a photo under way, put on top of the others. */
function pending(name, preview) {
  const item = document.getElementById("pending").content.firstElementChild.cloneNode(true);
  item.querySelector("h2").textContent = name ?? "A photo";
  if (name) item.dataset.name = name;
  const picture = item.querySelector("img");
  if (preview) {
    picture.src = preview;
    picture.addEventListener("error", () => picture.removeAttribute("src"));
    item.dataset.preview = preview;
  }
  cards.prepend(item);
  return item;
}

/** Changes the words that say where an item stands. */
function stateOf(item) {
  const words = item.querySelector(".state-text");
  return (text) => (words.textContent = text);
}

async function run(item, start) {
  let id;
  try {
    id = await uploading(start);
  } catch (error) {
    fail(item, error);
    return;
  }
  stateOf(item)("Waiting for its turn");
  item.dataset.check = id;
  remember();
  await finish(item, id);
}

async function finish(item, id) {
  const removed = new AbortController();
  const under = item.firstElementChild;
  under.dataset.check = id;
  enhance(under, () => {
    removed.abort();
    forget(item);
  });
  const card = await following(() => follow(id, stateOf(item), removed.signal));
  if (removed.signal.aborted) return;
  if (!card) {
    say(`${item.dataset.name ?? "Photo"}: removed, or expired`);
    forget(item);
    return;
  }
  named(card, item);
  if (card.dataset.state === "failed") card.prepend(under.querySelector(".pending-picture"));
  else release(item);
  const held = item.contains(document.activeElement);
  item.replaceChildren(card);
  enhance(card, () => forget(item));
  if (held) focusIn(item);
  say(`${item.dataset.name ?? "Photo"}: ${card.querySelector("h2").textContent}`);
}

/** Shows a photo's name above what was found: only this page knows it, the server never does. */
function named(card, item) {
  if (!item.dataset.name) return;
  const heading = card.querySelector("h2");
  const name = document.createElement("p");
  name.className = "file-name";
  name.id = `n-${card.dataset.check}`;
  name.textContent = item.dataset.name;
  (heading.closest("header") ?? heading).before(name);
  card.setAttribute("aria-labelledby", `${name.id} ${heading.id}`);
}

function fail(item, error) {
  const card = item.firstElementChild;
  card.classList.replace("is-pending", "is-failed");
  show(card.querySelector(".state-text"), error);
  const dismiss = card.querySelector(".dismiss");
  dismiss.hidden = false;
  dismiss.addEventListener("click", () => forget(item));
  say(`${item.dataset.name}: ${error.message}`);
}

/** A check from before the page was loaded anew. */
function restore({ id, name }) {
  const item = pending(name, null);
  item.dataset.check = id;
  finish(item, id);
}

/** Takes an item off the page; whoever stood in it goes on to the next one. */
function forget(item) {
  const near = item.nextElementSibling ?? item.previousElementSibling;
  const held = item.contains(document.activeElement);
  item.remove();
  release(item);
  remember();
  if (held) focusIn(near);
}

/** Lets go of the photo's bytes, which the preview holds. */
function release(item) {
  if (item.dataset.preview) URL.revokeObjectURL(item.dataset.preview);
  delete item.dataset.preview;
}

/** Ids and names live in this tab's history alone, so that going back or reloading finds them. */
function remember() {
  const sent = [...cards.children].filter((item) => item.dataset.check);
  const checks = sent.map(({ dataset }) => ({ id: dataset.check, name: dataset.name }));
  history.replaceState({ checks: checks.reverse() }, "");
}

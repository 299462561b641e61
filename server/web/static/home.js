// The start page: photos come by drop, paste, choice or address, and each becomes a card.

import { ApiError, messageOf, showError } from "./api.js";
import { enhance, focusIn } from "./card.js";
import { limited } from "./concurrency.js";
import { announce, get } from "./dom.js";
import { follow } from "./follow.js";
import { sendFile, sendUrl } from "./send.js";
import { text } from "./texts.js";

/** A check as the history of this tab keeps it. @typedef {{ id: string, name?: string }} Sent */

const form = document.getElementById("drop");
const upload = limited(2);
const followOne = limited(3);

if (form) {
  listen(form);
  for (const check of history.state?.checks ?? []) restore(check);
}

/** The list of cards, which is there where the form is. */
function list() {
  return get(document, "#cards", HTMLOListElement);
}

/** @param {HTMLElement} form */
function listen(form) {
  const file = get(form, "#file", HTMLInputElement);
  const url = get(form, "#url", HTMLInputElement);
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
  take(); // Files that people chose before this script ran.
  document.addEventListener("paste", (event) => {
    const { target, clipboardData } = event;
    if (clipboardData?.files.length) {
      event.preventDefault();
      checkFiles(clipboardData.files);
    } else if (!(target instanceof Element && target.closest("input"))) {
      checkText(clipboardData?.getData("text/plain"));
    }
  });
  listenForDrops(form);
}

/** @param {HTMLElement} form */
function listenForDrops(form) {
  let depth = 0; // Entering a child comes before leaving its parent.
  const changeDepth = (/** @type {number} */ change) => {
    depth = Math.max(0, depth + change);
    form.classList.toggle("is-over", depth > 0);
  };
  document.addEventListener("dragenter", () => changeDepth(1));
  document.addEventListener("dragleave", () => changeDepth(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    changeDepth(-depth);
    const files = event.dataTransfer?.files;
    if (files?.length) checkFiles(files);
    else checkText(event.dataTransfer?.getData("text/uri-list").split("\n")[0]);
  });
}

/** @param {FileList | null} files */
function checkFiles(files) {
  if (!files?.length) return;
  announce(files.length > 1 ? text("photos_sending", { number: files.length }) : text("name_sending", { name: files[0]?.name ?? "" }));
  const limit = Number(form?.dataset.maxBytes);
  for (const file of files) {
    const item = addItem(file.name, URL.createObjectURL(file));
    run(item, () => sendFile(file, limit, stateSetter(item)));
  }
}

/** Takes the address that words are, or says that they are none. @param {string | undefined} words */
function checkText(words) {
  const url = words?.trim() ?? "";
  if (/^(https?:\/\/|data:)/i.test(url)) {
    checkUrl(url);
  } else if (url) {
    const item = addItem(shortened(url), null);
    showFailure(item, new ApiError(text("no_address")));
  }
}

/** A text that is short enough for a heading. @param {string} text */
const shortened = (text) => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

/** @param {string} url */
function checkUrl(url) {
  const name = /^data:/i.test(url) ? text("a_photo") : shortened(url.replace(/^https?:\/\//i, ""));
  const item = addItem(name, null);
  announce(text("name_sending", { name: item.dataset.name ?? "" }));
  run(item, () => sendUrl(url, stateSetter(item)));
}

/**
 * An item for a photo under way, put on top of the others.
 * @param {string | undefined} name
 * @param {string | null} preview The URL of the photo's bytes.
 */
function addItem(name, preview) {
  const template = get(document, "#pending", HTMLTemplateElement);
  const item = get(template.content, "li", HTMLLIElement).cloneNode(true);
  if (!(item instanceof HTMLLIElement)) throw new TypeError("A clone is what it was cloned from.");
  get(item, "h2", HTMLElement).textContent = name ?? text("a_photo");
  if (name) item.dataset.name = name;
  if (preview) {
    const picture = get(item, "img", HTMLImageElement);
    picture.src = preview;
    picture.addEventListener("error", () => picture.removeAttribute("src"));
    item.dataset.preview = preview;
  }
  list().prepend(item);
  return item;
}

/** A function that sets the text of an item's state. @param {HTMLElement} item */
function stateSetter(item) {
  const element = get(item, ".state-text", HTMLElement);
  return (/** @type {string} */ words) => {
    element.textContent = words;
  };
}

/**
 * @param {HTMLElement} item
 * @param {() => string | Promise<string>} send Sends the photo, and resolves to its check's id.
 */
async function run(item, send) {
  let id;
  try {
    id = await upload(send);
  } catch (error) {
    showFailure(item, error);
    return;
  }
  stateSetter(item)(text("queued"));
  item.dataset.check = id;
  remember();
  await finish(item, id);
}

/** @param {HTMLElement} item @param {string} id */
async function finish(item, id) {
  const removed = new AbortController();
  const pending = get(item, "article", HTMLElement);
  pending.dataset.check = id;
  enhance(pending, () => {
    removed.abort();
    forget(item);
  });
  const card = await followOne(() => follow(id, stateSetter(item), removed.signal));
  if (removed.signal.aborted) return;
  if (!card) {
    announce(text("name_gone", { name: item.dataset.name ?? text("a_photo") }));
    forget(item);
    return;
  }
  addName(card, item.dataset.name);
  if (card.dataset.state === "failed") card.prepend(get(pending, ".pending-picture", HTMLElement));
  else release(item);
  const hadFocus = item.contains(document.activeElement);
  item.replaceChildren(card);
  enhance(card, () => forget(item));
  if (hadFocus) focusIn(item);
  announce(`${item.dataset.name ?? text("a_photo")}: ${get(card, "h2", HTMLElement).textContent}`);
}

/**
 * Shows a photo's name above the verdict. Only this page knows the name, the server never does.
 * @param {HTMLElement} card
 * @param {string | undefined} fileName
 */
function addName(card, fileName) {
  if (!fileName) return;
  const heading = get(card, "h2", HTMLElement);
  const name = document.createElement("p");
  name.className = "file-name";
  name.id = `n-${card.dataset.check}`;
  name.textContent = fileName;
  (heading.closest("header") ?? heading).before(name);
  card.setAttribute("aria-labelledby", `${name.id} ${heading.id}`);
}

/** @param {HTMLElement} item @param {unknown} error */
function showFailure(item, error) {
  const card = get(item, "article", HTMLElement);
  card.classList.replace("is-pending", "is-failed");
  showError(get(card, ".state-text", HTMLElement), error);
  const dismiss = get(card, ".dismiss", HTMLButtonElement);
  dismiss.hidden = false;
  dismiss.addEventListener("click", () => forget(item));
  announce(`${item.dataset.name}: ${messageOf(error)}`);
}

/** Shows a check from before the page was loaded again. @param {Sent} check */
function restore({ id, name }) {
  const item = addItem(name, null);
  item.dataset.check = id;
  finish(item, id);
}

/** Takes an item off the page; the focus, if it was in it, goes to the next. @param {HTMLElement} item */
function forget(item) {
  const neighbour = item.nextElementSibling ?? item.previousElementSibling;
  const hadFocus = item.contains(document.activeElement);
  item.remove();
  release(item);
  remember();
  if (hadFocus) focusIn(neighbour);
}

/** Lets go of the photo's bytes, which the preview holds. @param {HTMLElement} item */
function release(item) {
  if (item.dataset.preview) URL.revokeObjectURL(item.dataset.preview);
  delete item.dataset.preview;
}

/** Ids and names live in this tab's history alone, so that going back or reloading finds them. */
function remember() {
  const checks = [];
  for (const item of list().children) {
    if (!(item instanceof HTMLElement) || !item.dataset.check) continue;
    checks.unshift({ id: item.dataset.check, name: item.dataset.name });
  }
  history.replaceState({ checks }, "");
}

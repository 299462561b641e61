// What scripts add to the desk's pages, which are forms: keys, live updates and presence.

import { announce } from "./dom.js";
import "./layers.js";
import { text } from "./texts.js";

const desk = /** @type {HTMLElement} */ (document.querySelector(".desk"));
const { team, root, page } = desk.dataset;
const api = `${root}v1/teams/${team}`;
const openCase = desk.dataset.case ? Number(desk.dataset.case) : null;
/** Milliseconds between two signs of life, and between typing and the last sign of work. */
const BEAT = 10_000;
const WORKING = 5 * 60_000;

let lastInput = Date.now();

// ---- keys

const KEYS = "unmask-desk-keys";
const areKeysOn = () => localStorage.getItem(KEYS) !== "off";

/** Whether a press of a key belongs to the page, and to no field, menu or dialog. @param {KeyboardEvent} event */
function isOurs(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  if (document.querySelector("dialog[open]") || !areKeysOn()) return false;
  const at = event.target;
  if (!(at instanceof HTMLElement)) return true;
  if (at.isContentEditable || at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement) return false;
  return !(at instanceof HTMLInputElement) || ["checkbox", "radio", "button"].includes(at.type);
}

/** The rows of the queue. */
const rows = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".row-case")]);

/** Chooses the row `by` further, and puts the focus on its title. @param {number} by */
function move(by) {
  const all = rows();
  if (!all.length) return;
  const present = all.findIndex((row) => row.classList.contains("is-chosen"));
  const next = Math.min(Math.max(present + by, 0), all.length - 1);
  for (const row of all) row.classList.toggle("is-chosen", row === all[next]);
  /** @type {HTMLElement | null} */ (all[next]?.querySelector(".row-title"))?.focus();
}

/** @type {Record<string, () => void>} */
const commands = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => document.getElementById("q")?.focus(),
  "?": () => showKeys(),
};

document.addEventListener("keydown", (event) => {
  if (!isOurs(event)) return;
  const command = commands[event.key];
  const control = command ? null : document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!command && !(control instanceof HTMLElement)) return;
  event.preventDefault();
  if (command) command();
  else use(/** @type {HTMLElement} */ (control));
});

/** Does what a control does: opens what hides it, ticks it, presses it, or puts the focus in. @param {HTMLElement} control */
function use(control) {
  control.closest("details")?.setAttribute("open", "");
  if (control instanceof HTMLInputElement && control.type === "text") control.focus();
  else control.click();
  if (control instanceof HTMLInputElement) control.focus();
}

function showKeys() {
  const dialog = document.getElementById("keys");
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
}

const help = document.querySelector("[data-help]");
if (help instanceof HTMLButtonElement) {
  help.hidden = false;
  help.addEventListener("click", showKeys);
}
const keysOn = document.querySelector("[data-keys-on]");
if (keysOn instanceof HTMLInputElement) {
  keysOn.checked = areKeysOn();
  keysOn.addEventListener("change", () => localStorage.setItem(KEYS, keysOn.checked ? "on" : "off"));
}

// ---- live updates: ids alone come; what is shown is asked for again

/** Cases that changed since the page was made. @type {Set<number>} */
const changed = new Set();
const news = document.querySelector(".news");
const newsButton = document.querySelector("[data-news]");
newsButton?.addEventListener("click", () => location.reload());

/** Tells that something changed, without moving what the person reads. @param {string} words */
function tell(words) {
  if (!(news instanceof HTMLElement) || !newsButton) return;
  news.hidden = false;
  if (newsButton.textContent === words) return;
  newsButton.textContent = words;
  announce(words);
}

/** @param {number} number @param {number} version */
function onCase(number, version) {
  if (page === "case") {
    if (number === openCase && version > Number(desk.dataset.version)) tell(text("case_changed"));
    return;
  }
  changed.add(number);
  const row = document.querySelector(`.row-case[data-case="${number}"]`);
  if (row) refresh();
  else tell(text("cases_changed", { number: changed.size }));
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let refreshing;

/** Asks for the rows again, soon, and swaps those that are shown; chosen ones stay so. */
function refresh() {
  clearTimeout(refreshing);
  refreshing = setTimeout(async () => {
    const response = await fetch(`${root}t/${team}/rows?${desk.dataset.query}`).catch(() => null);
    if (!response?.ok) return;
    const holder = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const row of rows()) {
      const fresh = holder.querySelector(`.row-case[data-case="${row.dataset.case}"]`);
      if (!(fresh instanceof HTMLElement)) continue;
      keepChoices(row, fresh);
      if (!fresh.isEqualNode(row)) row.replaceWith(fresh);
    }
  }, 300);
}

/** @param {HTMLElement} old @param {HTMLElement} fresh */
function keepChoices(old, fresh) {
  fresh.classList.toggle("is-chosen", old.classList.contains("is-chosen"));
  const was = old.querySelector("input");
  const is = fresh.querySelector("input");
  if (was && is) is.checked = was.checked;
}

if (page) {
  const events = new EventSource(`${api}/events`);
  events.addEventListener("case", (event) => {
    const { case: number, version } = JSON.parse(event.data);
    if (number) onCase(Number(number), Number(version || 0));
  });
  events.addEventListener("again", () => {
    if (page === "queue") refresh();
  });
  addEventListener("pagehide", () => events.close());
}

// ---- presence, and a claim that is held while the person works

for (const kind of ["keydown", "pointerdown", "input"]) {
  addEventListener(kind, () => (lastInput = Date.now()), { passive: true });
}

/** @param {object} body @param {boolean} [last] */
function put(body, last = false) {
  const request = { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), keepalive: last };
  return fetch(`${api}/presence`, request).catch(() => null);
}

async function beat() {
  if (document.hidden) return;
  await put({ case: openCase });
  const until = desk.dataset.until;
  if (!("mine" in desk.dataset) || !until || Date.now() - lastInput > WORKING) return;
  const left = Date.parse(until) - Date.now();
  if (left > 0 && left < 10 * 60_000) await extend();
  else if (left <= 0) tell(text("claim_lapsed"));
}

/** Holds the claim longer. */
async function extend() {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
  const response = await fetch(`${api}/cases/${openCase}/extend`, request).catch(() => null);
  if (!response?.ok) return;
  const record = await response.json();
  desk.dataset.until = record.claimed_until;
  desk.dataset.version = record.version;
}

if (page) {
  beat();
  setInterval(beat, BEAT);
  addEventListener("pagehide", () => put({ gone: true }, true));
}

// Drafts: what a person writes into a form stays until it is sent, also over a lapse or a reload.

import { text } from "./texts.js";

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */
/** What is written, by the name of the field: its value, or those that are ticked. @typedef {Record<string, string[]>} Draft */

/** The fields of a form that people write into. @param {HTMLFormElement} form */
function fieldsOf(form) {
  const all = /** @type {Field[]} */ ([...form.querySelectorAll("input, textarea, select")]);
  return all.filter((field) => field.name && field.type !== "hidden");
}

/** @param {Field} field @returns {field is HTMLInputElement} */
const isTicked = (field) => field instanceof HTMLInputElement && ["checkbox", "radio"].includes(field.type);

/** What a form holds, now or as the server sent it. @param {HTMLFormElement} form @param {boolean} now @returns {Draft} */
function contentOf(form, now) {
  /** @type {Draft} */
  const content = {};
  for (const field of fieldsOf(form)) {
    const values = (content[field.name] ??= []);
    if (isTicked(field)) {
      if (now ? field.checked : field.defaultChecked) values.push(field.value);
    } else if (field instanceof HTMLSelectElement) {
      const sent = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
      values.push(now ? field.value : (sent?.value ?? ""));
    } else {
      values.push(now ? field.value : field.defaultValue);
    }
  }
  return content;
}

/** The fields that differ from what the server sent: others may change the rest meanwhile. @param {HTMLFormElement} form @returns {Draft} */
function changesOf(form) {
  const sent = contentOf(form, false);
  /** @param {[string, string[]]} field */
  const differs = ([name, values]) => JSON.stringify(values) !== JSON.stringify(sent[name]);
  return Object.fromEntries(Object.entries(contentOf(form, true)).filter(differs));
}

/** @param {HTMLFormElement} form @param {Draft} draft */
function fill(form, draft) {
  for (const field of fieldsOf(form)) {
    const values = draft[field.name];
    if (!values) continue;
    if (isTicked(field)) field.checked = values.includes(field.value);
    else field.value = values[0] ?? "";
  }
}

/** Tells that a form holds a draft, and lets it be discarded. @param {HTMLFormElement} form @param {string} key */
function tell(form, key) {
  form.closest("details")?.setAttribute("open", "");
  const note = document.createElement("p");
  note.className = "muted note";
  const button = document.createElement("button");
  button.type = "reset";
  button.className = "plain";
  button.textContent = text("discard");
  note.append(`${text("not_sent")} `, button);
  form.append(note);
  form.addEventListener("reset", () => {
    sessionStorage.removeItem(key);
    note.remove();
  });
}

for (const form of document.querySelectorAll("form[data-draft]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  const key = `unmask-draft/${form.dataset.draft}`;
  // After an error the server sends what was written, which then counts.
  const isFilled = "written" in form.dataset;
  const kept = isFilled ? null : sessionStorage.getItem(key);
  if (kept) {
    fill(form, JSON.parse(kept));
    if (Object.keys(changesOf(form)).length) tell(form, key);
    else sessionStorage.removeItem(key);
  }
  form.addEventListener("input", () => {
    const draft = isFilled ? contentOf(form, true) : changesOf(form);
    if (Object.keys(draft).length) sessionStorage.setItem(key, JSON.stringify(draft));
    else sessionStorage.removeItem(key);
  });
}

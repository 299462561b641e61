/** What our own pages have in common: their texts. */

import { language, loadTexts, t, useTexts } from "./i18n";
import type { Settings } from "./settings";
import { readSettings } from "./settings";

/** Fills in the texts that the page's HTML names; returns the settings. */
export async function preparePage(): Promise<Settings> {
  const settings = await readSettings();
  useTexts(await loadTexts(settings.language), settings.language);
  fillIn();
  return settings;
}

function fillIn(): void {
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll<HTMLElement>("[data-text]")) {
    element.textContent = t(element.dataset["text"] ?? "");
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-label]")) {
    element.setAttribute("aria-label", t(element.dataset["label"] ?? ""));
  }
}

/** An element that the page's HTML must have. */
export function part(selector: string): HTMLElement;
export function part<E extends HTMLElement>(selector: string, kind: new () => E): E;
export function part(selector: string, kind: new () => HTMLElement = HTMLElement): HTMLElement {
  const element = document.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`the page lacks ${selector}`);
  return element;
}

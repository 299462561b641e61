// Elements of our own templates, which are there or the page is broken.

/**
 * The first element for a selector; throws if there is none of that class.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function get(root, selector, kind) {
  const element = root.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`This page has no ${selector}.`);
  return element;
}

/** Tells people who listen to the page. @param {string} text */
export function announce(text) {
  const line = document.getElementById("announcement");
  if (line) line.textContent = text;
}

/**
 * The card of a check among these nodes.
 * @param {ParentNode} root
 * @returns {HTMLElement}
 */
export const cardIn = (root) => get(root, "article[data-check]", HTMLElement);

// The page's texts in the reader's language, as the server put them into the page.

/**
 * What templates/base.html holds: texts by name, sentences for errors by code.
 * @typedef {{ texts: Record<string, string>, errors: Record<string, string> }} Block
 */

/** @type {Block} */
const block = JSON.parse(document.getElementById("texts")?.textContent ?? '{"texts":{},"errors":{}}');

/** The language of the page, an IETF tag. */
export const language = document.documentElement.lang;

/**
 * A text, its placeholders filled in.
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 */
export function text(name, values = {}) {
  return filled(block.texts[name] ?? name, values);
}

/**
 * The sentence for an error, if the page has one; in English the server's own message says more.
 * @param {string} code
 * @param {Record<string, unknown>} [detail]
 * @returns {string | undefined}
 */
export function errorText(code, detail = {}) {
  const sentence = block.errors[`${code}.${detail.reason}`] ?? block.errors[code];
  return sentence && filled(sentence, { wait: seconds(Number(detail.retry_after ?? 60)) });
}

/** @param {number} count */
function seconds(count) {
  return new Intl.NumberFormat(language, { style: "unit", unit: "second", unitDisplay: "long" }).format(count);
}

/**
 * @param {string} template
 * @param {Record<string, string | number>} values
 */
function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

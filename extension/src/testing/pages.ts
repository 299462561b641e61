/** Our own pages for tests. */

import { readFileSync } from "node:fs";

/** Puts what stands in a page's <main> into the document. */
export function showPage(name: string): void {
  const main = /<main.*<\/main>/s.exec(readFileSync(`pages/${name}`, "utf8"))?.[0] ?? "";
  const page = new DOMParser().parseFromString(main, "text/html");
  document.body.replaceChildren(...page.body.children);
}

/** The team's part of the panel: its verdict, its case, and the question before the first sending. */

import { h } from "../shared/dom";
import { t } from "../shared/i18n";
import type { TeamOffer } from "../shared/messages";
import type { TeamView } from "../shared/view";

/** What the team says; the machine's verdict follows it. Null where there is nothing to say. */
export function teamBox({ words, note, isTrouble, caseName, link }: TeamView): HTMLElement | null {
  if (words === null && note === "" && link === null) return null;
  return h("div", { class: "team", part: "team" },
    words !== null && h("p", { part: "team-about" }, words.about),
    note !== "" && h("p", { class: isTrouble && "warning", part: "team-note", role: isTrouble && "alert" }, note),
    link !== null && h("a", { href: link, target: "_blank", rel: "noopener noreferrer", part: "case-link" }, caseName),
    words !== null && h("h3", {}, t("machine_says")),
  );
}

/** Says what leaves the browser; `answer` gets whether the page goes along, or null for no. */
export function confirmation({ title, lead, items, hasPage, withPage }: TeamOffer, answer: (withPage: boolean | null) => void): HTMLElement {
  const without = h("input", { type: "checkbox", checked: !withPage, part: "without-page" });
  const act = (part: string, kind: string, words: string, value: () => boolean | null): HTMLElement =>
    h("button", { class: `button ${kind}`, part, click: () => { answer(value()); } }, words);
  return h("div", { class: "confirm", role: "group", tabindex: "-1", "aria-labelledby": "confirm-title", part: "team-confirm" },
    h("h3", { id: "confirm-title" }, title),
    h("p", {}, lead),
    h("ul", {}, ...items.map((item) => h("li", {}, item))),
    hasPage && h("label", {}, without, t("team_without_page")),
    h("p", { class: "count" }, t("team_confirm_once")),
    h("div", { class: "actions" },
      act("team-confirm-send", "primary", t("team_confirm_send"), () => hasPage && !without.checked),
      act("team-confirm-cancel", "", t("cancel"), () => null),
    ),
  );
}

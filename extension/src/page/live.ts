/** The one live region: what happened, for those who do not see it. */

import { h } from "../shared/dom";
import { t } from "../shared/i18n";
import type { JobView } from "../shared/view";

export class Live {
  readonly #element = h("div", { class: "sr", role: "status", "aria-live": "polite", part: "live" });

  constructor(root: ShadowRoot) {
    root.append(this.#element);
  }

  say(words: string): void {
    this.#element.textContent = words;
  }

  sayOf({ sentence, look, retryAt }: JobView): void {
    if (look === "checking") return;
    const seconds = retryAt === null ? 0 : Math.max(0, Math.round((retryAt - Date.now()) / 1000));
    this.say(retryAt === null ? sentence : `${sentence} ${t("retry_in", seconds)}`);
  }
}

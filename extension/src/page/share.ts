/** Copies the link of a report. */

import { h } from "../shared/dom";
import { t } from "../shared/i18n";

const SHOWN_MS = 2000;

export function shareButton(link: string): HTMLButtonElement {
  const button: HTMLButtonElement = h(
    "button",
    {
      class: "button", part: "share",
      click: () => {
        void copied(link, button).then((done) => {
          button.textContent = t(done ? "copied" : "copy_failed");
          setTimeout(() => { button.textContent = t("share"); }, SHOWN_MS);
        });
      },
    },
    t("share"),
  );
  return button;
}

async function copied(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages that are not secure have no clipboard but the old one.
    const field = h("textarea", { class: "file-input" });
    field.value = text;
    near.after(field);
    field.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way here
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

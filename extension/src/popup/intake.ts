/** Pictures that are dropped on the popup, pasted, or chosen. */

import { t } from "../shared/i18n";
import { askBackground } from "../shared/messages";
import { part } from "../shared/own-page";
import { putPicture } from "../shared/pictures";
import { inPrivateWindow } from "./window";

const MOST_AT_ONCE = 20;

export function takePictures({ asTab, say }: { asTab: boolean; say: (words: string) => void }): void {
  const take = (files: Iterable<File>): void => {
    const pictures = [...files].slice(0, MOST_AT_ONCE);
    if (pictures.length === 0) say(t("error_no_picture"));
    else void sendAll(pictures, say);
  };
  const input = part("[data-part=file-input]", HTMLInputElement);
  input.onchange = () => {
    take([...(input.files ?? [])]);
    input.value = "";
  };
  part("[data-part=choose]", HTMLButtonElement).onclick = () => {
    // Firefox closes a popup under its own file dialogue.
    const closes = chrome.runtime.getURL("").startsWith("moz-extension:");
    if (closes && !asTab) void openTab();
    else input.click();
  };
  const drop = part("[data-part=drop]");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) drop.classList.remove("is-over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    take(event.dataTransfer?.files ?? []);
  });
  document.addEventListener("paste", (event) => { take(event.clipboardData?.files ?? []); });
}

async function openTab(): Promise<void> {
  await chrome.tabs.create({ url: chrome.runtime.getURL("popup.html?tab") });
  window.close();
}

async function sendAll(files: readonly File[], say: (words: string) => void): Promise<void> {
  say("");
  for (const file of files) {
    const stored = crypto.randomUUID();
    try {
      await putPicture(stored, new Blob([await file.arrayBuffer()]));
      const trace = !(await inPrivateWindow());
      await askBackground("file/check", { stored, label: file.name, trace });
    } catch {
      say(t("error_file_unreadable"));
    }
  }
}

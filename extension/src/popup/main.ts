/** The toolbar's popup; as a tab of its own where a popup would close under a file dialogue. */

import { askBackground } from "../shared/messages";
import { t } from "../shared/i18n";
import { part, preparePage } from "../shared/own-page";
import { serverState } from "../shared/server-state";
import type { Settings } from "../shared/settings";
import { takePictures } from "./intake";
import { offerTeam, showRecent } from "./recent";

const ownJob = new URLSearchParams(location.search).get("tab");
const AS_TAB = ownJob !== null;

async function start(): Promise<void> {
  const settings = await preparePage();
  if (AS_TAB) part(".popup").classList.add("is-tab");
  part("[data-part=open-options]", HTMLButtonElement).onclick = () => {
    void chrome.runtime.openOptionsPage();
  };
  part("[data-part=clear-history]", HTMLButtonElement).onclick = () => {
    void askBackground("history/clear", {});
  };
  takePictures({ asTab: AS_TAB, say });
  await Promise.all([showRecent(ownJob), showServer(settings), offerPage()]);
}

function say(words: string): void {
  part("[data-part=popup-message]").textContent = words;
}

async function showServer(settings: Settings): Promise<void> {
  const button = part("[data-part=server-state]", HTMLButtonElement);
  const show = async (): Promise<void> => {
    button.dataset["state"] = "asking";
    button.textContent = t("server_asking");
    const { state, words, team } = await serverState(settings, AbortSignal.timeout(8000));
    await offerTeam(team?.maySend === true, ownJob);
    button.dataset["state"] = state;
    button.textContent = words;
    button.title = settings.serverUrl;
  };
  button.onclick = () => {
    if (button.dataset["state"] === "offline" || button.dataset["state"] === "ready") void show();
    else void chrome.runtime.openOptionsPage();
  };
  await show();
}

/** "Check all images on this page": of the tab that the popup was opened over. */
async function offerPage(): Promise<void> {
  const button = part("[data-part=check-page]", HTMLButtonElement);
  const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
  const { id } = tab ?? {};
  if (AS_TAB || id === undefined) {
    button.hidden = true;
    return;
  }
  button.onclick = async () => {
    button.disabled = true;
    const started = await askBackground("tab/check", { tab: id }).catch(() => false);
    if (started) window.close();
    else {
      button.disabled = false;
      say(t("error_page_blocked"));
    }
  };
}

void start();

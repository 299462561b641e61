/** The options: tested when they are saved. */

import { h } from "../shared/dom";
import { hasText, t } from "../shared/i18n";
import { askBackground } from "../shared/messages";
import { part, preparePage } from "../shared/own-page";
import type { Settings } from "../shared/settings";
import { hostPattern, LANGUAGES, readSettings, tidyServerUrl, writeSettings } from "../shared/settings";
import { originSetting } from "../shared/view";
import { failureWords } from "../shared/words";
import { allowed } from "./allowed";
import { everySite } from "./every-site";
import { tested } from "./tested";

/** What is chosen on this page. */
type Chosen = Omit<Settings, "teamConfirmed">;

const server = part("#server-url", HTMLInputElement);
const key = part("#api-key", HTMLInputElement);
const minimum = part("#minimum-size", HTMLInputElement);
const atOnce = part("#at-once", HTMLInputElement);
const history = part("#keep-history", HTMLInputElement);
const teamPage = part("#team-page", HTMLInputElement);
const chosenLanguage = part("#language", HTMLSelectElement);
const result = part("#save-result");
const save = part("#save", HTMLButtonElement);

async function start(): Promise<void> {
  const settings = await preparePage();
  chosenLanguage.append(
    ...LANGUAGES.map((name) => {
      const own = new Intl.DisplayNames(name, { type: "language" }).of(name) ?? name;
      return h("option", { value: name, lang: name }, own.charAt(0).toLocaleUpperCase(name) + own.slice(1));
    }),
  );
  server.value = settings.serverUrl;
  key.value = settings.apiKey;
  minimum.value = String(settings.minimumSize);
  atOnce.value = String(settings.atOnce);
  history.checked = settings.keepHistory;
  teamPage.checked = settings.teamPage;
  chosenLanguage.value = settings.language;
  part("#form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  await everySite();
}

function submit(): void {
  const serverUrl = tidyServerUrl(server.value);
  if (serverUrl === null) {
    say("error", t("error_bad_server_url"));
    server.focus();
    return;
  }
  server.value = serverUrl;
  const settings: Chosen = {
    serverUrl,
    apiKey: key.value.trim(),
    minimumSize: bounded(minimum, 16, 2000, 100),
    atOnce: bounded(atOnce, 1, 10, 3),
    keepHistory: history.checked,
    language: chosenLanguage.value,
    teamPage: teamPage.checked,
  };
  void saved(settings, allowed(hostPattern(serverUrl)));
}

async function saved(chosen: Chosen, asking: Promise<boolean>): Promise<void> {
  save.disabled = true;
  say("", t("testing"));
  const isAllowed = await asking;
  const before = await readSettings();
  // Nothing was agreed to for another server, or for another key's team.
  const isSame = before.serverUrl === chosen.serverUrl && before.apiKey === chosen.apiKey;
  const settings: Settings = { ...chosen, teamConfirmed: isSame && before.teamConfirmed };
  await writeSettings(settings);
  if (!settings.keepHistory) await askBackground("history/clear", {});
  await preparePage();
  await everySite();
  const trouble = isAllowed ? await tested(settings) : { code: "not_connected", message: "" };
  save.disabled = false;
  if (trouble === null) {
    say("ok", t("saved"));
    return;
  }
  say("error", `${t("saved_but")} ${failureWords(trouble)}`);
  if (trouble.code === "origin_refused") result.append(h("code", { class: "setting" }, originSetting()));
  if (!hasText(`error_${trouble.code}`) && trouble.message !== "") result.append(` (${trouble.code})`);
}

function say(state: "ok" | "error" | "", words: string): void {
  result.dataset["state"] = state;
  result.textContent = words;
}

function bounded(input: HTMLInputElement, least: number, most: number, otherwise: number): number {
  const value = Number.isFinite(input.valueAsNumber) ? Math.round(input.valueAsNumber) : otherwise;
  const within = Math.min(Math.max(value, least), most);
  input.value = String(within);
  return within;
}

void start();

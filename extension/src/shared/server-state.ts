/** How the server stands, in one word and in a sentence. */

import { Api } from "./api";
import { failureWords } from "./words";
import { t } from "./i18n";
import type { Settings } from "./settings";
import { hostPattern } from "./settings";
import type { Team } from "./team";
import { asTrouble } from "./trouble";

export interface ServerState {
  readonly state: "ready" | "offline" | "unauthorized" | "not-set";
  readonly words: string;
  /** The team of the key; null where it has no say in one. */
  readonly team: Team | null;
}

/** Asks whether it is there, and whether it takes our key. */
export async function serverState(settings: Settings, signal: AbortSignal): Promise<ServerState> {
  const origins = [hostPattern(settings.serverUrl)];
  if (!(await chrome.permissions.contains({ origins }))) {
    return { state: "not-set", words: t("server_not_set"), team: null };
  }
  const api = new Api(settings);
  try {
    const { workers } = await api.ready(signal);
    const team = await api.known(signal);
    return { state: "ready", words: t(workers === 0 ? "server_no_worker" : "server_ready"), team };
  } catch (error) {
    const trouble = asTrouble(error);
    if (trouble.code === "key_needed") return { state: "unauthorized", words: t("server_unauthorized"), team: null };
    const words = trouble.code === "offline" ? t("server_offline") : failureWords(trouble);
    return { state: "offline", words, team: null };
  }
}

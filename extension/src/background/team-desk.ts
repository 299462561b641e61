/** Checks and the team of the key: what the team says of them, and sending them to it. */

import { Api } from "../shared/api";
import { rememberTeam } from "../shared/history";
import { t } from "../shared/i18n";
import type { Failure, Job } from "../shared/jobs";
import type { PageSeen, TeamOffer } from "../shared/messages";
import type { Settings } from "../shared/settings";
import { readSettings, writeSettings } from "../shared/settings";
import type { Sent, Source, Team, TeamAnswer, TeamState } from "../shared/team";
import { asTrouble, Trouble } from "../shared/trouble";
import type { Store } from "./store";
import type { Unsent } from "../shared/unsent";
import { dropUnsent, putUnsent, readUnsent } from "../shared/unsent";

export const TEAM_ALARM = "team";
const SECONDS = 30;
/** A key's team is asked for again after this time: a key may have been revoked. */
const TEAM_FOR_MS = 600_000;
/** Checks of a page end one after the other: they are looked up together. */
const GATHER_MS = 150;
const MOST_TOGETHER = 50;
/** Trying again cannot help with these. */
const HOPELESS = new Set(["not_found", "bad_request", "picture_missing", "result_missing"]);
const LONGEST = { url: 2048, title: 300 };

export class TeamDesk {
  #team: { readonly of: string; readonly until: number; readonly answer: Promise<Team | null> } | null = null;
  #gathering: { readonly sha256s: Set<string>; readonly answers: Promise<Readonly<Record<string, TeamAnswer>>> } | null = null;
  #flushing: Promise<void> | null = null;

  constructor(private readonly store: Store) {}

  /** Learns what the team says of a check that has ended. */
  async ended({ check, report, server }: Job): Promise<void> {
    const settings = await readSettings();
    if (check === null || report === null || server !== settings.serverUrl) return;
    const team = await this.#teamOf(settings);
    if (team === null) return;
    const answers = await this.#lookUp(settings, team, report.sha256).catch(() => null);
    const answer = answers?.[report.sha256] ?? null;
    this.#show(check, team, { answer });
    if (answer !== null) await rememberTeam(check, { slug: team.slug, case: answer.case, answer });
  }

  /** What a person is asked; null if the key may not send, or a check has not ended. */
  async offer(jobs: readonly Job[], page: PageSeen): Promise<TeamOffer | null> {
    const settings = await readSettings();
    const [job] = jobs;
    const team = (await this.#teamOf(settings)) ?? job?.team ?? null;
    if (job === undefined || team?.maySend !== true || jobs.some(({ report }) => report === null)) return null;
    const isOne = jobs.length === 1;
    const seen = tidyPage(page);
    const picture = tidyUrl(job.picture.url);
    const pictures = isOne ? picture !== null && t("team_confirm_picture", picture) : t("team_confirm_pictures");
    const items = [
      t(isOne ? "team_confirm_check" : "team_confirm_checks"),
      pictures,
      seen !== null && t("team_confirm_page", seen.url, seen.title),
    ];
    return {
      title: isOne ? t("team_confirm_title", team.slug) : t("team_confirm_many", jobs.length, team.slug),
      lead: t("team_confirm_lead", new URL(settings.serverUrl).host),
      items: items.filter((item) => item !== false),
      isConfirmed: settings.teamConfirmed,
      hasPage: seen !== null,
      withPage: settings.teamPage,
    };
  }

  /** Sends the checks of jobs, one after the other; the choice about the page is kept for the next.
   * All are kept before the first leaves, and where the server is not reached the rest waits
   * without asking it again. */
  async send(jobs: readonly Job[], page: PageSeen, withPage: boolean): Promise<void> {
    const settings = await readSettings();
    await writeSettings({ ...settings, teamConfirmed: true, teamPage: withPage });
    const entries = new Map<string, Unsent>();
    for (const { check, server, trace, picture } of jobs) {
      if (check !== null && entries.has(check)) continue;
      const entry = await this.#keep(check, server, trace, sourceOf(picture.url, withPage ? tidyPage(page) : null));
      entries.set(entry.check, entry);
    }
    let offline: Failure | null = null;
    for (const entry of entries.values()) {
      if (offline !== null) await this.#putOff(entry, offline);
      else {
        const failure = await this.#deliver(entry, settings);
        if (failure?.code === "offline") offline = failure;
      }
    }
    await this.#alarm();
  }

  /** Sends a check of the list of recent checks, or tries again with what was to be sent. */
  async sendPlain(check: string, trace: boolean): Promise<void> {
    const unsent = (await readUnsent()).find((entry) => entry.check === check);
    const { serverUrl } = await readSettings();
    if (unsent !== undefined) await this.#sendCheck(check, unsent.server, unsent.trace, unsent.source);
    else await this.#sendCheck(check, serverUrl, trace, { door: "extension" });
  }

  /** Sends what has not reached the team yet. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().catch(() => undefined).finally(() => { this.#flushing = null; });
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    await this.store.load();
    const entries = await readUnsent();
    const settings = await readSettings();
    const team = entries.length === 0 ? null : await this.#teamOf(settings);
    for (const entry of entries) {
      // Never to another server or team than the one that the person was told.
      const isSame = entry.server === settings.serverUrl && entry.slug === team?.slug;
      if (isSame) await this.#deliver(entry, settings);
    }
    await this.#alarm();
  }

  async #sendCheck(check: string | null, server: string | null, trace: boolean, source: Source): Promise<void> {
    await this.#deliver(await this.#keep(check, server, trace, source), await readSettings());
    await this.#alarm();
  }

  /** Keeps what is to be sent until it has arrived. */
  async #keep(check: string | null, server: string | null, trace: boolean, source: Source): Promise<Unsent> {
    const settings = await readSettings();
    const team = await this.#teamOf(settings);
    const known = this.store.all().find((job) => job.check === check)?.team?.slug;
    const slug = team?.slug ?? known;
    if (check === null || server !== settings.serverUrl || slug === undefined) throw new Error("nobody to send it to");
    const entry = { check, server, slug, source, trace, failure: null };
    await putUnsent(entry);
    this.#show(check, { slug, maySend: true }, { sending: { state: "sending", case: null, failure: null } });
    return entry;
  }

  async #putOff(entry: Unsent, failure: Failure): Promise<void> {
    await putUnsent({ ...entry, failure });
    const team = { slug: entry.slug, maySend: true };
    this.#show(entry.check, team, { sending: { state: "unsent", case: null, failure } });
  }

  /** Sends one; keeps it for later if it cannot be done now. Resolves with why it was not. */
  async #deliver(entry: Unsent, settings: Settings): Promise<Failure | null> {
    const { check, slug } = entry;
    const team = { slug, maySend: true };
    try {
      const sent = await new Api(settings).sendToTeam(slug, check, entry.source, soon());
      if (sent.state === "pending") throw new Trouble("busy");
      if (sent.state === "failed" || sent.case === null) throw new Trouble(sent.error ?? "not_found");
      await dropUnsent(entry);
      await this.#arrived(team, check, sent, sent.case);
      return null;
    } catch (error) {
      const { code, message } = asTrouble(error);
      const failure = { code, message };
      if (HOPELESS.has(code)) {
        await dropUnsent(entry);
        this.#show(check, team, { sending: { state: "refused", case: null, failure } });
      } else await this.#putOff(entry, failure);
      return failure;
    }
  }

  async #arrived(team: Team, check: string, { answer }: Sent, number: number): Promise<void> {
    const sending = { state: "sent", case: number, failure: null } as const;
    this.#show(check, team, { sending, ...(answer === null ? {} : { answer }) });
    await rememberTeam(check, { slug: team.slug, case: number, answer });
  }

  /** Tries again every minute while something waits. */
  async #alarm(): Promise<void> {
    const entries = await readUnsent();
    if (entries.length > 0) await chrome.alarms.create(TEAM_ALARM, { periodInMinutes: 1 });
    else await chrome.alarms.clear(TEAM_ALARM);
  }

  /** Several pictures of a page may be one check. */
  #show(check: string, { slug, maySend }: Team, changes: Partial<TeamState>): void {
    for (const job of this.store.all()) {
      if (job.check !== check || job.report === null) continue;
      const before = job.team?.slug === slug ? job.team : { answer: null, sending: null };
      this.store.change(job.id, { team: { ...before, slug, maySend, ...changes } });
    }
  }

  /** The team of the key; null where there is none, or where nobody answers. */
  async #teamOf(settings: Settings): Promise<Team | null> {
    const { serverUrl, apiKey } = settings;
    if (apiKey === "") return null;
    const of = `${serverUrl} ${apiKey}`;
    if (this.#team?.of !== of || this.#team.until < Date.now()) {
      this.#team = { of, until: Date.now() + TEAM_FOR_MS, answer: new Api(settings).known(soon()) };
    }
    try {
      return await this.#team.answer;
    } catch {
      this.#team = null;
      return null;
    }
  }

  #lookUp(settings: Settings, { slug }: Team, sha256: string): Promise<Readonly<Record<string, TeamAnswer>>> {
    if (this.#gathering === null || this.#gathering.sha256s.size >= MOST_TOGETHER) {
      const sha256s = new Set<string>();
      const answers = new Promise((resolve) => setTimeout(resolve, GATHER_MS)).then(() => {
        if (this.#gathering?.sha256s === sha256s) this.#gathering = null;
        return new Api(settings).lookUp(slug, [...sha256s], soon());
      });
      this.#gathering = { sha256s, answers };
    }
    this.#gathering.sha256s.add(sha256);
    return this.#gathering.answers;
  }
}

function sourceOf(pictureUrl: string | null, page: PageSeen | null): Source {
  const picture = tidyUrl(pictureUrl);
  return {
    door: "extension",
    ...(picture === null ? {} : { picture_url: picture }),
    ...(page === null ? {} : { page_url: page.url }),
    ...(page === null || page.title === "" ? {} : { note: page.title }),
  };
}

function soon(): AbortSignal {
  return AbortSignal.timeout(SECONDS * 1000);
}

function tidyPage({ url, title }: PageSeen): PageSeen | null {
  const tidy = tidyUrl(url);
  return tidy === null ? null : { url: tidy, title: title.replace(/\s+/g, " ").trim().slice(0, LONGEST.title) };
}

/** An address that a team can follow; without the name and password that it may hold. */
function tidyUrl(address: string | null): string | null {
  try {
    const url = new URL(address ?? "");
    url.username = url.password = "";
    return /^https?:$/.test(url.protocol) && url.href.length <= LONGEST.url ? url.href : null;
  } catch {
    return null;
  }
}

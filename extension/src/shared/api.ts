/** The server's API, as far as the extension uses it. Everything it throws is a Trouble. */

import { serverEvents } from "./events";
import type { Check } from "./report";
import { checkOf } from "./report";
import type { Settings } from "./settings";
import type { Sent, Source, Team, TeamAnswer } from "./team";
import { Trouble } from "./trouble";

/** The server gives up a sender that is too slow; this bounds the rest. */
const SECONDS_TO_SEND = 900;
const SECONDS_TO_ANSWER = 20;
/** A team's name in addresses. */
const SLUG = /^[a-z0-9][a-z0-9-]{0,39}$/;

export type Submission = { readonly file: Blob } | { readonly url: string };

export interface Readiness {
  readonly workers: number;
  readonly waiting: number;
}

export class Api {
  constructor(private readonly settings: Pick<Settings, "serverUrl" | "apiKey"> & Partial<Settings>) {}

  /** Sends a picture, or the address of one; sending it again with the same key does no harm. */
  async submit(what: Submission, idempotencyKey: string, signal: AbortSignal): Promise<Check> {
    const form = new FormData();
    form.set("door", "extension");
    // Without it the server takes what the browser prefers.
    if (this.settings.language) form.set("language", this.settings.language);
    if ("file" in what) form.set("file", what.file, "picture");
    else form.set("url", what.url);
    const answer = await this.call("/v1/checks", SECONDS_TO_SEND, signal, {
      method: "POST",
      body: form,
      headers: { "Idempotency-Key": idempotencyKey },
    });
    return asCheck(await json(answer));
  }

  async read(check: string, signal: AbortSignal): Promise<Check> {
    return asCheck(await json(await this.call(`/v1/checks/${check}`, SECONDS_TO_ANSWER, signal)));
  }

  /** The names of a check's states as they come; ends when the server closes the stream. */
  async *states(check: string, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const answer = await this.call(`/v1/checks/${check}/events`, null, signal);
    if (answer.body === null) return;
    try {
      for await (const event of serverEvents(answer.body)) yield event.name;
    } catch {
      signal.throwIfAborted();
      throw new Trouble("offline");
    }
  }

  /** One of a check's pictures, such as "heatmap.png". */
  async picture(check: string, name: string, signal: AbortSignal): Promise<Blob> {
    return (await this.call(`/v1/checks/${check}/${name}`, SECONDS_TO_ANSWER, signal)).blob();
  }

  async ready(signal: AbortSignal): Promise<Readiness> {
    const told = (await json(await this.call("/readyz", SECONDS_TO_ANSWER, signal))) as {
      status?: unknown;
    } & Readiness;
    if (told.status !== "ready") throw new Trouble("not_unmask");
    return { workers: told.workers, waiting: told.waiting };
  }

  /** Whether the key, or its absence, is taken; costs the server nothing. Resolves with the team
   * that the key belongs to, null where it has no say in one. */
  async known(signal: AbortSignal): Promise<Team | null> {
    const told = (await json(await this.call("/v1/key", SECONDS_TO_ANSWER, signal))) as {
      needed?: unknown;
      scopes?: unknown[];
      team?: unknown;
    };
    const { needed, scopes = [], team } = told;
    if (needed === true && scopes.length === 0) throw new Trouble("key_needed");
    if (typeof team !== "string" || !SLUG.test(team)) return null;
    const maySend = scopes.includes("desk:send") || scopes.includes("desk:write");
    return maySend || scopes.includes("desk:read") ? { slug: team, maySend } : null;
  }

  /** What a team says of pictures, by the SHA-256 of their files; at most 50 at a time. */
  async lookUp(team: string, sha256: readonly string[], signal: AbortSignal): Promise<Readonly<Record<string, TeamAnswer>>> {
    const answer = await this.post(`/v1/teams/${team}/lookup`, { sha256 }, signal);
    return ((await json(answer)) as { answers?: Record<string, TeamAnswer> } | null)?.answers ?? {};
  }

  /** Sends a check to a team. Sending it again gives the same case. */
  async sendToTeam(team: string, check: string, source: Source, signal: AbortSignal): Promise<Sent> {
    const sent = (await json(await this.post(`/v1/teams/${team}/cases`, { check, source }, signal))) as Sent | null;
    if (typeof sent?.state !== "string") throw new Trouble("not_unmask");
    return sent;
  }

  private post(path: string, body: object, signal: AbortSignal): Promise<Response> {
    return this.call(path, SECONDS_TO_ANSWER, signal, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    });
  }

  /** Whether a check would be taken from here: asked for without a picture, all else being said. */
  async wouldTake(signal: AbortSignal): Promise<void> {
    try {
      await this.call("/v1/checks", SECONDS_TO_ANSWER, signal, {
        method: "POST",
        headers: { "Content-Type": "text/plain" },
      });
    } catch (error) {
      if (!(error instanceof Trouble && error.code === "unsupported_body")) throw error;
    }
  }

  private async call(
    path: string,
    seconds: number | null,
    signal: AbortSignal,
    init: RequestInit = {},
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.settings.apiKey !== "") {
      headers.set("Authorization", `Bearer ${this.settings.apiKey}`);
    }
    const late = seconds === null ? [] : [AbortSignal.timeout(seconds * 1000)];
    let answer: Response;
    try {
      answer = await fetch(this.settings.serverUrl + path, {
        ...init,
        headers,
        credentials: "omit",
        cache: "no-store",
        signal: AbortSignal.any([signal, ...late]),
      });
    } catch {
      signal.throwIfAborted();
      throw new Trouble("offline");
    }
    if (!answer.ok) throw await troubleOf(answer);
    return answer;
  }
}

async function json(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    throw new Trouble("not_unmask");
  }
}

function asCheck(value: unknown): Check {
  const check = value as Check | null;
  if (typeof check?.id !== "string" || typeof check.state !== "string") {
    throw new Trouble("not_unmask");
  }
  // The id becomes part of addresses.
  if (!/^[A-Za-z0-9_-]{8,64}$/.test(check.id)) throw new Trouble("bad_answer");
  return checkOf(check);
}

async function troubleOf(answer: Response): Promise<Trouble> {
  const header = Number(answer.headers.get("Retry-After") ?? Number.NaN);
  const retryAfter = Number.isFinite(header) ? Math.max(1, header) : null;
  try {
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    return new Trouble(error.code, error.message, retryAfter);
  } catch {
    // A proxy before the server answers in words of its own.
    if (answer.status === 413) return new Trouble("too_many_bytes");
    if (answer.status === 429) return new Trouble("rate_limited", "", retryAfter ?? 30);
    if (answer.status >= 500) return new Trouble("offline", "", retryAfter);
    return new Trouble("not_unmask");
  }
}

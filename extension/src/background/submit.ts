/** From a job to a check that the server has taken: one check for the same bytes. */

import type { Api } from "../shared/api";
import type { Job } from "../shared/jobs";
import { Trouble } from "../shared/trouble";
import { obtain } from "./obtain";
import type { Store } from "./store";
import { noteThumbnail } from "./thumbnail";

/** Ended checks are submitted again after this time: the server may have forgotten them. */
const SAME_FOR_MS = 600_000;

export class Submitter {
  /** Server and hash to the id that the server is about to give. */
  readonly #sending = new Map<string, Promise<string>>();

  constructor(private readonly store: Store) {}

  /** Returns the check's id. */
  async submit(id: string, api: Api, signal: AbortSignal): Promise<string> {
    const job = this.#job(id);
    const file = await obtain(job, signal);
    if (file === null) return this.#byAddress(job, api, signal);
    const sha256 = await hashOf(file);
    if (job.trace) await noteThumbnail(id, file, signal);
    this.store.change(id, { sha256 });
    const earlierCheck = this.#known(job, sha256);
    const check = earlierCheck ?? (await this.#once(job, file, sha256, api, signal));
    this.store.change(id, { check });
    return check;
  }

  async #byAddress(job: Job, api: Api, signal: AbortSignal): Promise<string> {
    const { url } = job.picture;
    if (url === null) throw new Trouble("no_bytes");
    try {
      const { id, sha256 } = await api.submit({ url }, `${job.id}:${job.round}`, signal);
      this.store.change(job.id, { check: id, sha256, means: "server" });
      return id;
    } catch (error) {
      if (error instanceof Trouble && UNREADABLE.has(error.code)) throw new Trouble("no_bytes");
      throw error;
    }
  }

  async #once(
    job: Job, file: Blob, sha256: string, api: Api, signal: AbortSignal,
  ): Promise<string> {
    const name = `${job.server ?? ""} ${sha256}`;
    // Of several that wait for one which fails, the first sends and the others wait for it.
    for (let other = this.#sending.get(name); other !== undefined; other = this.#sending.get(name)) {
      const check = await other.catch(() => null);
      signal.throwIfAborted();
      if (check !== null) return check;
    }
    const sending = api
      .submit({ file }, `${job.id}:${job.round}:${sha256.slice(0, 16)}`, signal)
      .then((answer) => answer.id);
    this.#sending.set(name, sending);
    try {
      return await sending;
    } finally {
      if (this.#sending.get(name) === sending) this.#sending.delete(name);
    }
  }

  #known({ id, server }: Job, sha256: string): string | null {
    const since = Date.now() - SAME_FOR_MS;
    const earlier = this.store.all().find(
      (other) =>
        other.id !== id &&
        other.sha256 === sha256 &&
        other.server === server &&
        other.check !== null &&
        other.state !== "error" &&
        other.created > since,
    );
    return earlier?.check ?? null;
  }

  #job(id: string): Job {
    const job = this.store.get(id);
    if (job === undefined) throw new Trouble("cancelled");
    return job;
  }
}

/** What the server says where it cannot fetch a picture, or got a page in its place. */
const UNREADABLE = new Set([
  "url_refused", "url_unreachable", "url_timeout", "bad_url", "not_a_picture", "empty_file",
]);

async function hashOf(file: Blob): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Brings jobs to their end. `pump` may be called at any time: it starts what should run and does
 * not, so a worker that was killed goes on by calling it. */

import { Api } from "../shared/api";
import type { Failure, Job } from "../shared/jobs";
import { isActive } from "../shared/jobs";
import { dropPicture } from "../shared/pictures";
import { readSettings } from "../shared/settings";
import { asTrouble, Trouble } from "../shared/trouble";
import { follow } from "./follow";
import { mayReachServer } from "./permissions";
import type { Store } from "./store";
import { Submitter } from "./submit";

/** A server that stays busy is left alone after so many tries. */
const MOST_TRIES = 8;

export class Runner {
  readonly #running = new Map<string, AbortController>();
  readonly #submitter: Submitter;

  constructor(
    private readonly store: Store,
    private readonly onEnd: (job: Job) => Promise<void>,
    private readonly onBusy: (busy: boolean) => void,
  ) {
    this.#submitter = new Submitter(store);
  }

  async pump(): Promise<void> {
    await this.store.load();
    const { atOnce } = await readSettings();
    const inBatch = [...this.#running.keys()].filter((id) => this.store.get(id)?.batch != null);
    let free = atOnce - inBatch.length;
    for (const job of this.store.all()) {
      if (!isActive(job) || this.#running.has(job.id)) continue;
      if (job.batch !== null && free-- <= 0) continue;
      void this.#run(job);
    }
    this.onBusy(this.#running.size > 0);
  }

  retry(id: string, changes: Partial<Job> = {}): void {
    this.#stop(id);
    this.store.change(id, {
      state: "waiting", report: null, failure: null, retryAt: null, tries: 0, team: null, ...changes,
    });
    void this.pump();
  }

  /** Ends jobs without a verdict. */
  cancel(ids: readonly string[]): void {
    for (const id of ids) {
      const job = this.store.get(id);
      this.#stop(id);
      if (job === undefined || !isActive(job)) continue;
      this.store.change(id, { state: "error", failure: failed("cancelled"), retryAt: null });
    }
    void this.pump();
  }

  #stop(id: string): void {
    this.#running.get(id)?.abort();
    this.#running.delete(id);
  }

  async #run(job: Job): Promise<void> {
    const control = new AbortController();
    this.#running.set(job.id, control);
    try {
      await this.#untilEnded(job, control.signal);
    } catch (error) {
      if (control.signal.aborted) return;
      const { code, message } = asTrouble(error);
      this.store.change(job.id, { state: "error", failure: failed(code, message) });
    }
    if (control.signal.aborted) return;
    this.#running.delete(job.id);
    const endedJob = this.store.get(job.id);
    if (endedJob?.state === "done") {
      if (endedJob.stored) await dropPicture(job.id).catch(() => undefined);
      await this.onEnd(endedJob).catch(() => undefined);
    }
    await this.pump();
  }

  async #untilEnded(job: Job, signal: AbortSignal): Promise<void> {
    if (job.retryAt !== null) await until(job.retryAt, signal);
    for (let tries = job.tries; ; ) {
      try {
        await this.#once(job.id, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        const { retryAfter } = asTrouble(error);
        if (retryAfter === null || ++tries >= MOST_TRIES) throw error;
        const retryAt = Date.now() + retryAfter * 1000;
        const { code, message } = asTrouble(error);
        this.store.change(job.id, {
          state: "waiting", retryAt, tries, failure: failed(code, message),
        });
        await until(retryAt, signal);
      }
    }
  }

  async #once(id: string, signal: AbortSignal): Promise<void> {
    const settings = await readSettings();
    signal.throwIfAborted();
    const api = new Api(settings);
    try {
      this.store.change(id, {
        state: "checking", retryAt: null, failure: null, server: settings.serverUrl,
      });
      const check = this.store.get(id)?.check ?? (await this.#submitter.submit(id, api, signal));
      const report = await follow(api, check, signal);
      this.store.change(id, { state: "done", report, check, sha256: report.sha256 });
    } catch (error) {
      signal.throwIfAborted();
      const { code, retryAfter } = asTrouble(error);
      // After a check that failed, expired or was removed, trying again asks for a new one; a
      // server that is away or busy has it still.
      const job = this.store.get(id);
      const isLost = code !== "offline" && retryAfter === null;
      if (isLost && job != null && job.check !== null) {
        this.store.change(id, { check: null, round: job.round + 1 });
      }
      if (code === "offline" && !(await mayReachServer())) throw new Trouble("not_connected");
      throw error;
    }
  }
}

/** As plain data: a Trouble would not survive storage. */
function failed(code: string, message = ""): Failure {
  return { code, message };
}

function until(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.max(0, time - Date.now()));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Trouble("cancelled"));
    });
  });
}

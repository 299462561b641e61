/** The jobs of this session, mirrored to storage.session so that they outlive the worker. */

import type { Job, Picture, TabFrame } from "../shared/jobs";
import { isActive } from "../shared/jobs";
import { dropThumbnail } from "./thumbnail";

/** Ended jobs that are kept for pages that show them. */
const MOST_ENDED = 150;
const WRITE_AFTER_MS = 20;

export type NewJob = Pick<Job, "tabFrame" | "picture"> & Partial<Job>;

export class Store {
  readonly #jobs = new Map<string, Job>();
  #loaded: Promise<void> | null = null;
  #writing = false;

  constructor(private readonly onChange: (job: Job) => void) {}

  /** Reads what an earlier life of the worker left; waits if that is under way. */
  load(): Promise<void> {
    this.#loaded ??= (async () => {
      const { checks } = await chrome.storage.session.get("checks");
      for (const job of Object.values((checks as Record<string, Job> | undefined) ?? {})) {
        if (!this.#jobs.has(job.id)) this.#jobs.set(job.id, job);
      }
    })();
    return this.#loaded;
  }

  add(job: NewJob): Job {
    const newJob = { ...blank(job.tabFrame, job.picture), ...job };
    this.#set(newJob);
    return newJob;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  all(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  /** Changes a job; one that was removed meanwhile stays removed. */
  change(id: string, changes: Partial<Job>): Job | undefined {
    const job = this.#jobs.get(id);
    if (job === undefined) return undefined;
    const changed = { ...job, ...changes };
    this.#set(changed);
    return changed;
  }

  remove(id: string): void {
    if (!this.#jobs.has(id)) return;
    this.#forget(id);
    this.#write();
  }

  #set(job: Job): void {
    this.#jobs.set(job.id, job);
    // Tried again it is sent again, and that notes another.
    if (job.state === "error" && job.check === null) dropThumbnail(job.id);
    this.#prune();
    this.#write();
    this.onChange(job);
  }

  #prune(): void {
    const endedJobs = this.all().filter((job) => !isActive(job));
    for (const job of endedJobs.slice(0, Math.max(0, endedJobs.length - MOST_ENDED))) {
      this.#forget(job.id);
    }
  }

  #forget(id: string): void {
    this.#jobs.delete(id);
    dropThumbnail(id);
  }

  #write(): void {
    if (this.#writing) return;
    this.#writing = true;
    setTimeout(() => {
      this.#writing = false;
      void chrome.storage.session.set({ checks: Object.fromEntries(this.#jobs) });
    }, WRITE_AFTER_MS);
  }
}

function blank(tabFrame: TabFrame | null, picture: Picture): Job {
  return {
    id: crypto.randomUUID(),
    tabFrame,
    picture,
    batch: null,
    stored: false,
    means: "original",
    trace: true,
    created: Date.now(),
    state: "waiting",
    server: null,
    sha256: null,
    check: null,
    report: null,
    failure: null,
    retryAt: null,
    tries: 0,
    round: 0,
    team: null,
  };
}

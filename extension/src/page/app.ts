/** Everything of ours in one frame: marks on pictures, one panel, one list, all ended by one signal. */

import type { Picture } from "../shared/jobs";
import type { JobView } from "../shared/view";
import { t } from "../shared/i18n";
import { askBackground, tellBackground } from "../shared/messages";
import type { Encoded, PageCalls, Reply, Request } from "../shared/messages";
import { Anchors, describeAll } from "./anchors";
import { chosen } from "./clicked";
import { allPictures } from "./find";
import { isEnded, PageList } from "./list";
import { Live } from "./live";
import { Mark } from "./mark";
import { Mount } from "./mount";
import { Opened } from "./opened";
import { Picker } from "./picker";
import { readPicture } from "./read";
import type { Sighting } from "./sighting";
import { Tracker } from "./track";

/** While something is under way the background is asked this often: it wakes a dead worker. */
const SYNC_EVERY_MS = 4000;

export class App {
  readonly #control = new AbortController();
  readonly #mount = new Mount(this.#control.signal);
  readonly #anchors = new Anchors();
  readonly #tracker = new Tracker(() => { this.#settle(); });
  readonly #live = new Live(this.#mount.root);
  readonly #views = new Map<string, JobView>();
  /** By anchor; pictures that the page does not show have their job's id. */
  readonly #marks = new Map<string, Mark>();
  readonly #opened: Opened;
  #list: PageList | null = null;
  #picker: Picker | null = null;
  #sync: ReturnType<typeof setInterval> | undefined;

  constructor() {
    const { signal } = this.#control;
    this.#opened = new Opened(this.#mount, (view) => this.#marksOf(view), () => (this.#list?.element.offsetWidth ?? 0));
    addEventListener("keydown", (event) => { this.#escape(event); }, { capture: true, signal });
    addEventListener("pagehide", () => { this.#leave(); }, { signal });
    addEventListener("pageshow", ({ persisted }) => { if (persisted) void this.#ask(); }, { signal });
    signal.addEventListener("abort", () => { clearInterval(this.#sync); });
  }

  /** What the background may ask of this frame. */
  readonly answers: { readonly [Name in keyof Omit<PageCalls, "page/hello">]:
    (request: Request<PageCalls, Name>) => Promise<Reply<PageCalls, Name>> | Reply<PageCalls, Name> } = {
    "picture/find": (clicked) => this.#find(clicked),
    "picture/bytes": (request) => this.#bytes(request),
    "page/collect": ({ minimumSize }) => describeAll(this.#anchors, allPictures(minimumSize)),
    "page/list": ({ jobs }) => { this.#showList(jobs); return null; },
    "jobs/changed": ({ jobs }) => { this.#change(jobs); return null; },
    "page/hide": ({ hidden }) => { this.#mount.hidden = hidden; return null; },
  };

  #find(clicked: { srcUrl: string | null; linkUrl: string | null }): Picture | null {
    this.#mount.raise();
    const found = chosen(clicked, globalThis.unmaskRightClick ?? null);
    if (found === null) {
      this.#pick();
      return null;
    }
    if (!("element" in found)) return found;
    return this.#begin(found);
  }

  /** Marks a picture at once, before the background has answered. */
  #begin(sighting: Sighting): Picture {
    const picture = this.#anchors.describe(sighting);
    for (const anchor of picture.anchors) this.#markAt(anchor);
    this.#live.say(t("live_started"));
    return picture;
  }

  #pick(): void {
    this.#picker?.remove();
    this.#picker = new Picker(this.#mount.root, (sighting) => {
      this.#endPicking();
      void askBackground("picture/picked", { picture: this.#begin(sighting) }).catch(() => { this.end(); });
    });
  }

  #endPicking(): void {
    this.#picker?.remove();
    this.#picker = null;
  }

  async #bytes({ anchor, url }: { anchor: string | null; url: string | null }): Promise<Encoded | null> {
    const address = url ?? (anchor === null ? undefined : this.#anchors.get(anchor)?.url);
    return address === undefined ? null : readPicture(address, this.#control.signal);
  }

  #showList(views: readonly JobView[]): void {
    this.#list?.element.remove();
    this.#mount.raise();
    this.#change(views);
    this.#list = new PageList(this.#mount.root, views, {
      open: (view) => { this.#openFromList(view); },
      cancel: () => { tellBackground("page/cancel", {}); },
      close: () => { this.#closeList(); },
      sighting: (anchor) => this.#anchors.get(anchor),
    });
    this.#list.element.focus({ preventScroll: true });
    this.#live.say(t("live_page_started", views.length));
  }

  #closeList(): void {
    if (this.#list === null) return;
    if (!this.#list.done) tellBackground("page/cancel", {});
    this.#opened.close();
    for (const job of this.#list.jobs) this.#drop(job);
    this.#list.element.remove();
    this.#list = null;
  }

  #openFromList(view: JobView): void {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#marksOf(view)[0]?.sighting?.element
      .scrollIntoView({ block: "center", behavior: calm ? "instant" : "smooth" });
    this.#opened.open(view, { focus: true });
  }

  #change(views: readonly JobView[]): void {
    for (const view of views) {
      const before = this.#views.get(view.id);
      this.#views.set(view.id, view);
      this.#list?.show(view);
      if (view.cancelled) {
        this.#drop(view.id);
        continue;
      }
      for (const anchor of view.anchors) this.#markAt(anchor);
      if (view.anchors.length === 0 && view.batch === null && this.#marks.get(view.id) === undefined) {
        this.#marks.set(view.id, this.#newMark(view.id, null));
      }
      for (const mark of this.#marksAt(view)) mark.show(view);
      this.#opened.changed(view);
      this.#tell(view, before);
    }
    this.#keepAsking();
  }

  /** Opens what ended by itself, and says so to those who do not see it. */
  #tell(view: JobView, before: JobView | undefined): void {
    if (view.look === before?.look && view.retryAt === before.retryAt) return;
    const ended = isEnded(view);
    if (view.batch !== null) {
      if (ended && this.#list?.done === true) this.#live.say(t("live_page_done", this.#list.jobs.length));
      return;
    }
    const mine = this.#marksOf(view).length > 0;
    if (!mine) return;
    this.#live.sayOf(view);
    if (ended || view.retryAt !== null) this.#opened.open(view, { focus: false });
  }

  #markAt(anchor: string): void {
    const sighting = this.#anchors.get(anchor);
    const before = this.#marks.get(anchor);
    if (sighting === undefined || before?.sighting === sighting) return;
    // Described anew, it is checked anew, or shows another picture: what was said of it is void.
    if (before?.job !== undefined) this.#drop(before.job);
    before?.remove();
    this.#marks.set(anchor, this.#newMark(anchor, sighting));
  }

  #newMark(name: string, sighting: Sighting | null): Mark {
    this.#mount.raise();
    return new Mark(this.#mount.root, sighting, this.#tracker, () => {
      const view = [...this.#views.values()].findLast(({ id, anchors }) => id === name || anchors.includes(name));
      if (view !== undefined) this.#opened.toggle(view);
    });
  }

  #marksAt({ id, anchors }: JobView): Mark[] {
    return [id, ...anchors].flatMap((name) => this.#marks.get(name) ?? []);
  }

  /** Not those that a later check of the same picture took over. */
  #marksOf(view: JobView): Mark[] {
    return this.#marksAt(view).filter(({ job = view.id }) => job === view.id);
  }

  /** Forgets a job and takes its marks away. */
  #drop(job: string): void {
    const view = this.#views.get(job);
    if (view === undefined) return;
    this.#opened.closeIf(job);
    for (const name of [job, ...view.anchors]) {
      const mark = this.#marks.get(name);
      if ((mark?.job ?? job) !== job) continue;
      mark?.remove();
      this.#marks.delete(name);
    }
    this.#views.delete(job);
  }

  #escape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (this.#picker !== null) this.#endPicking();
    else if (this.#opened.close()) { /* The panel went. */ }
    else if (this.#list !== null) this.#closeList();
    else if (this.#marks.size > 0) this.#clear();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #keepAsking(): void {
    if ([...this.#views.values()].every(isEnded)) {
      clearInterval(this.#sync);
      this.#sync = undefined;
    } else this.#sync ??= setInterval(() => void this.#ask(), SYNC_EVERY_MS);
  }

  async #ask(): Promise<void> {
    try {
      // Of many that ended the background forgets the oldest: they stay as they are.
      const jobs = [...this.#views.values()].filter((view) => !isEnded(view)).map(({ id }) => id);
      const views = await askBackground("jobs/sync", { jobs });
      this.#change(views);
      for (const job of jobs) if (!views.some(({ id }) => id === job)) this.#drop(job);
    } catch {
      if (isOrphaned()) this.end();
    }
  }

  #leave(): void {
    if (this.#views.size > 0) tellBackground("page/gone", {});
  }

  #settle(): void {
    if (!this.#mount.settled()) this.#mount.raise();
    this.#opened.place();
  }

  #clear(): void {
    for (const mark of this.#marks.values()) mark.remove();
    this.#marks.clear();
    this.#views.clear();
  }

  end(): void {
    this.#control.abort();
    this.#clear();
    this.#opened.close();
    this.#endPicking();
  }
}

/** Whether the extension was updated or removed under this page; then it is cut off from it. */
function isOrphaned(): boolean {
  const { runtime } = chrome as { readonly runtime?: { readonly id?: string } };
  return runtime?.id === undefined;
}

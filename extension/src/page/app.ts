/** Everything of ours in one frame: badges on pictures, one panel, one list, all ended by one signal. */

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
import { Badge } from "./badge";
import { Mount } from "./mount";
import { offered, Opened, sendToTeam } from "./opened";
import { Picker } from "./picker";
import { readPicture } from "./read";
import type { PagePicture } from "./page-picture";
import { Tracker } from "./track";

/** While something is under way the background is asked this often: it wakes a dead worker. */
const SYNC_EVERY_MS = 4000;

export class App {
  readonly #control = new AbortController();
  readonly #mount: Mount;
  readonly #anchors = new Anchors();
  readonly #tracker = new Tracker(() => { this.#settle(); });
  readonly #live: Live;
  readonly #views = new Map<string, JobView>();
  /** By anchor; pictures that the page does not show have their job's id. */
  readonly #badges = new Map<string, Badge>();
  readonly #opened: Opened;
  #list: PageList | null = null;
  #picker: Picker | null = null;
  #sync: ReturnType<typeof setInterval> | undefined;

  constructor(style: string) {
    const { signal } = this.#control;
    this.#mount = new Mount(signal, style);
    this.#live = new Live(this.#mount.root);
    this.#opened = new Opened(this.#mount, (view) => this.#badgesOf(view), () => (this.#list?.element.offsetWidth ?? 0));
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
    const choice = chosen(clicked, globalThis.unmaskRightClick ?? null);
    if (choice === null) {
      this.#pick();
      return null;
    }
    if (!("element" in choice)) return choice;
    return this.#begin(choice);
  }

  /** Marks a picture at once, before the background has answered. */
  #begin(pagePicture: PagePicture): Picture {
    const picture = this.#anchors.describe(pagePicture);
    for (const anchor of picture.anchors) this.#badgeAt(anchor);
    this.#live.say(t("live_started"));
    return picture;
  }

  #pick(): void {
    this.#picker?.remove();
    this.#picker = new Picker(this.#mount.root, (pagePicture) => {
      this.#endPicking();
      void askBackground("picture/picked", { picture: this.#begin(pagePicture) }).catch(() => { this.end(); });
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
      pagePicture: (anchor) => this.#anchors.get(anchor),
      offer: offered,
      send: sendToTeam,
      sendAgain: (job) => { tellBackground("team/again", { job }); },
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
    this.#badgesOf(view)[0]?.pagePicture?.element
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
      for (const anchor of view.anchors) this.#badgeAt(anchor);
      if (view.anchors.length === 0 && view.batch === null && this.#badges.get(view.id) === undefined) {
        this.#badges.set(view.id, this.#newBadge(view.id, null));
      }
      for (const badge of this.#badgesAt(view)) badge.show(view);
      this.#opened.changed(view);
      this.#tell(view, before);
    }
    this.#keepAsking();
  }

  /** Opens what ended by itself, and says so to those who do not see it. */
  #tell(view: JobView, before: JobView | undefined): void {
    if (view.look === before?.look && view.retryAt === before.retryAt) return;
    const hasEnded = isEnded(view);
    if (view.batch !== null) {
      if (hasEnded && this.#list?.done === true) this.#live.say(t("live_page_done", this.#list.jobs.length));
      return;
    }
    const mine = this.#badgesOf(view).length > 0;
    if (!mine) return;
    this.#live.sayOf(view);
    if (hasEnded || view.retryAt !== null) this.#opened.open(view, { focus: false });
  }

  #badgeAt(anchor: string): void {
    const pagePicture = this.#anchors.get(anchor);
    const before = this.#badges.get(anchor);
    if (pagePicture === undefined || before?.pagePicture === pagePicture) return;
    // Described again, the element is checked again or shows another picture: its badge is void.
    if (before?.job !== undefined) this.#drop(before.job);
    before?.remove();
    this.#badges.set(anchor, this.#newBadge(anchor, pagePicture));
  }

  #newBadge(name: string, pagePicture: PagePicture | null): Badge {
    this.#mount.raise();
    return new Badge(this.#mount.root, pagePicture, this.#tracker, () => {
      const view = [...this.#views.values()].findLast(({ id, anchors }) => id === name || anchors.includes(name));
      if (view !== undefined) this.#opened.toggle(view);
    });
  }

  #badgesAt({ id, anchors }: JobView): Badge[] {
    return [id, ...anchors].flatMap((name) => this.#badges.get(name) ?? []);
  }

  /** Not those that a later check of the same picture took over. */
  #badgesOf(view: JobView): Badge[] {
    return this.#badgesAt(view).filter(({ job = view.id }) => job === view.id);
  }

  /** Forgets a job and removes its badges. */
  #drop(job: string): void {
    const view = this.#views.get(job);
    if (view === undefined) return;
    this.#opened.closeIf(job);
    for (const name of [job, ...view.anchors]) {
      const badge = this.#badges.get(name);
      if ((badge?.job ?? job) !== job) continue;
      badge?.remove();
      this.#badges.delete(name);
    }
    this.#views.delete(job);
  }

  #escape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (this.#picker !== null) this.#endPicking();
    else if (this.#opened.close()) { /* The panel went. */ }
    else if (this.#list !== null) this.#closeList();
    else if (this.#badges.size > 0) this.#clear();
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
    for (const badge of this.#badges.values()) badge.remove();
    this.#badges.clear();
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

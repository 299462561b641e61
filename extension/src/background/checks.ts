/** What starts checks: one picture of a page, all of them, a file. */

import type { Picture, Spot } from "../shared/jobs";
import { isActive } from "../shared/jobs";
import { viewOf } from "../shared/view";
import { askPage } from "../shared/messages";
import { readSettings } from "../shared/settings";
import { inject } from "./inject";
import { spoken } from "./language";
import type { Runner } from "./runner";
import type { Store } from "./store";

export interface Clicked {
  readonly srcUrl: string | null;
  readonly linkUrl: string | null;
  readonly frame: number;
}

export class Checks {
  constructor(
    private readonly store: Store,
    private readonly runner: Runner,
  ) {}

  /** Checks what was right-clicked. */
  async clicked(tab: chrome.tabs.Tab, { srcUrl, linkUrl, frame }: Clicked): Promise<void> {
    if (tab.id === undefined) return;
    let [reached] = await inject(tab.id, { frame });
    // Into a frame of another site the browser does not let us: the answer is shown in the page.
    if (reached === undefined && frame !== 0) [reached] = await inject(tab.id, { frame: 0 });
    if (reached === undefined) {
      await this.#withoutPage(tab, srcUrl ?? linkUrl);
      return;
    }
    const spot = { tab: tab.id, frame: reached };
    const picture = await askPage(spot.tab, spot.frame, "picture/find", { srcUrl, linkUrl });
    if (picture !== null) await this.start(spot, picture, !tab.incognito);
  }

  async start(spot: Spot, picture: Picture, trace: boolean): Promise<void> {
    await this.store.load();
    this.#forgetAt(spot, picture);
    this.store.add({ spot, picture, trace });
    await this.runner.pump();
  }

  /** Checks every picture of a tab; false where the browser lets nobody into the page. */
  async all(tab: chrome.tabs.Tab): Promise<boolean> {
    if (tab.id === undefined) return false;
    const frames = await inject(tab.id, "all");
    if (!frames.includes(0)) return false;
    await Promise.all([this.store.load(), spoken()]);
    this.cancelBatches(tab.id);
    const { minimumSize } = await readSettings();
    const batch = crypto.randomUUID();
    const found = await Promise.all(
      frames.map(async (frame) => {
        const pictures = await askPage(tab.id ?? 0, frame, "page/collect", { minimumSize });
        return pictures.map((picture) => ({ spot: { tab: tab.id ?? 0, frame }, picture }));
      }),
    );
    const jobs = found.flat().map(({ spot, picture }) => {
      this.#forgetAt(spot, picture);
      return this.store.add({ spot, picture, batch, trace: !tab.incognito });
    });
    await askPage(tab.id, 0, "page/list", { jobs: jobs.map(viewOf) });
    await this.runner.pump();
    return true;
  }

  /** Checks a file that lies in the pictures' database under the job's id. */
  async file(stored: string, label: string, trace: boolean): Promise<void> {
    await this.store.load();
    const picture = { anchors: [], url: null, sameOrigin: false, size: null, label };
    this.store.add({ id: stored, spot: null, picture, stored: true, trace });
    await this.runner.pump();
  }

  /** Ends what is left of a tab's page-wide checks. */
  cancelBatches(tab: number): void {
    const left = this.store
      .all()
      .filter((job) => job.spot?.tab === tab && job.batch !== null && isActive(job));
    this.runner.cancel(left.map((job) => job.id));
  }

  /** A page where no script may run, such as the browser's own: the popup shows the answer. */
  async #withoutPage(tab: chrome.tabs.Tab, url: string | null): Promise<void> {
    const http = url !== null && /^https?:/.test(url);
    await this.store.load();
    const picture = { anchors: [], url: http ? url : null, sameOrigin: false, size: null, label: "" };
    const job = this.store.add({ spot: null, picture, trace: !tab.incognito });
    if (http) await this.runner.pump();
    else this.store.change(job.id, { state: "error", failure: { code: "page_blocked", message: "" } });
    await chrome.tabs.create({ url: chrome.runtime.getURL("popup.html?tab"), index: tab.index + 1 });
  }

  /** A picture that is checked again shows one chip, not two. */
  #forgetAt(spot: Spot, picture: Picture): void {
    for (const job of this.store.all()) {
      const here = job.spot?.tab === spot.tab && job.spot.frame === spot.frame;
      if (!here || !job.picture.anchors.some((anchor) => picture.anchors.includes(anchor))) continue;
      this.runner.cancel([job.id]);
      this.store.remove(job.id);
    }
  }
}

/** What starts checks: one picture of a page, all of them, a file. */

import type { Picture, TabFrame } from "../shared/jobs";
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
    const tabFrame = { tab: tab.id, frame: reached };
    const picture = await askPage(tabFrame.tab, tabFrame.frame, "picture/find", { srcUrl, linkUrl });
    if (picture !== null) await this.start(tabFrame, picture, !tab.incognito);
  }

  async start(tabFrame: TabFrame, picture: Picture, trace: boolean): Promise<void> {
    await this.store.load();
    this.#forgetAt(tabFrame, picture);
    this.store.add({ tabFrame, picture, trace });
    await this.runner.pump();
  }

  /** Checks every picture of a tab; false where the browser lets nobody into the page. */
  async all(tab: chrome.tabs.Tab): Promise<boolean> {
    const { id, incognito } = tab;
    if (id === undefined) return false;
    const frames = await inject(id, "all");
    if (!frames.includes(0)) return false;
    await Promise.all([this.store.load(), spoken()]);
    this.cancelBatches(id);
    const batch = crypto.randomUUID();
    const collections = await Promise.all(frames.map((frame) => collected({ tab: id, frame })));
    const jobs = collections.flat().map(({ tabFrame, picture }) => {
      this.#forgetAt(tabFrame, picture);
      return this.store.add({ tabFrame, picture, batch, trace: !incognito });
    });
    await askPage(id, 0, "page/list", { jobs: jobs.map(viewOf) });
    await this.runner.pump();
    return true;
  }

  /** Checks a file that lies in the pictures' database under the job's id. */
  async file(stored: string, label: string, trace: boolean): Promise<void> {
    await this.store.load();
    const picture = { anchors: [], url: null, sameOrigin: false, size: null, label };
    this.store.add({ id: stored, tabFrame: null, picture, stored: true, trace });
    await this.runner.pump();
  }

  /** Ends what is left of a tab's page-wide checks. */
  cancelBatches(tab: number): void {
    const waitingJobs = this.store
      .all()
      .filter((job) => job.tabFrame?.tab === tab && job.batch !== null && isActive(job));
    this.runner.cancel(waitingJobs.map((job) => job.id));
  }

  /** A page where no script may run, such as the browser's own: the popup shows the answer. */
  async #withoutPage(tab: chrome.tabs.Tab, address: string | null): Promise<void> {
    const http = address !== null && /^https?:/.test(address);
    await this.store.load();
    const picture = { anchors: [], url: http ? address : null, sameOrigin: false, size: null, label: "" };
    const job = this.store.add({ tabFrame: null, picture, trace: !tab.incognito });
    if (http) await this.runner.pump();
    else this.store.change(job.id, { state: "error", failure: { code: "page_blocked", message: "" } });
    // It is named: what is asked for in a private window shows nowhere else in an ordinary one.
    const url = chrome.runtime.getURL(`popup.html?tab=${job.id}`);
    await chrome.tabs.create({ url, index: tab.index + 1 });
  }

  /** A picture that is checked again shows one chip, not two. */
  #forgetAt(tabFrame: TabFrame, picture: Picture): void {
    for (const job of this.store.all()) {
      const isInFrame = job.tabFrame?.tab === tabFrame.tab && job.tabFrame.frame === tabFrame.frame;
      if (!isInFrame || !job.picture.anchors.some((anchor) => picture.anchors.includes(anchor))) continue;
      this.runner.cancel([job.id]);
      this.store.remove(job.id);
    }
  }
}

/** What a frame shows; nothing if it goes while it is asked. */
async function collected(tabFrame: TabFrame): Promise<{ tabFrame: TabFrame; picture: Picture }[]> {
  const { minimumSize } = await readSettings();
  const pictures = await askPage(tabFrame.tab, tabFrame.frame, "page/collect", { minimumSize }).catch(() => []);
  return pictures.map((picture) => ({ tabFrame, picture }));
}

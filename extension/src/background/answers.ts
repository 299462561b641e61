/** What the background does when it is asked. */

import { Api } from "../shared/api";
import { fromBase64 } from "../shared/bytes";
import { forgetAll } from "../shared/history";
import type { Job } from "../shared/jobs";
import { isActive, siteOf } from "../shared/jobs";
import { viewOf } from "../shared/view";
import type { PageSeen } from "../shared/messages";
import { askPage } from "../shared/messages";
import { keepOnly, putPicture } from "../shared/pictures";
import { readSettings } from "../shared/settings";
import { asTrouble } from "../shared/trouble";
import { captured } from "./capture";
import type { Checks } from "./checks";
import { heatmapOf } from "./heatmap";
import { spoken } from "./language";
import type { Answers, CallingFrame } from "./router";
import type { Runner } from "./runner";
import type { Store } from "./store";
import type { TeamDesk } from "./team-desk";

const SECONDS = 20;
/** Time for a page to hide what we drew before the screen is captured. */
const REPAINT_MS = 120;

export function answersOf(store: Store, runner: Runner, checks: Checks, desk: TeamDesk): Answers {
  /** The job, if it belongs to the page that asks. */
  async function own(id: string, { tab, frame }: CallingFrame): Promise<Job> {
    await store.load();
    const job = store.get(id);
    // The list of a page-wide check stands in the top frame, for the pictures of all frames.
    const isHere = job?.tabFrame?.tab === tab.id && (frame === 0 || job.tabFrame.frame === frame);
    if (!isHere) throw new Error("no such job");
    return job;
  }

  const allOwn = (ids: readonly string[], caller: CallingFrame): Promise<Job[]> => Promise.all(ids.map((id) => own(id, caller)));

  return {
    "picture/picked": async ({ picture }, { tab, frame }) => {
      await checks.start({ tab: tab.id, frame }, picture, !tab.incognito);
      return null;
    },
    "jobs/sync": async ({ jobs }, caller) => {
      await Promise.all([runner.pump(), spoken()]);
      const results = await Promise.allSettled(jobs.map((id) => own(id, caller)));
      return results.flatMap((job) => (job.status === "fulfilled" ? [viewOf(job.value)] : []));
    },
    "job/retry": async ({ job }, caller) => {
      runner.retry((await own(job, caller)).id);
      return null;
    },
    "job/cancel": async ({ job }, caller) => {
      runner.cancel([(await own(job, caller)).id]);
      return null;
    },
    "job/file": async ({ job, base64 }, caller) => {
      const { id } = await own(job, caller);
      await putPicture(id, new Blob([fromBase64(base64)]));
      runner.retry(id, { stored: true, means: "original", check: null, sha256: null });
      return null;
    },
    "job/capture": async ({ job, area }, caller) => {
      const { id } = await own(job, caller);
      const hide = (hidden: boolean) =>
        askPage(caller.tab.id, caller.frame, "page/hide", { hidden });
      try {
        await hide(true);
        await new Promise((resolve) => setTimeout(resolve, REPAINT_MS));
        await putPicture(id, await captured(caller.tab.windowId, area));
        runner.retry(id, { stored: true, means: "capture", check: null, sha256: null });
      } catch (error) {
        const { code, message } = asTrouble(error);
        store.change(id, { state: "error", failure: { code, message } });
      } finally {
        await hide(false).catch(() => undefined);
      }
      return null;
    },
    "job/allow": async ({ job }, caller) => {
      const { id, picture } = await own(job, caller);
      const query = new URLSearchParams({ job: id, site: siteOf(picture.url) ?? "" });
      await chrome.tabs.create({
        url: chrome.runtime.getURL(`allow.html?${query}`),
        index: caller.tab.index + 1,
        openerTabId: caller.tab.id,
      });
      return null;
    },
    "job/heatmap": async ({ job }, caller) => {
      const { check } = await own(job, caller);
      if (check === null) return null;
      const api = new Api(await readSettings());
      const signal = AbortSignal.timeout(SECONDS * 1000);
      return { base64: await heatmapOf(api, check, signal) };
    },
    "team/offer": async ({ jobs, page }, caller) => desk.offer(await allOwn(jobs, caller), pageOf(caller, page)),
    "team/send": async ({ jobs, page, withPage }, caller) => {
      await desk.send(await allOwn(jobs, caller), pageOf(caller, page), withPage);
      return null;
    },
    "team/again": async ({ job }, caller) => {
      const { check, trace } = await own(job, caller);
      if (check !== null) await desk.sendPlain(check, trace);
      return null;
    },
    "page/cancel": async (_, { tab }) => {
      await store.load();
      checks.cancelBatches(tab.id);
      return null;
    },
    "page/gone": async (_, { tab, frame }) => {
      await store.load();
      if (frame === 0) checks.cancelBatches(tab.id);
      return null;
    },
    "options/open": async () => {
      await chrome.runtime.openOptionsPage();
      return null;
    },
    "tab/check": async ({ tab }) => checks.all(await chrome.tabs.get(tab)),
    "file/check": async ({ stored, label, trace }) => {
      await checks.file(stored, label, trace);
      return null;
    },
    "history/clear": async () => {
      await forgetAll();
      await store.load();
      for (const job of store.all()) if (!isActive(job)) store.remove(job.id);
      await keepOnly(new Set(store.all().map((job) => job.id)));
      return null;
    },
    "job/again": async ({ job }) => {
      await store.load();
      if (store.get(job)?.state === "error") runner.retry(job);
      return null;
    },
    "check/send": async ({ check }) => {
      await store.load();
      await desk.sendPlain(check, store.all().find((job) => job.check === check)?.trace ?? true);
      return null;
    },
  };
}

/** The tab's own page, where the browser tells it; a frame knows only its own. */
function pageOf({ tab }: CallingFrame, seen: PageSeen): PageSeen {
  return tab.url === undefined ? seen : { url: tab.url, title: tab.title ?? seen.title };
}

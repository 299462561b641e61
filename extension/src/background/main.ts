/** The background: its listeners, all set while it starts, so that each event wakes it. */

import { remember } from "../shared/history";
import type { Job } from "../shared/jobs";
import { viewOf } from "../shared/view";
import { keepOnly } from "../shared/pictures";
import { readSettings } from "../shared/settings";
import { answersOf } from "./answers";
import { keepAwake } from "./awake";
import { Checks } from "./checks";
import { tellPage } from "./inject";
import { languageMayHaveChanged, spoken } from "./language";
import { makeMenus, whatWasClicked } from "./menu";
import { followPermissions, mayReachServer } from "./permissions";
import { route } from "./router";
import { Runner } from "./runner";
import { Store } from "./store";
import { TEAM_ALARM, TeamDesk } from "./team-desk";
import { takeThumbnail } from "./thumbnail";

const store = new Store((job) => void tell(job));
const runner = new Runner(store, keep, keepAwake);
const checks = new Checks(store, runner);
const desk = new TeamDesk(store);

route(answersOf(store, runner, checks, desk));

chrome.runtime.onInstalled.addListener(({ reason }) => {
  void makeMenus();
  void followPermissions();
  if (reason === "install") void welcome();
});
chrome.runtime.onStartup.addListener(() => {
  void keepOnly(new Set());
  void desk.flush();
  void makeMenus();
  void followPermissions();
});
chrome.permissions.onAdded.addListener(() => void followPermissions());
chrome.permissions.onRemoved.addListener(() => void followPermissions());
chrome.storage.local.onChanged.addListener(({ settings }) => {
  if (settings === undefined) return;
  languageMayHaveChanged();
  void makeMenus();
});
chrome.contextMenus.onClicked.addListener((info, tab) => {
  if (tab === undefined) return;
  if (info.menuItemId === "check-image") void checks.clicked(tab, whatWasClicked(info));
  if (info.menuItemId === "check-page") void checks.all(tab);
});
chrome.tabs.onRemoved.addListener((tab) => {
  void store.load().then(() => { checks.cancelBatches(tab); });
});
chrome.alarms.onAlarm.addListener(({ name }) => void (name === TEAM_ALARM ? desk.flush() : runner.pump()));

closeToPages(chrome.storage.local);
// Whatever ended the worker's earlier life, what was under way goes on.
void runner.pump();

/** Keeps the API key and the history from scripts in web pages, where the browser can. */
function closeToPages(area: Partial<chrome.storage.StorageArea>): void {
  void area.setAccessLevel?.({ accessLevel: "TRUSTED_CONTEXTS" });
}

async function welcome(): Promise<void> {
  if (!(await mayReachServer())) await chrome.runtime.openOptionsPage();
}

async function tell(job: Job): Promise<void> {
  if (job.tabFrame === null) return;
  await spoken();
  const view = [viewOf(job)];
  tellPage(job.tabFrame.tab, job.tabFrame.frame, view);
  if (job.batch !== null && job.tabFrame.frame !== 0) tellPage(job.tabFrame.tab, 0, view);
}

async function keep(job: Job): Promise<void> {
  const thumbnail = await takeThumbnail(job.id);
  const { keepHistory } = await readSettings();
  if (keepHistory && job.trace) await remember(job, thumbnail);
  void desk.ended(job);
}

/** Checks that ended, newest first, in storage.local under `history`: only while they are kept. */

import { originInstead, shownVerdict } from "./evidence";
import type { Job } from "./jobs";
import type { Verdict } from "./report";
import type { TeamAnswer } from "./team";

export interface Past {
  readonly check: string;
  readonly server: string;
  readonly verdict: Verdict;
  readonly probability: number | null;
  /** What the file says of the picture's origin; entries of earlier versions have none. */
  readonly origin?: ReturnType<typeof originInstead>;
  readonly label: string;
  readonly when: number;
  /** A data: URL of a small picture. */
  readonly thumbnail: string | null;
  /** What the team has on the picture. */
  readonly team?: PastTeam;
}

export interface PastTeam {
  readonly slug: string;
  readonly case: number;
  readonly answer: TeamAnswer | null;
}

const MOST = 50;

export async function readHistory(): Promise<readonly Past[]> {
  const { history } = await chrome.storage.local.get("history");
  return (history as readonly Past[] | undefined) ?? [];
}

/** Adds a check; an older entry of the same check goes. */
export async function remember(job: Job, thumbnail: string | null): Promise<void> {
  const { check, report, server } = job;
  if (check === null || report === null || server === null) return;
  const past: Past = {
    check,
    server,
    verdict: shownVerdict(report),
    origin: originInstead(report),
    probability: report.fake_probability,
    label: job.picture.label,
    when: Date.now(),
    thumbnail,
  };
  await alone(async () => {
    const before = (await readHistory()).filter((other) => other.check !== past.check);
    await chrome.storage.local.set({ history: [past, ...before].slice(0, MOST) });
  });
}

/** Adds what the team has on a check's picture, if the check is kept. */
export async function rememberTeam(check: string, team: PastTeam): Promise<void> {
  await alone(async () => {
    const history = await readHistory();
    if (!history.some((past) => past.check === check)) return;
    await chrome.storage.local.set({ history: history.map((past) => (past.check === check ? { ...past, team } : past)) });
  });
}

export async function forgetAll(): Promise<void> {
  await alone(() => chrome.storage.local.remove("history"));
}

let last: Promise<unknown> = Promise.resolve();

/** One change after the other: two at once would lose one. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const next = last.then(work, work);
  last = next.catch(() => undefined);
  return next;
}

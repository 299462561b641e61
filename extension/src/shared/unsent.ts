/** Checks that were sent to the team and have not reached it: they outlive the worker and, but for
 * those of private windows, the browser. */

import type { Failure } from "./jobs";
import type { Source } from "./team";

export interface Unsent {
  readonly check: string;
  readonly server: string;
  readonly slug: string;
  readonly source: Source;
  /** Private windows leave no trace. */
  readonly trace: boolean;
  readonly failure: Failure | null;
}

const NAME = "unsent";

export async function readUnsent(): Promise<readonly Unsent[]> {
  const areas = [chrome.storage.local, chrome.storage.session];
  return (await Promise.all(areas.map(listIn))).flat();
}

/** Keeps one; an older entry of the same check goes. */
export async function putUnsent(entry: Unsent): Promise<void> {
  await change(entry, (entries) => [...entries, entry]);
}

export async function dropUnsent(entry: Unsent): Promise<void> {
  await change(entry, (entries) => entries);
}

async function listIn(area: chrome.storage.StorageArea): Promise<readonly Unsent[]> {
  return ((await area.get(NAME))[NAME] as readonly Unsent[] | undefined) ?? [];
}

let last: Promise<unknown> = Promise.resolve();

/** One change after the other: two at once would lose one. */
function change({ check, server, trace }: Unsent, then: (others: readonly Unsent[]) => readonly Unsent[]): Promise<void> {
  const area = trace ? chrome.storage.local : chrome.storage.session;
  const next = last.then(async () => {
    const others = (await listIn(area)).filter((other) => other.check !== check || other.server !== server);
    await area.set({ [NAME]: then(others) });
  });
  last = next.catch(() => undefined);
  return next;
}

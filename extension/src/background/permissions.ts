/** What the browser lets us read; asking for more happens on our own pages, by a button. */

import { EVERYWHERE, hostPattern, readSettings } from "../shared/settings";

export async function mayRead(address: string): Promise<boolean> {
  try {
    return await chrome.permissions.contains({ origins: [hostPattern(address)] });
  } catch {
    return false; // Not an address that a permission exists for.
  }
}

export async function mayReachServer(): Promise<boolean> {
  return mayRead((await readSettings()).serverUrl);
}

/** Where every site may be read, a script of one listener notes where the last right click was.
 * Elsewhere the person points at the picture once more. */
export async function followPermissions(): Promise<void> {
  const id = "right-click";
  const [registered, everywhere] = await Promise.all([
    chrome.scripting.getRegisteredContentScripts({ ids: [id] }),
    chrome.permissions.contains(EVERYWHERE),
  ]);
  if (everywhere && registered.length === 0) {
    await chrome.scripting.registerContentScripts([
      { id, js: ["right-click.js"], matches: EVERYWHERE.origins, allFrames: true, runAt: "document_start" },
    ]);
  } else if (!everywhere && registered.length > 0) {
    await chrome.scripting.unregisterContentScripts({ ids: [id] });
  }
}

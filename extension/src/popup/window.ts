/** The window that the popup belongs to. */

/** Asked of the window: the browser runs one popup's script for private windows and others. */
export async function inPrivateWindow(): Promise<boolean> {
  return (await chrome.windows.getCurrent()).incognito;
}

/** Allowing all sites at once, and taking it back. */

import { t } from "../shared/i18n";
import { part } from "../shared/own-page";
import { EVERYWHERE } from "../shared/settings";

export async function everySite(): Promise<void> {
  const state = part("#sites-state");
  const allow = part("#sites-allow", HTMLButtonElement);
  const forbid = part("#sites-forbid", HTMLButtonElement);
  const show = async (): Promise<void> => {
    const allowed = await chrome.permissions.contains(EVERYWHERE);
    state.textContent = t(allowed ? "sites_allowed" : "sites_asked");
    allow.hidden = allowed;
    forbid.hidden = !allowed;
  };
  allow.onclick = () => void chrome.permissions.request(EVERYWHERE).then(show);
  forbid.onclick = () => void chrome.permissions.remove(EVERYWHERE).then(show, show);
  await show();
}

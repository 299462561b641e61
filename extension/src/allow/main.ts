/** Explains why a site's permission is asked for, and asks for it. */

import { t } from "../shared/i18n";
import { askBackground } from "../shared/messages";
import { part, preparePage } from "../shared/own-page";
import { hostPattern } from "../shared/settings";
import { siteOf } from "../shared/jobs";

async function start(): Promise<void> {
  await preparePage();
  const query = new URLSearchParams(location.search);
  const site = siteOf(query.get("site"));
  const job = query.get("job") ?? "";
  if (site === null) return;
  const { host } = new URL(site);
  part("#why").textContent = t("allow_why", host);
  const allow = part("#allow", HTMLButtonElement);
  allow.textContent = t("allow_site", host);
  allow.onclick = () => {
    void chrome.permissions.request({ origins: [hostPattern(site)] }).then(async (granted) => {
      if (!granted) {
        part("#said").textContent = t("allow_refused");
        return;
      }
      await askBackground("job/again", { job });
      window.close();
    });
  };
  part("#leave", HTMLButtonElement).onclick = () => { window.close(); };
}

void start();

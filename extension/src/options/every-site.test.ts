import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { showPage } from "../testing/pages";
import { everySite } from "./every-site";

const EVERYWHERE = { origins: ["*://*/*"] };
let chromeApi: FakeChrome;
let allowed: boolean;

beforeEach(() => {
  chromeApi = installChrome();
  showPage("options.html");
  allowed = false;
  chromeApi.permissions.contains.mockImplementation(() => Promise.resolve(allowed));
  chromeApi.permissions.request.mockImplementation(() => Promise.resolve(allowed = true));
  chromeApi.permissions.remove.mockImplementation(() => { allowed = false; return Promise.resolve(true); });
});

function press(id: string): void {
  document.getElementById(id)?.click();
}

async function says(words: string, offered: string): Promise<void> {
  await vi.waitFor(() => { expect(document.getElementById("sites-state")?.textContent).toBe(words); });
  const buttons = ["sites-allow", "sites-forbid"].filter((id) => document.getElementById(id)?.hidden === false);
  expect(buttons).toEqual([offered]);
}

it("allows all sites by its button only, and takes it back", async () => {
  await everySite();
  await says("Unmask asks for each site when it is needed.", "sites-allow");
  expect(chromeApi.permissions.request).not.toHaveBeenCalled();
  press("sites-allow");
  await says("Unmask may read pictures on all sites.", "sites-forbid");
  expect(chromeApi.permissions.request).toHaveBeenCalledWith(EVERYWHERE);
  press("sites-forbid");
  await says("Unmask asks for each site when it is needed.", "sites-allow");
  expect(chromeApi.permissions.remove).toHaveBeenCalledWith(EVERYWHERE);
});

import { beforeEach, expect, it } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { followPermissions, mayRead } from "./permissions";

let chromeApi: FakeChrome;
beforeEach(() => { chromeApi = installChrome(); });

it("asks for a site's host, and for nothing that is no site", async () => {
  expect(await mayRead("https://cdn.example:8443/a.jpg")).toBe(true);
  expect(chromeApi.permissions.contains).toHaveBeenCalledWith({ origins: ["https://cdn.example/*"] });
  expect(await mayRead("nothing")).toBe(false);
});

it("notes right clicks only where every site may be read", async () => {
  await followPermissions();
  expect(chromeApi.scripting.registerContentScripts).toHaveBeenCalledOnce();
  chromeApi.permissions.contains.mockResolvedValue(false);
  chromeApi.scripting.getRegisteredContentScripts.mockResolvedValue([{ id: "right-click" }]);
  await followPermissions();
  expect(chromeApi.scripting.unregisterContentScripts).toHaveBeenCalledOnce();
});

import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { inject } from "./inject";

let chromeApi: FakeChrome;
beforeEach(() => { chromeApi = installChrome(); });

it("puts the script in and hands it the chosen language", async () => {
  chromeApi.storage.local.values["settings"] = { language: "te" };
  vi.stubGlobal("fetch", () => Promise.resolve(new Response('{"close": {"message": "మూసివేయి"}}')));
  expect(await inject(7, { frame: 3 })).toEqual([0]);
  expect(chromeApi.scripting.executeScript.mock.calls[0]?.[0]).toMatchObject({ target: { tabId: 7, frameIds: [3] } });
  expect(chromeApi.tabs.sendMessage.mock.calls[0]?.[1]).toEqual({
    call: "page/hello", request: { texts: { close: "మూసివేయి" }, language: "te", style: expect.any(String) as string },
  });
});

it("leaves out frames that went meanwhile, and pages that are closed to it", async () => {
  chromeApi.scripting.executeScript.mockResolvedValue([{ frameId: 0 }, { frameId: 4 }]);
  chromeApi.tabs.sendMessage.mockResolvedValueOnce({ value: null }).mockRejectedValueOnce(new Error("gone"));
  expect(await inject(7, "all")).toEqual([0]);
  chromeApi.scripting.executeScript.mockRejectedValue(new Error("cannot access"));
  expect(await inject(7, "all")).toEqual([]);
});

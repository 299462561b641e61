import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { showPage } from "../testing/pages";

let chromeApi: FakeChrome;
const close = vi.fn();

async function open(site: string): Promise<void> {
  history.replaceState(null, "", `?${new URLSearchParams({ job: "job-1", site })}`);
  vi.resetModules();
  await import("./main");
}

beforeEach(() => {
  chromeApi = installChrome();
  showPage("allow.html");
  close.mockReset();
  vi.stubGlobal("close", close);
});

function words(id: string): string {
  return document.getElementById(id)?.textContent ?? "";
}

async function allow(): Promise<void> {
  await vi.waitFor(() => { expect(words("allow")).toBe("Allow reading pictures from cdn.example:8443"); });
  document.getElementById("allow")?.click();
}

it("says why before it asks, for that site alone, and has the check tried again", async () => {
  await open("https://cdn.example:8443");
  await vi.waitFor(() => { expect(words("why")).toContain("The picture lies on cdn.example:8443"); });
  expect(chromeApi.permissions.request).not.toHaveBeenCalled();
  await allow();
  await vi.waitFor(() => { expect(close).toHaveBeenCalledOnce(); });
  expect(chromeApi.permissions.request).toHaveBeenCalledWith({ origins: ["https://cdn.example/*"] });
  expect(chromeApi.runtime.sendMessage).toHaveBeenCalledWith({ call: "job/again", request: { job: "job-1" } });
});

it("names the other ways where the person refuses", async () => {
  chromeApi.permissions.request.mockResolvedValue(false);
  await open("https://cdn.example:8443");
  await allow();
  await vi.waitFor(() => { expect(words("said")).toContain("choose the file"); });
  expect(chromeApi.runtime.sendMessage).not.toHaveBeenCalled();
  expect(close).not.toHaveBeenCalled();
});

it("asks for nothing that is no site", async () => {
  await open("javascript:alert(1)");
  await vi.waitFor(() => { expect(words("leave")).toBe("Not now"); });
  document.getElementById("allow")?.click();
  expect(chromeApi.permissions.request).not.toHaveBeenCalled();
});

import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { job, PICTURE } from "../testing/examples";
import { obtain } from "./obtain";

const { signal } = new AbortController();
let chromeApi: FakeChrome;
const web = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

beforeEach(() => {
  chromeApi = installChrome();
  web.mockReset();
  web.mockImplementation(() => Promise.resolve(new Response("from the web", { headers: { "Content-Type": "image/jpeg" } })));
  vi.stubGlobal("fetch", web);
  chromeApi.tabs.sendMessage.mockResolvedValue({ value: { base64: btoa("from the page") } });
});

async function textOf(changes: Parameters<typeof job>[0]): Promise<string | null> {
  return (await obtain(job(changes), signal))?.text() ?? null;
}

it("lets the page read what is its own", async () => {
  expect(await textOf({})).toBe("from the page");
  expect(web).not.toHaveBeenCalled();
});

it("reads other sites itself, with their cookies, as an <img> would ask", async () => {
  expect(await textOf({ picture: { ...PICTURE, sameOrigin: false } })).toBe("from the web");
  const init = web.mock.calls[0]?.[1];
  expect(init?.credentials).toBe("include");
  expect(new Headers(init?.headers).get("Accept")).toContain("image/avif");
});

it("asks the page where it may not read itself", async () => {
  chromeApi.permissions.contains.mockResolvedValue(false);
  expect(await textOf({ picture: { ...PICTURE, sameOrigin: false } })).toBe("from the page");
  expect(web).not.toHaveBeenCalled();
});

it("takes no page for a picture, and goes on without the page it came from", async () => {
  web.mockImplementation(() => Promise.resolve(new Response("<html>sign in", { headers: { "Content-Type": "text/html" } })));
  chromeApi.tabs.sendMessage.mockRejectedValue(new Error("no receiving end"));
  expect(await textOf({})).toBeNull();
});

it("takes a picture that its site calls a page", async () => {
  const headers = { "Content-Type": "text/html; charset=utf-8" };
  web.mockImplementation(() => Promise.resolve(new Response("\xff\xd8\xff\xe0\0\x10JFIF", { headers })));
  expect(await textOf({ picture: { ...PICTURE, sameOrigin: false } })).toContain("JFIF");
});

it("has no way but the page to what the page made", async () => {
  const picture = { ...PICTURE, url: null };
  expect(await textOf({ picture })).toBe("from the page");
  chromeApi.tabs.sendMessage.mockResolvedValue({ value: null });
  await expect(obtain(job({ picture }), signal)).rejects.toMatchObject({ code: "no_bytes" });
});

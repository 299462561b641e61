import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { noteThumbnail, takeThumbnail } from "./thumbnail";

let chromeApi: FakeChrome;
beforeEach(() => {
  chromeApi = installChrome();
  vi.stubGlobal("createImageBitmap", () => Promise.resolve({ width: 8, height: 8, close: vi.fn() }));
  vi.stubGlobal("OffscreenCanvas", class {
    getContext(): null { return null; }
    convertToBlob(): Promise<Blob> { return Promise.resolve(new Blob(["small"], { type: "image/webp" })); }
  });
});

it("is kept until it is taken", async () => {
  await noteThumbnail("a", new Blob(), new AbortController().signal);
  expect(await takeThumbnail("a")).toBe(`data:image/webp;base64,${btoa("small")}`);
  expect(chromeApi.storage.session.values).toEqual({});
});

it("is not kept for a job that was ended while it was drawn", async () => {
  const control = new AbortController();
  const noting = noteThumbnail("a", new Blob(), control.signal);
  control.abort();
  await noting;
  expect(chromeApi.storage.session.values).toEqual({});
});

it("is none where the browser does not read the format", async () => {
  vi.stubGlobal("createImageBitmap", () => Promise.reject(new Error("what is this")));
  await noteThumbnail("a", new Blob(), new AbortController().signal);
  expect(await takeThumbnail("a")).toBeNull();
});

import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, it, vi } from "vitest";
import { dropPicture, getPicture, keepOnly, putPicture } from "./pictures";

beforeEach(() => { vi.stubGlobal("indexedDB", new IDBFactory()); });

it("gives back what was put, until it is dropped", async () => {
  await putPicture("a", new Blob(["one"]));
  await putPicture("b", new Blob(["two"]));
  expect((await getPicture("a"))?.size).toBe(3);
  await keepOnly(new Set(["b"]));
  expect(await getPicture("a")).toBeNull();
  await dropPicture("b");
  expect(await getPicture("b")).toBeNull();
});

import { afterEach, expect, it, vi } from "vitest";

afterEach(() => { globalThis.unmaskRightClick = undefined; });

it("notes where the last right click was, by one listener however often it is put in", async () => {
  const adding = vi.spyOn(globalThis, "addEventListener");
  for (let count = 0; count < 3; count++) {
    vi.resetModules();
    await import("./right-click");
  }
  expect(adding.mock.calls.filter(([type]) => type === "contextmenu")).toHaveLength(1);
  expect(globalThis.unmaskRightClick).toBeNull();
  dispatchEvent(Object.assign(new Event("contextmenu"), { x: 3, y: 4 }));
  expect(globalThis.unmaskRightClick).toEqual({ x: 3, y: 4 });
});

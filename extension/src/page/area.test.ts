import { expect, it, vi } from "vitest";
import { areaInTab } from "./area";

const PICTURE = { x: 10, y: 20, width: 100, height: 50 };

function frame(left: number, top: number): Element {
  return { getBoundingClientRect: () => ({ left, top }), clientLeft: 2, clientTop: 2 } as unknown as Element;
}

it("is the rectangle itself in the top frame", () => {
  expect(areaInTab(PICTURE)).toEqual({ ...PICTURE, viewport: innerWidth });
});

it("adds where the frame stands, and gives up in a frame of another site", () => {
  const outer = { innerWidth: 900 } as unknown as Window;
  Object.assign(outer, { parent: outer });
  vi.stubGlobal("window", { parent: outer, frameElement: frame(200, 100), top: outer });
  expect(areaInTab(PICTURE)).toEqual({ x: 212, y: 122, width: 100, height: 50, viewport: 900 });
  vi.stubGlobal("window", { parent: outer, frameElement: null, top: outer });
  expect(areaInTab(PICTURE)).toBeNull();
});

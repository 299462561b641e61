import { expect, it } from "vitest";
import { inPixels } from "./capture";

it("finds the picture in a screenshot of another density", () => {
  expect(inPixels({ x: 10, y: 20, width: 100, height: 50, viewport: 1000 }, 2000, 1200)).toEqual({ x: 20, y: 40, width: 200, height: 100 });
});

it("cuts at the edges", () => {
  expect(inPixels({ x: -50, y: 550, width: 100, height: 100, viewport: 1000 }, 1000, 600)).toEqual({ x: 0, y: 550, width: 50, height: 50 });
  expect(inPixels({ x: 1200, y: 0, width: 10, height: 10, viewport: 1000 }, 1000, 600).width).toBe(0);
});

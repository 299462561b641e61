import { expect, it } from "vitest";
import { paint } from "./heatmap";

it("leaves what is not suspicious clear, and the rest warmer and denser", () => {
  const pixels = new Uint8ClampedArray([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]);
  paint(pixels);
  const alphas = [pixels[3], pixels[7], pixels[11]];
  expect(alphas[0]).toBe(0);
  expect([...alphas].sort((a = 0, b = 0) => a - b)).toEqual(alphas);
  expect([...pixels.slice(8)]).toEqual([252, 255, 163, 224]);
});

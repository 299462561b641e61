import { expect, it, vi } from "vitest";
import { bestOf } from "./srcset";

it.each([
  ["a.jpg", 1, "a.jpg"],
  ["a.jpg 1x, b.jpg 2x", 2, "b.jpg"],
  ["a.jpg 1x, b.jpg 2x", 1, "a.jpg"],
  ["s.jpg 200w, m.jpg 450w, l.jpg 900w", 1, "m.jpg"],
  ["s.jpg 200w,m.jpg 450w,l.jpg 900w", 2, "l.jpg"],
  ["https://a.example/c_fill,w_400/x.jpg 400w, https://a.example/c_fill,w_800/x.jpg 800w", 2, "https://a.example/c_fill,w_800/x.jpg"],
  ["  ", 1, null],
])("takes of %j on a screen of density %j the picture %j", (srcset, density, url) => {
  vi.stubGlobal("devicePixelRatio", density);
  expect(bestOf(srcset, 400)).toBe(url);
});

import { afterEach, expect, it, vi } from "vitest";
import { at, image } from "../testing/layout";
import { backgroundSize, fitted, paintedIn, visiblePart } from "./place";
import { pictureIn } from "./page-picture";

const BOX = { width: 200, height: 200 };
const WIDE = { width: 400, height: 100 };

afterEach(() => { document.body.replaceChildren(); });

it.each([
  ["fill", 200, 200],
  ["contain", 200, 50],
  ["cover", 800, 200],
  ["none", 400, 100],
  ["scale-down", 200, 50],
])("fits a wide picture by %s", (fit, width, height) => {
  expect(fitted(fit, BOX, WIDE)).toEqual({ width, height });
});

it("does not enlarge what is scaled down", () => {
  expect(fitted("scale-down", BOX, { width: 100, height: 50 })).toEqual({ width: 100, height: 50 });
});

it.each([
  ["auto", 400, 100],
  ["cover", 800, 200],
  ["50%", 100, 25],
  ["auto 50px", 200, 50],
  ["120px 80px, cover", 120, 80],
])("sizes a background by %s", (value, width, height) => {
  expect(backgroundSize(value, BOX, WIDE)).toEqual({ width, height });
});

it("finds the painted part within border, padding and object-fit", () => {
  const element = image("https://a.example/1.jpg", [0, 0, 220, 220], { width: 400, height: 100 });
  element.style.cssText = "object-fit: contain; object-position: 50% 100%; padding: 6px; border: 4px solid";
  const pagePicture = pictureIn(element);
  if (pagePicture === null) throw new Error("no picture");
  const painted = paintedIn(pagePicture, { x: 0, y: 0, width: 220, height: 220 }, { width: 400, height: 100 });
  expect(painted).toEqual({ x: 10, y: 160, width: 200, height: 50 });
});

it("shows no more than the window and the scrolling ancestors let through", () => {
  vi.stubGlobal("innerWidth", 1000);
  vi.stubGlobal("innerHeight", 800);
  const scroller = document.createElement("div");
  scroller.style.overflow = "auto";
  const element = image("https://a.example/1.jpg", [50, 60, 400, 300]);
  document.body.append(scroller);
  scroller.append(element);
  at(scroller, 50, 100, 200, 100);
  expect(visiblePart(element)).toEqual({ x: 50, y: 100, width: 200, height: 100 });
  at(scroller, 50, 2000, 200, 100);
  expect(visiblePart(element)).toBeNull();
});

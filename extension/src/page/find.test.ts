import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { installChrome } from "../testing/chrome";
import { at, image } from "../testing/layout";
import { allPictures, pictureAt, pictureOf } from "./find";

beforeEach(() => {
  installChrome();
  vi.stubGlobal("innerWidth", 1000);
  vi.stubGlobal("innerHeight", 800);
  Element.prototype.checkVisibility = () => true;
});
afterEach(() => { document.body.replaceChildren(); });

function stack(...elements: Element[]): void {
  document.elementsFromPoint = () => elements;
}

it("finds a picture under what covers it", () => {
  const picture = image("https://a.example/1.jpg", [0, 0, 300, 200]);
  const cover = document.createElement("div");
  cover.style.backgroundImage = 'url("https://a.example/veil.png")';
  document.body.append(cover);
  at(cover, 0, 0, 300, 200);
  stack(cover, picture, document.body);
  expect(pictureAt({ x: 10, y: 10 })?.element).toBe(picture);
});

it("passes over icons", () => {
  const picture = image("https://a.example/1.jpg", [0, 0, 300, 200]);
  const icon = image("https://a.example/zoom.png", [0, 0, 16, 16]);
  stack(icon, picture);
  expect(pictureAt({ x: 10, y: 10 })?.element).toBe(picture);
});

it("finds what lets the pointer through", () => {
  const picture = image("https://a.example/1.jpg", [0, 0, 300, 200]);
  stack(document.body);
  expect(pictureAt({ x: 10, y: 10 })?.element).toBe(picture);
  expect(pictureAt({ x: 500, y: 10 })).toBeNull();
});

it("looks into open shadow roots", () => {
  const host = document.createElement("x-photo");
  document.body.append(host);
  const picture = image("https://a.example/1.jpg", [0, 0, 300, 200]);
  host.attachShadow({ mode: "open" }).append(picture);
  expect(pictureOf("https://a.example/1.jpg", null)?.element).toBe(picture);
});

it("looks into closed shadow roots, as the browser lets extensions do", () => {
  const host = document.createElement("x-photo");
  const closed = host.attachShadow({ mode: "closed" });
  document.body.append(host);
  const picture = image("https://a.example/1.jpg", [0, 0, 300, 200]);
  closed.append(picture);
  expect(allPictures(100)).toEqual([]);
  Object.assign(chrome, { dom: { openOrClosedShadowRoot: (element: Element) => (element === host ? closed : null) } });
  expect(allPictures(100).map(({ element }) => element)).toEqual([picture]);
  expect(pictureOf("https://a.example/1.jpg", null)?.element).toBe(picture);
});

it("takes the one that was clicked of several with one address, else the one that shows most", () => {
  const small = image("https://a.example/1.jpg", [0, 0, 100, 100]);
  const large = image("https://a.example/1.jpg", [200, 0, 300, 200]);
  expect(pictureOf("https://a.example/1.jpg", { x: 5, y: 5 })?.element).toBe(small);
  expect(pictureOf("https://a.example/1.jpg", null)?.element).toBe(large);
});

it("leaves out of a page what is small in itself or small on the page", () => {
  const picture = image("https://a.example/1.jpg", [0, 0, 300, 200]);
  image("https://a.example/2.jpg", [0, 0, 60, 60]);
  image("https://a.example/3.jpg", [0, 0, 300, 300], { width: 32, height: 32 });
  expect(allPictures(100).map(({ element }) => element)).toEqual([picture]);
});

import { afterEach, expect, it } from "vitest";
import { at, image } from "../testing/layout";
import { backgroundOf, pictureIn, stillShows } from "./page-picture";

const BOX = [0, 0, 400, 400] as const;
const DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
const PICTURE = "https://a.example/photo.jpg";
const LARGE = { width: 400, height: 400 };

afterEach(() => { document.body.replaceChildren(); });

function placeholder(attributes: Record<string, string>, src = DOT, natural = { width: 1, height: 1 }): HTMLImageElement {
  const element = image(src, BOX, natural);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

it.each([
  "data-src", "data-original", "data-lazy-src", "data-lazy", "data-url", "data-img-src", "data-actualsrc",
  "data-delayed-url", "data-hi-res-src", "data-some-name-of-their-own",
])("finds the address in %s", (name) => {
  const element = placeholder({ [name]: PICTURE });
  const picture = pictureIn(element);
  expect(picture).toMatchObject({ url: PICTURE, isWaiting: true, size: null });
  expect(picture !== null && stillShows(picture)).toBe(true);
});

it.each(["data-srcset", "data-lazy-srcset", "data-original-set"])("finds the address in %s", (name) => {
  expect(pictureIn(placeholder({ [name]: `https://a.example/small.jpg 100w, ${PICTURE} 400w` }))?.url).toBe(PICTURE);
});

it("finds the address in the source that the browser would choose", () => {
  const element = placeholder({ "data-src": "https://a.example/other.jpg" });
  const picture = document.createElement("picture");
  for (const [type, set] of [["image/jxl", "https://a.example/a.jxl"], ["image/webp", PICTURE]] as const) {
    const source = document.createElement("source");
    source.type = type;
    source.setAttribute("data-srcset", set);
    picture.append(source);
  }
  document.body.append(picture);
  picture.append(element);
  expect(pictureIn(element)?.url).toBe(PICTURE);
});

it.each([
  ["of few pixels, drawn larger", "https://a.example/tiny.jpg", { width: 32, height: 32 }],
  ["inline and as large as its box", "data:image/png;base64,AAAA", LARGE],
  ["that says so in its name", "https://a.example/img/placeholder.png", LARGE],
])("knows a placeholder %s", (_, src, natural) => {
  expect(pictureIn(placeholder({ "data-src": PICTURE }, src, natural))?.url).toBe(PICTURE);
});

it("knows a placeholder that is blurred", () => {
  const element = placeholder({ "data-src": PICTURE, style: "filter: blur(20px)" }, "https://a.example/low.jpg", LARGE);
  expect(pictureIn(element)?.url).toBe(PICTURE);
});

it("takes what is shown where the picture has been loaded", () => {
  const element = placeholder({ "data-src": PICTURE, "data-full-src": PICTURE }, "https://a.example/640/photo.jpg", LARGE);
  expect(pictureIn(element)).toMatchObject({ url: "https://a.example/640/photo.jpg", isWaiting: false, size: LARGE });
});

it("judges the small picture that a page draws large, not what a click on it opens", () => {
  const element = placeholder({ "data-zoom": PICTURE }, "https://a.example/thumb.jpg", { width: 150, height: 150 });
  expect(pictureIn(element)).toMatchObject({ url: "https://a.example/thumb.jpg", isWaiting: false });
});

it("takes no attribute for an address that names something else", () => {
  expect(pictureIn(placeholder({ "data-caption": "a photo of photo.jpg", "data-id": "7" }))?.url).toBe(DOT);
});

function noscript(html: string): HTMLElement {
  const element = document.createElement("noscript");
  element.textContent = html; // As where scripts run.
  return element;
}

it("finds the address in the <noscript> beside the image, or beside the box that holds it", () => {
  const element = placeholder({});
  element.after(noscript(`<img src="${PICTURE}">`));
  const picture = pictureIn(element);
  expect(picture?.url).toBe(PICTURE);
  expect(picture !== null && stillShows(picture)).toBe(true);
  document.body.replaceChildren();
  const box = document.createElement("div");
  box.append(placeholder({}));
  document.body.append(box);
  box.after(noscript(`<picture><img srcset="${PICTURE} 1x"></picture>`));
  expect(pictureIn(box.children[0] as Element)?.url).toBe(PICTURE);
});

it("takes the <noscript> of an empty box for its picture, but not the dot that counts visitors", () => {
  const box = document.createElement("div");
  document.body.append(box);
  at(box, ...BOX);
  box.append(noscript(`<img src="${PICTURE}">`));
  expect(backgroundOf(box)).toMatchObject({ url: PICTURE, isWaiting: true });
  box.replaceChildren(noscript('<img src="https://count.example/p.gif" width="1" height="1">'));
  expect(backgroundOf(box)).toBeNull();
});

it.each([
  ["data-bg", PICTURE], ["data-bg", `url("${PICTURE}")`], ["data-background-image", PICTURE],
  ["data-bgset", `${PICTURE} 400w`], ["data-src", PICTURE],
])("finds a background that waits in %s", (name, value) => {
  const element = document.createElement("div");
  document.body.append(element);
  at(element, ...BOX);
  element.setAttribute(name, value);
  expect(backgroundOf(element)).toMatchObject({ kind: "background", url: PICTURE, isWaiting: true });
});

it("finds the picture of an element that its script is yet to fill", () => {
  const element = document.createElement("amp-img");
  element.setAttribute("src", PICTURE);
  document.body.append(element);
  at(element, ...BOX);
  expect(backgroundOf(element)).toMatchObject({ url: PICTURE, isWaiting: true });
});

it("does not take what a thumbnail opens for a background", () => {
  const link = document.createElement("a");
  link.setAttribute("data-src", PICTURE);
  document.body.append(link);
  at(link, ...BOX);
  expect(backgroundOf(link)).toBeNull();
});

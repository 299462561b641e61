import { afterEach, expect, it } from "vitest";
import { image } from "../testing/layout";
import { backgroundOf, pictureIn, stillShows, urlIn } from "./page-picture";

afterEach(() => { document.body.replaceChildren(); });

it.each([
  ['url("https://a.example/1.jpg")', "https://a.example/1.jpg"],
  ["linear-gradient(red, blue), url(https://a.example/2.jpg)", "https://a.example/2.jpg"],
  ['url("https://a.example/say \\"hi\\".jpg")', "https://a.example/say%20%22hi%22.jpg"],
  ['image-set(url("https://a.example/big.jpg") 3dppx, url("https://a.example/small.jpg") 1dppx)', "https://a.example/small.jpg"],
  ['url("javascript:alert(1)")', null],
  ["none", null],
])("reads %j", (value, url) => {
  expect(urlIn(value)).toBe(url);
});

it("knows an image by what it shows now, and its size", () => {
  const shown = pictureIn(image("https://a.example/1.jpg", [0, 0, 200, 150]));
  expect(shown).toMatchObject({ url: "https://a.example/1.jpg", size: { width: 400, height: 300 } });
});

it("looks for the address of what is yet to be loaded", () => {
  const late = image("data:image/svg+xml,<svg/>", [0, 0, 200, 150]);
  late.setAttribute("data-src", "https://a.example/late.jpg");
  expect(pictureIn(late)?.url).toBe("https://a.example/late.jpg");
});

it("knows posters, SVG images and image buttons", () => {
  const video = document.createElement("video");
  video.setAttribute("poster", "https://a.example/poster.jpg");
  Object.defineProperty(video, "poster", { value: "https://a.example/poster.jpg" });
  expect(pictureIn(video)?.url).toBe("https://a.example/poster.jpg");
  const input = document.createElement("input");
  input.type = "image";
  input.src = "https://a.example/button.png";
  expect(pictureIn(input)?.url).toBe("https://a.example/button.png");
  expect(pictureIn(document.createElement("canvas"))).toBeNull();
});

it("finds a background, and knows when another took its place", () => {
  const element = document.createElement("div");
  element.style.backgroundImage = 'url("https://a.example/back.jpg")';
  document.body.append(element);
  const found = backgroundOf(element);
  expect(found).toMatchObject({ kind: "background", url: "https://a.example/back.jpg", pseudo: null });
  expect(found !== null && stillShows(found)).toBe(true);
  element.style.backgroundImage = 'url("https://a.example/next.jpg")';
  expect(found !== null && stillShows(found)).toBe(false);
});

it("does not take another size of a picture for another picture", () => {
  const element = image("https://a.example/1.jpg", [0, 0, 200, 150]);
  const found = pictureIn(element);
  element.srcset = "https://a.example/1.jpg 1x, https://a.example/1@2.jpg 2x";
  element.src = "https://a.example/1@2.jpg";
  expect(found !== null && stillShows(found)).toBe(true);
  element.srcset = "";
  element.src = "https://a.example/other.jpg";
  expect(found !== null && stillShows(found)).toBe(false);
});

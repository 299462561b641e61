import { afterEach, beforeEach, expect, it } from "vitest";
import { installChrome } from "../testing/chrome";
import { image } from "../testing/layout";
import { chosen } from "./clicked";

const POINT = { x: 10, y: 10 };

beforeEach(() => {
  installChrome();
  Element.prototype.checkVisibility = () => true;
  document.elementsFromPoint = () => [...document.querySelectorAll("img")].reverse();
});
afterEach(() => { document.body.replaceChildren(); });

it("takes the picture that the browser names", () => {
  const picture = image("https://a.example/1.jpg", [0, 0, 300, 200]);
  expect(chosen({ srcUrl: "https://a.example/1.jpg", linkUrl: null }, null)).toMatchObject({ element: picture });
});

it("looks under a spacer that keeps a picture from being saved", () => {
  const picture = image("https://a.example/1.jpg", [0, 0, 300, 200]);
  image("https://a.example/spacer.gif", [0, 0, 300, 200], { width: 1, height: 1 });
  expect(chosen({ srcUrl: "https://a.example/spacer.gif", linkUrl: null }, POINT)).toMatchObject({ element: picture });
});

it("takes a linked picture where the page shows none", () => {
  const link = { srcUrl: null, linkUrl: "https://a.example/large.JPG?x=1" };
  expect(chosen(link, null)).toMatchObject({ url: link.linkUrl, anchors: [], label: "large.JPG" });
  expect(chosen({ srcUrl: null, linkUrl: "https://a.example/story.html" }, null)).toBeNull();
});

it("takes the picture in the link before the one that it leads to", () => {
  const picture = image("https://a.example/small.jpg", [0, 0, 300, 200]);
  const link = document.createElement("a");
  link.href = "https://a.example/large.jpg";
  document.body.append(link);
  link.append(picture);
  expect(chosen({ srcUrl: null, linkUrl: link.href }, POINT)).toMatchObject({ element: picture });
});

it("does not guess where it knows neither the address nor the place", () => {
  image("https://a.example/1.jpg", [0, 0, 300, 200]);
  expect(chosen({ srcUrl: null, linkUrl: null }, null)).toBeNull();
});

import { afterEach, expect, it } from "vitest";
import { image } from "../testing/layout";
import { Anchors, describeAll } from "./anchors";
import { pictureIn } from "./page-picture";
import type { PagePicture } from "./page-picture";

afterEach(() => { document.body.replaceChildren(); });

function pagePictureAt(url: string): PagePicture {
  const pagePicture = pictureIn(image(url, [0, 0, 200, 150]));
  if (pagePicture === null) throw new Error("no picture");
  return pagePicture;
}

it("names a place the same each time, and forgets it with its element", () => {
  const anchors = new Anchors();
  const pagePicture = pagePictureAt("https://a.example/some%20photo.jpg");
  const picture = anchors.describe(pagePicture);
  expect(anchors.describe(pagePicture)).toEqual(picture);
  expect(picture).toMatchObject({ url: "https://a.example/some%20photo.jpg", label: "some photo.jpg" });
  expect(anchors.get(picture.anchors[0] ?? "")?.url).toBe(pagePicture.url);
  pagePicture.element.remove();
  expect(anchors.get(picture.anchors[0] ?? "")).toBeUndefined();
});

it("sends no data: address about", () => {
  expect(new Anchors().describe(pagePictureAt("data:image/png;base64,AAAA"))).toMatchObject({ url: null, sameOrigin: false });
});

it("joins the places of one address", () => {
  const pictures = describeAll(new Anchors(), [
    pagePictureAt("https://a.example/1.jpg"), pagePictureAt("https://a.example/2.jpg"), pagePictureAt("https://a.example/1.jpg"),
  ]);
  expect(pictures.map(({ anchors }) => anchors.length)).toEqual([2, 1]);
});

it("takes the page's own words for a label", () => {
  const pagePicture = pagePictureAt("https://a.example/1.jpg");
  pagePicture.element.setAttribute("alt", " The minister ");
  expect(new Anchors().describe(pagePicture).label).toBe("The minister");
});

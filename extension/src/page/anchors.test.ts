import { afterEach, expect, it } from "vitest";
import { image } from "../testing/layout";
import { Anchors, describeAll } from "./anchors";
import { pictureIn } from "./sighting";
import type { Sighting } from "./sighting";

afterEach(() => { document.body.replaceChildren(); });

function sighting(url: string): Sighting {
  const found = pictureIn(image(url, [0, 0, 200, 150]));
  if (found === null) throw new Error("no picture");
  return found;
}

it("names a place the same each time, and forgets it with its element", () => {
  const anchors = new Anchors();
  const found = sighting("https://a.example/some%20photo.jpg");
  const picture = anchors.describe(found);
  expect(anchors.describe(found)).toEqual(picture);
  expect(picture).toMatchObject({ url: "https://a.example/some%20photo.jpg", label: "some photo.jpg" });
  expect(anchors.get(picture.anchors[0] ?? "")?.url).toBe(found.url);
  found.element.remove();
  expect(anchors.get(picture.anchors[0] ?? "")).toBeUndefined();
});

it("sends no data: address about", () => {
  expect(new Anchors().describe(sighting("data:image/png;base64,AAAA"))).toMatchObject({ url: null, sameOrigin: false });
});

it("joins the places of one address", () => {
  const pictures = describeAll(new Anchors(), [
    sighting("https://a.example/1.jpg"), sighting("https://a.example/2.jpg"), sighting("https://a.example/1.jpg"),
  ]);
  expect(pictures.map(({ anchors }) => anchors.length)).toEqual([2, 1]);
});

it("takes the page's own words for a label", () => {
  const found = sighting("https://a.example/1.jpg");
  found.element.setAttribute("alt", " The minister ");
  expect(new Anchors().describe(found).label).toBe("The minister");
});

import { afterEach, beforeEach, expect, it } from "vitest";
import { viewOf } from "../shared/view";
import { installChrome } from "../testing/chrome";
import { face, job, report } from "../testing/examples";
import { image } from "../testing/layout";
import { Overlay } from "./overlay";
import { pictureIn } from "./page-picture";

let root: ShadowRoot;
beforeEach(() => {
  installChrome();
  const host = document.createElement("div");
  document.body.append(host);
  root = host.attachShadow({ mode: "open" });
});
afterEach(() => { document.body.replaceChildren(); });

function overlay(): Overlay {
  const pagePicture = pictureIn(image("https://a.example/1.jpg", [20, 30, 200, 150]));
  if (pagePicture === null) throw new Error("no picture");
  const instance = new Overlay(root, pagePicture);
  instance.show(viewOf(job({ state: "done", report: report({ faces: [face(), face({ outline: [] })] }) })));
  return instance;
}

it("draws each face, and what was tampered with, in the picture's own pixels", () => {
  overlay();
  expect(root.querySelector(".drawing")?.getAttribute("viewBox")).toBe("0 0 400 300");
  const boxes = [...root.querySelectorAll("[data-part=box]")];
  expect(boxes.map((box) => box.getAttribute("data-face"))).toEqual(["0", "1"]);
  expect(root.querySelectorAll("[data-part=region]")).toHaveLength(1);
  expect(root.querySelector("[data-part=region]")?.getAttribute("d")).toBe("M120 80L280 80L200 280Z");
});

it("lies exactly over the picture, cut to what can be seen of it", () => {
  const instance = overlay();
  const element = root.querySelector<HTMLElement>("[data-part=overlay]");
  instance.place({ x: 20, y: 30, width: 200, height: 150 }, { x: 20, y: 60, width: 200, height: 120 });
  expect(element?.style).toMatchObject({ left: "20px", top: "30px", width: "200px", height: "150px" });
  expect(element?.style.clipPath).toBe("inset(30px 0px 0px 0px)");
  instance.place({ x: 20, y: 30, width: 200, height: 150 }, null);
  expect(element?.hidden).toBe(true);
  instance.remove();
  expect(root.querySelector("[data-part=overlay]")).toBeNull();
});

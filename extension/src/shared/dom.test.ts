import { expect, it, vi } from "vitest";
import { h, svg } from "./dom";

it("never takes text for markup", () => {
  const element = h("p", { title: "<b>" }, "<img onerror=alert(1)>");
  expect(element.children).toHaveLength(0);
  expect(element.textContent).toBe("<img onerror=alert(1)>");
});

it("knows listeners, absences and parts", () => {
  const click = vi.fn();
  const button = h("button", { click, hidden: true, title: null, disabled: false, part: "go" }, "Go", null, false);
  button.click();
  expect(click).toHaveBeenCalledOnce();
  expect(button.getAttributeNames().sort()).toEqual(["data-part", "hidden", "type"]);
  expect(button.textContent).toBe("Go");
  expect(svg("path", { d: "M0 0" }).namespaceURI).toBe("http://www.w3.org/2000/svg");
});

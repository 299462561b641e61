import { expect, it, vi } from "vitest";
import { Mount } from "./mount";

it("leaves nothing of an earlier version, and goes with its signal", () => {
  document.documentElement.append(document.createElement("unmask-page"));
  const control = new AbortController();
  const mount = new Mount(control.signal, "");
  mount.raise();
  expect(document.querySelectorAll("unmask-page")).toHaveLength(1);
  expect(mount.settled()).toBe(true);
  control.abort();
  expect(document.querySelectorAll("unmask-page")).toHaveLength(0);
});

it("keeps its keys and clicks from the page", () => {
  const control = new AbortController();
  const mount = new Mount(control.signal, "");
  mount.raise();
  const listener = vi.fn();
  for (const type of ["keydown", "click"]) document.addEventListener(type, listener, { signal: control.signal });
  const button = document.createElement("button");
  mount.root.append(button);
  button.click();
  button.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true, composed: true }));
  expect(listener).not.toHaveBeenCalled();
  control.abort();
});

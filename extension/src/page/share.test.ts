import { beforeEach, expect, it, vi } from "vitest";
import { installChrome } from "../testing/chrome";
import { shareButton } from "./share";

beforeEach(() => { installChrome(); });

it("copies the link, also on pages that have no clipboard", async () => {
  const writeText = vi.fn(() => Promise.resolve());
  vi.stubGlobal("navigator", { clipboard: { writeText } });
  const button = shareButton("http://unmask.test/c/x");
  document.body.replaceChildren(button);
  button.click();
  await vi.waitFor(() => { expect(button.textContent).toBe("Copied"); });
  expect(writeText).toHaveBeenCalledWith("http://unmask.test/c/x");
  vi.stubGlobal("navigator", {});
  Object.assign(document, { execCommand: vi.fn(() => false) });
  button.click();
  await vi.waitFor(() => { expect(button.textContent).toBe("Could not copy"); });
  expect(document.querySelector("textarea")).toBeNull();
});

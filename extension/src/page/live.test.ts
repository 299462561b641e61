import { beforeEach, expect, it } from "vitest";
import { viewOf } from "../shared/view";
import { installChrome } from "../testing/chrome";
import { job, report } from "../testing/examples";
import { Live } from "./live";

beforeEach(() => { installChrome(); });

it("says what was found and when it is tried again, not each step", () => {
  const root = document.createElement("div").attachShadow({ mode: "open" });
  const live = new Live(root);
  const announcement = (): string | null | undefined => root.querySelector("[aria-live=polite]")?.textContent;
  live.sayOf(viewOf(job({ state: "checking" })));
  expect(announcement()).toBe("");
  live.sayOf(viewOf(job({ state: "done", report: report() })));
  expect(announcement()).toBe("The face shows signs of manipulation (fake 97 %).");
  live.sayOf(viewOf(job({ retryAt: Date.now() + 9000, failure: { code: "busy", message: "" } })));
  expect(announcement()).toBe("The server has more to do than it can just now. Trying again in 9 s");
});

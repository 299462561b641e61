import { beforeEach, expect, it } from "vitest";
import { installChrome } from "../testing/chrome";
import { job, report } from "../testing/examples";
import { forgetAll, readHistory, remember } from "./history";

beforeEach(() => { installChrome(); });

it("keeps the newest first, each check once, and not for ever", async () => {
  const ids = Array.from({ length: 55 }, (_, at) => `check-${String(at).padStart(4, "0")}`);
  await Promise.all(ids.map((id) => remember(job({ check: id, report: report() }), null)));
  await remember(job({ check: "check-0054", report: report({ verdict: "real" }) }), "data:,");
  const history = await readHistory();
  expect(history).toHaveLength(50);
  expect(history[0]).toMatchObject({ check: "check-0054", verdict: "real", thumbnail: "data:," });
  expect(new Set(history.map(({ check }) => check)).size).toBe(50);
  await forgetAll();
  expect(await readHistory()).toEqual([]);
});

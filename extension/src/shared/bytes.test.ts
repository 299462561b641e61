import { expect, it } from "vitest";
import { fromBase64, toBase64 } from "./bytes";

it("brings every byte there and back, also beyond one chunk", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256);
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
});

import { expect, it, vi } from "vitest";
import { readPicture } from "./read";

const { signal } = new AbortController();

it("takes data: addresses apart without asking anybody", async () => {
  vi.stubGlobal("fetch", () => { throw new Error("asked"); });
  expect(await readPicture("data:image/png;base64,aGk%3D", signal)).toEqual({ base64: "aGk=" });
  expect(await readPicture("data:image/svg+xml,<svg>%20</svg>", signal)).toEqual({ base64: btoa("<svg> </svg>") });
  expect(await readPicture("data:broken", signal)).toBeNull();
});

it("reads the file itself", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("bytes", { headers: { "Content-Type": "image/png" } })));
  expect(await readPicture("https://a.example/1.png", signal)).toEqual({ base64: btoa("bytes") });
});

it.each([
  () => Promise.resolve(new Response("<html>", { headers: { "Content-Type": "text/html" } })),
  () => Promise.resolve(new Response("no", { status: 403 })),
  () => Promise.resolve(new Response("")),
  () => Promise.reject(new TypeError("blocked")),
])("has nothing where there is no picture", async (answer) => {
  vi.stubGlobal("fetch", answer);
  expect(await readPicture("https://a.example/1.png", signal)).toBeNull();
});

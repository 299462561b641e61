import { expect, it, vi } from "vitest";
import { readPicture } from "./read";

const { signal } = new AbortController();

it("takes data: addresses apart without asking anybody", async () => {
  vi.stubGlobal("fetch", () => { throw new Error("asked"); });
  expect(await readPicture("data:image/png;base64,aGk%3D", signal)).toEqual({ base64: "aGk=" });
  expect(await readPicture("data:image/svg+xml,<svg>%20</svg>", signal)).toEqual({ base64: btoa("<svg> </svg>") });
  expect(await readPicture("data:broken", signal)).toBeNull();
});

it.each([
  ["data:image/png,%89PNG%0D%0A%1A%0A%00", "\x89PNG\r\n\x1a\n\0"],
  ["data:image/svg+xml,<svg width='100%'/>#part", "<svg width='100%'/>"],
  ["data:;charset=utf-8;base64,aGk", "hi"],
  ["data:image/gif ; base64 , aG k=", "hi"],
])("reads %s as browsers do", async (url, bytes) => {
  expect(atob((await readPicture(url, signal))?.base64 ?? "")).toBe(bytes);
});

it.each(["text/html", "text/plain", "application/json"])("reads a picture that is called %s", async (type) => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(png, { headers: { "Content-Type": type } })));
  expect(await readPicture("https://a.example/image.php?id=5", signal)).toEqual({ base64: btoa(String.fromCharCode(...png)) });
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

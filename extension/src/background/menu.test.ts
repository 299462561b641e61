import { beforeEach, expect, it } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { makeMenus, whatWasClicked } from "./menu";

let chromeApi: FakeChrome;
beforeEach(() => { chromeApi = installChrome(); });

it("makes both entries again", async () => {
  await makeMenus();
  expect(chromeApi.contextMenus.removeAll).toHaveBeenCalledOnce();
  const titles = chromeApi.contextMenus.create.mock.calls.map(([entry]) => (entry as { title: string }).title);
  expect(titles).toEqual(["Check image", "Check all images on this page"]);
});

const CLICK = { menuItemId: "check-image", editable: false, pageUrl: "https://news.example/" };

it("takes a video's address for no picture's", () => {
  expect(whatWasClicked({ ...CLICK, mediaType: "video", srcUrl: "https://news.example/film.mp4", frameId: 3 }))
    .toEqual({ srcUrl: null, linkUrl: null, frame: 3 });
  expect(whatWasClicked({ ...CLICK, mediaType: "image", srcUrl: "https://news.example/a.jpg" }).srcUrl)
    .toBe("https://news.example/a.jpg");
});

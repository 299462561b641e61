import { beforeEach, expect, it, vi } from "vitest";
import { putPicture } from "../shared/pictures";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { showPage } from "../testing/pages";
import { takePictures } from "./intake";

let chromeApi: FakeChrome;
vi.mock("../shared/pictures", () => ({ putPicture: vi.fn() }));

const say = vi.fn();
beforeEach(() => {
  chromeApi = installChrome();
  chromeApi.windows.getCurrent.mockResolvedValue({ incognito: true });
  showPage("popup.html");
  takePictures({ asTab: false, say });
});

it("stores what is pasted and has it checked, without a trace in a private window", async () => {
  const paste = new Event("paste");
  Object.assign(paste, { clipboardData: { files: [new File(["bytes"], "photo.jpg")] } });
  document.dispatchEvent(paste);
  await vi.waitFor(() => { expect(chromeApi.runtime.sendMessage).toHaveBeenCalledOnce(); });
  const [message] = chromeApi.runtime.sendMessage.mock.calls[0] as [{ call: string; request: { stored: string } }];
  expect(message).toMatchObject({ call: "file/check", request: { label: "photo.jpg", trace: false } });
  expect(putPicture).toHaveBeenCalledWith(message.request.stored, expect.any(Blob));
});

it("says so when there is no picture in what was dropped", () => {
  const drop = new Event("drop");
  Object.assign(drop, { dataTransfer: { files: [] } });
  document.dispatchEvent(drop);
  expect(say).toHaveBeenCalledWith("There is no picture in that.");
});

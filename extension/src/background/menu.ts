/** The entries of the context menu and of the toolbar button's menu. */

import { t } from "../shared/i18n";
import type { Clicked } from "./checks";
import { spoken } from "./language";

const ON_PICTURES = ["page", "frame", "link", "image", "video", "editable"] as const;
const ON_PAGES = ["page", "frame", "action"] as const;

/** Removes both entries and makes them again, in the chosen language. */
export async function makeMenus(): Promise<void> {
  await spoken();
  await chrome.contextMenus.removeAll();
  chrome.contextMenus.create({
    id: "check-image",
    title: t("menu_check_image"),
    contexts: [...ON_PICTURES],
  });
  chrome.contextMenus.create({
    id: "check-page",
    title: t("menu_check_page"),
    contexts: [...ON_PAGES],
  });
}

export function whatWasClicked(info: chrome.contextMenus.OnClickData): Clicked {
  const isPicture = info.mediaType === undefined || info.mediaType === "image";
  return {
    // For a video this is the film; its poster is found in the page.
    srcUrl: isPicture ? (info.srcUrl ?? null) : null,
    linkUrl: info.linkUrl ?? null,
    frame: info.frameId ?? 0,
  };
}

import { readFileSync } from "node:fs";
import { beforeEach, expect, it, vi } from "vitest";
import type { FakeChrome } from "../testing/chrome";
import { installChrome } from "../testing/chrome";
import { showPage } from "../testing/pages";

let chromeApi: FakeChrome;

function input(id: string): HTMLInputElement {
  return document.getElementById(id) as HTMLInputElement;
}

beforeEach(async () => {
  chromeApi = installChrome();
  vi.stubGlobal("fetch", (url: string) => {
    const name = /_locales\/\w+\/messages.json/.exec(url)?.[0];
    return name === undefined ? Promise.reject(new TypeError("no server")) : Promise.resolve(new Response(readFileSync(name, "utf8")));
  });
  showPage("options.html");
  vi.resetModules();
  await import("./main");
  await vi.waitFor(() => { expect(document.getElementById("sites-state")?.textContent).not.toBe(""); });
});

async function save(): Promise<void> {
  document.getElementById("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
  await vi.waitFor(() => { expect(document.getElementById("save-result")?.dataset["state"]).toBe("error"); });
}

it("has the background clear the history that is kept no more", async () => {
  await save();
  expect(chromeApi.runtime.sendMessage).not.toHaveBeenCalled();
  document.getElementById("save-result")?.removeAttribute("data-state");
  input("keep-history").checked = false;
  await save();
  expect(chromeApi.runtime.sendMessage).toHaveBeenCalledWith({ call: "history/clear", request: {} });
});

it("speaks the chosen language everywhere at once", async () => {
  const language = document.getElementById("language") as HTMLSelectElement;
  language.value = "de";
  await save();
  const german = JSON.parse(readFileSync("_locales/de/messages.json", "utf8")) as Record<string, { message: string }>;
  expect(document.getElementById("sites-state")?.textContent).toBe(german["sites_allowed"]?.message);
  expect(document.querySelector("h1")?.textContent).toBe(german["options_title"]?.message);
});

it("asks again before the first sending to another key's team", async () => {
  const settings = { serverUrl: "http://127.0.0.1:8080", apiKey: "", teamConfirmed: true };
  chromeApi.storage.local.values["settings"] = settings;
  const kept = () => chromeApi.storage.local.values["settings"] as { teamConfirmed: boolean; teamPage: boolean };
  input("team-page").checked = false;
  await save();
  expect(kept()).toMatchObject({ teamConfirmed: true, teamPage: false });
  document.getElementById("save-result")?.removeAttribute("data-state");
  input("api-key").value = "um_another";
  await save();
  expect(kept().teamConfirmed).toBe(false);
});

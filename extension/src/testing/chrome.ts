/** A browser's extension API for tests: storage that stores, texts from the English catalogue, and
 * mocks for the rest. */

import { readFileSync } from "node:fs";
import { vi } from "vitest";

type Values = Record<string, unknown>;

const ENGLISH = JSON.parse(readFileSync("_locales/en/messages.json", "utf8")) as Record<
  string,
  { message: string }
>;

function area(): { values: Values; get: unknown; set: unknown; remove: unknown } {
  const values: Values = {};
  return {
    values,
    get: (name: string) => Promise.resolve(name in values ? { [name]: structuredClone(values[name]) } : {}),
    set: (changes: Values) => {
      Object.assign(values, JSON.parse(JSON.stringify(changes)) as Values);
      return Promise.resolve();
    },
    remove: (name: string) => {
      Reflect.deleteProperty(values, name);
      return Promise.resolve();
    },
  };
}

function event() {
  return { addListener: vi.fn((_: (...told: never[]) => unknown) => undefined) };
}

/** Puts a new one in place; what was stored in an earlier test is gone. */
export function installChrome() {
  const fake = {
    storage: { local: area(), session: area(), onChanged: event() },
    i18n: {
      getMessage: (key: string, values: string[] = []) =>
        (ENGLISH[key]?.message ?? "").replace(/\$(\d)/g, (_, place: string) => values[Number(place) - 1] ?? ""),
      getUILanguage: () => "en",
    },
    runtime: {
      id: "our-id",
      getURL: (path: string) => `chrome-extension://our-id/${path}`,
      getPlatformInfo: vi.fn(() => Promise.resolve({})),
      sendMessage: vi.fn((_: unknown): Promise<unknown> => Promise.resolve({ value: null })),
      onMessage: event(),
    },
    permissions: {
      contains: vi.fn((_: unknown) => Promise.resolve(true)),
      request: vi.fn((_: unknown) => Promise.resolve(true)),
      remove: vi.fn((_: unknown) => Promise.resolve(true)),
    },
    windows: { getCurrent: vi.fn(() => Promise.resolve({ incognito: false })) },
    tabs: { sendMessage: vi.fn((..._: unknown[]): Promise<unknown> => Promise.resolve({ value: null })), create: vi.fn() },
    scripting: {
      executeScript: vi.fn((_: unknown) => Promise.resolve([{ frameId: 0 }])),
      getRegisteredContentScripts: vi.fn((): Promise<unknown[]> => Promise.resolve([])),
      registerContentScripts: vi.fn((_: unknown) => Promise.resolve()),
      unregisterContentScripts: vi.fn((_: unknown) => Promise.resolve()),
    },
    alarms: { create: vi.fn(), clear: vi.fn() },
    contextMenus: { create: vi.fn(), removeAll: vi.fn(() => Promise.resolve()) },
  };
  vi.stubGlobal("chrome", fake);
  return fake;
}

export type FakeChrome = ReturnType<typeof installChrome>;

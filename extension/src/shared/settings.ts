/** The settings, as they lie in storage.local under `settings`. */

export interface Settings {
  /** Origin (and path, behind a proxy) of the server, without a slash at its end. */
  readonly serverUrl: string;
  readonly apiKey: string;
  /** Shorter side, in pixels, from which "check all images" takes a picture. */
  readonly minimumSize: number;
  /** Pictures of a page that are checked at one time. */
  readonly atOnce: number;
  readonly keepHistory: boolean;
  /** A catalogue's name, or "" for the browser's own language. */
  readonly language: string;
  /** Whether the person was told what leaves the browser with "Send to team". */
  readonly teamConfirmed: boolean;
  /** Whether the team is told the address and the title of the page. */
  readonly teamPage: boolean;
}

export const DEFAULTS: Settings = {
  serverUrl: "http://127.0.0.1:8080",
  apiKey: "",
  minimumSize: 100,
  atOnce: 3,
  keepHistory: true,
  language: "",
  teamConfirmed: false,
  teamPage: true,
};

export const LANGUAGES: readonly string[] = ["en", "es", "fr", "de", "hi", "te"];

export async function readSettings(): Promise<Settings> {
  const { settings } = await chrome.storage.local.get("settings");
  return { ...DEFAULTS, ...(settings as Partial<Settings> | undefined) };
}

export async function writeSettings(settings: Settings): Promise<void> {
  await chrome.storage.local.set({ settings });
}

/** The server's address as it is kept; null if it is none. */
export function tidyServerUrl(text: string): string | null {
  const trimmed = text.trim();
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) && !/^https?:/i.test(trimmed)) return null;
  try {
    const url = new URL(/^https?:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`);
    if (url.hostname === "" || url.username !== "" || url.password !== "") return null;
    return url.origin + url.pathname.replace(/\/+$/, "");
  } catch {
    return null;
  }
}

/** The permission for all sites. */
export const EVERYWHERE = { origins: ["*://*/*"] };

/** The pattern of the permission for an address's host, on any port: Firefox knows no others. */
export function hostPattern(address: string): string {
  const { protocol, hostname } = new URL(address);
  return `${protocol}//${hostname}/*`;
}

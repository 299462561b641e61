/** Texts from the catalogues: the browser's own language, or the one chosen in the settings. */

type Texts = Readonly<Record<string, string>>;

let catalogue: Texts | null = null;
let spoken = "";

/** Uses another catalogue than the browser's; null goes back to the browser's. */
export function useTexts(texts: Texts | null, language: string): void {
  catalogue = texts;
  spoken = language;
}

export function t(key: string, ...values: (string | number)[]): string {
  const text = catalogue?.[key];
  if (text === undefined) return chrome.i18n.getMessage(key, values.map(String));
  return text.replace(/\$(\d)/g, (_, place: string) => String(values[Number(place) - 1] ?? ""));
}

/** Whether there are words for it. */
export function hasText(key: string): boolean {
  return t(key) !== "";
}

export function language(): string {
  return spoken === "" ? chrome.i18n.getUILanguage() : spoken;
}

/** As the server's own sentences write it. */
export function percent(shown: number): string {
  return `${shown} %`;
}

/** The texts of a catalogue of ours; null for "" (the browser's own language). */
export async function loadTexts(name: string): Promise<Texts | null> {
  if (name === "") return null;
  const file = await fetch(chrome.runtime.getURL(`_locales/${name}/messages.json`));
  const catalogue = (await file.json()) as Record<string, { message: string }>;
  return Object.fromEntries(Object.entries(catalogue).map(([key, { message }]) => [key, message]));
}

/** The language that the background speaks, for pages that show what it says. */

import { loadTexts, useTexts } from "../shared/i18n";
import { readSettings } from "../shared/settings";

let speaking: Promise<void> | null = null;

/** Resolves once the chosen catalogue is in use. */
export function spoken(): Promise<void> {
  speaking ??= (async () => {
    const { language } = await readSettings();
    useTexts(await loadTexts(language), language);
  })();
  return speaking;
}

/** To be called when the settings changed. */
export function languageMayHaveChanged(): void {
  speaking = null;
}

/** "Trying again in 12 seconds": counts down in place. */

import { h } from "../shared/dom";
import { t } from "../shared/i18n";

export function countdown(until: number, signal: AbortSignal): HTMLElement {
  const element = h("p", { class: "countdown", part: "countdown", "aria-live": "off" });
  const tick = (): void => {
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    element.textContent = t("retry_in", seconds);
    if (seconds === 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  signal.addEventListener("abort", () => { clearInterval(timer); });
  tick();
  return element;
}

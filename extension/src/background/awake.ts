/** Keeps the worker awake while checks are under way, and has it woken should it die. */

const ALARM = "resume";
/** A worker without events is ended after 30 seconds; a call to the browser counts as one. */
const CALL_EVERY_MS = 20_000;

/** Null in a new life: the alarm of an earlier one may be set. */
let before: boolean | null = null;
let calls: ReturnType<typeof setInterval> | undefined;

export function keepAwake(busy: boolean): void {
  if (busy === before) return;
  before = busy;
  if (busy) {
    calls = setInterval(() => void chrome.runtime.getPlatformInfo(), CALL_EVERY_MS);
    void chrome.alarms.create(ALARM, { periodInMinutes: 0.5 });
  } else {
    clearInterval(calls);
    void chrome.alarms.clear(ALARM);
  }
}

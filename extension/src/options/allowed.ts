/** Asking the browser for a host, and hearing its answer. */

const LOOK_EVERY = 500;

/** Whether the origin may be reached. Call it while a person's click is handled, and before anything
 * is awaited: the browser asks the person only then. */
export async function allowed(pattern: string): Promise<boolean> {
  const origins = { origins: [pattern] };
  const isGranted = async (): Promise<boolean> => chrome.permissions.contains(origins);
  const answer = chrome.permissions.request(origins).catch(isGranted);
  // An answer that is lost on the browser's side must not keep a person waiting for what is granted.
  return new Promise<boolean>((resolve) => {
    const end = (isAllowed: boolean): void => {
      clearInterval(looking);
      resolve(isAllowed);
    };
    const look = (): void => {
      isGranted().then((granted) => { if (granted) end(true); }, () => undefined);
    };
    const looking = setInterval(look, LOOK_EVERY);
    answer.then(end, () => { end(false); });
  });
}

// A browser opens six connections to one server, and a live stream holds one: few at a time.

/**
 * A function that runs its argument, at most `max` at once, the others in order.
 * @param {number} max
 * @returns {<T>(act: () => T | Promise<T>) => Promise<T>}
 */
export function limited(max) {
  let running = 0;
  /** @type {(() => void)[]} */
  const waiting = [];
  return async (act) => {
    if (running >= max) await new Promise((/** @type {(value: void) => void} */ go) => waiting.push(go));
    else running += 1;
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

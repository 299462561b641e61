// Few at a time. A browser opens six connections to one server, and a live stream holds one.

/** A function that runs its argument, at most so many at once, the rest in order. */
export function turns(most) {
  let busy = 0;
  const waiting = [];
  return async (act) => {
    if (busy >= most) await new Promise((go) => waiting.push(go));
    else busy += 1;
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy -= 1;
    }
  };
}

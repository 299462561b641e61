/** Notes where the last right click was, for our script should it be asked for. It runs only on
 * sites that the person let us read, and does nothing else. */

export interface RightClick {
  readonly x: number;
  readonly y: number;
}

declare global {
  /** Null before the first; undefined where this script has not run. */
  var unmaskRightClick: RightClick | null | undefined;
}

/** It is put into a frame each time that a check is asked for there. */
if (globalThis.unmaskRightClick === undefined) {
  globalThis.unmaskRightClick = null;
  addEventListener("contextmenu", ({ x, y }) => { globalThis.unmaskRightClick = { x, y }; }, true);
}

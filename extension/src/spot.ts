/** Notes where the last right click was, for our script should it be asked for. It runs only on
 * sites that the person let us read, and does nothing else. */

export interface RightClick {
  readonly x: number;
  readonly y: number;
}

declare global {
  var unmaskRightClick: RightClick | undefined;
}

globalThis.addEventListener(
  "contextmenu",
  (event) => {
    globalThis.unmaskRightClick = { x: event.clientX, y: event.clientY };
  },
  { capture: true, passive: true },
);

/** Set by the build: shadow roots are open in the build for tests, closed in what ships. */
declare const OPEN_SHADOW: boolean;

declare module "*.css" {
  const text: string;
  export default text;
}

/** Firefox's name for what Chrome has in chrome.dom. */
interface Element {
  readonly openOrClosedShadowRoot?: ShadowRoot | null;
}

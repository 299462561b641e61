/** Where everything we draw lives: one element with a shadow root, above the page. */

const NAME = "unmask-page";
const OURS = ["keydown", "keyup", "click", "mousedown", "mouseup", "pointerdown", "pointerup"] as const;

export class Mount {
  readonly host: HTMLElement;
  readonly root: ShadowRoot;

  /** `style` is our style sheet: the background sends it, so that less is put into each page. */
  constructor(signal: AbortSignal, style: string) {
    // What an earlier, updated version of us left cannot be spoken to any more.
    for (const stale of document.querySelectorAll(NAME)) stale.remove();
    this.host = document.createElement(NAME);
    this.root = this.host.attachShadow({ mode: OPEN_SHADOW ? "open" : "closed" });
    dress(this.root, style);
    this.host.popover = "manual";
    // The page's own shortcuts must not fire while someone types in ours, nor its lightbox close.
    for (const type of OURS) {
      this.host.addEventListener(type, (event) => { event.stopPropagation(); }, { signal });
    }
    document.addEventListener("fullscreenchange", () => { this.raise(); }, { signal });
    signal.addEventListener("abort", () => { this.host.remove(); });
  }

  /** Puts our element on top. A modal dialog makes all outside itself dead to clicks, so while one
   * is open we live in it. */
  raise(): void {
    if (!this.settled()) this.#home.append(this.host);
    try {
      if (this.host.matches(":popover-open")) this.host.hidePopover();
      this.host.showPopover();
    } catch {
      // Without popovers the z-index of our style has to do.
    }
  }

  /** Whether we are where clicks reach us; cheap enough to be asked often. */
  settled(): boolean {
    return this.host.parentNode === this.#home;
  }

  get #home(): Element {
    return [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.documentElement;
  }

  set hidden(hidden: boolean) {
    this.host.style.setProperty("visibility", hidden ? "hidden" : "visible", "important");
  }
}

function dress(root: ShadowRoot, style: string): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // Firefox keeps constructed sheets from content scripts; its style elements are exempt from
    // the page's policy when they are ours.
    const element = document.createElement("style");
    element.textContent = style;
    root.append(element);
  }
}

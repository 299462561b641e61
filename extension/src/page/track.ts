/** Calls back while things on the page may move: after each event that can move them in every
 * frame, else a few times a second. Nothing runs while nobody listens. */

const RESTLESS_MS = 600;
const CALM_EVERY_MS = 200;
const EVENTS = ["scroll", "resize", "transitionrun", "animationstart", "toggle", "load"] as const;

export class Tracker {
  readonly #watched = new Map<Element, () => void>();
  #observer: ResizeObserver | null = null;
  #stop: AbortController | null = null;
  #restlessUntil = 0;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly onTick: () => void) {}

  /** Calls `update` whenever the element may have moved, until the signal. */
  add(element: Element, update: () => void, signal: AbortSignal): void {
    this.#watched.set(element, update);
    if (this.#stop === null) this.#start();
    this.#observer?.observe(element);
    signal.addEventListener("abort", () => {
      if (this.#watched.get(element) !== update) return;
      this.#watched.delete(element);
      this.#observer?.unobserve(element);
      if (this.#watched.size === 0) this.#end();
    });
    update();
  }

  #start(): void {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const wake = (): void => { this.#wake(); };
    for (const type of EVENTS) {
      globalThis.addEventListener(type, wake, { capture: true, passive: true, signal });
    }
    this.#observer = new ResizeObserver(wake);
    this.#observer.observe(document.documentElement);
    const { body } = document as { readonly body: HTMLElement | null };
    if (body !== null) this.#observer.observe(body);
    this.#wake();
  }

  #end(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#observer?.disconnect();
    this.#observer = null;
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
  }

  #wake(): void {
    this.#restlessUntil = performance.now() + RESTLESS_MS;
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(this.#tick);
  }

  readonly #tick = (): void => {
    if (this.#stop === null) return;
    this.onTick();
    for (const update of this.#watched.values()) update();
    if (performance.now() < this.#restlessUntil) {
      this.#frame = requestAnimationFrame(this.#tick);
    } else {
      // A hidden page draws no frames, so this rests with it.
      this.#timer = setTimeout(() => {
        this.#frame = requestAnimationFrame(this.#tick);
      }, CALM_EVERY_MS);
    }
  };
}

/** The job whose panel is open: its overlay, its heatmap, and where the focus came from. */

import type { JobView } from "../shared/view";
import { fromBase64 } from "../shared/bytes";
import type { PageSeen, TeamOffer } from "../shared/messages";
import { askBackground, tellBackground } from "../shared/messages";
import { areaInTab } from "./area";
import type { Badge } from "./badge";
import type { Mount } from "./mount";
import { Panel } from "./panel";
import { fileToBase64 } from "./read";

/** A frame smaller than this shows its panel only when it is asked for. */
const ROOM = { width: 640, height: 420 };

export class Opened {
  #panel: Panel | null = null;
  #badges: readonly Badge[] = [];
  #returnTo: HTMLElement | null = null;

  constructor(
    private readonly mount: Mount,
    private readonly badgesOf: (view: JobView) => readonly Badge[],
    /** Width at the right edge that the list takes. */
    private readonly taken: () => number,
  ) {}

  /** Opens the panel; unasked (without focus) not where it would hide the picture. */
  open(view: JobView, { focus }: { focus: boolean }): void {
    if (!focus && self !== top && (innerWidth < ROOM.width || innerHeight < ROOM.height)) {
      for (const badge of this.badgesOf(view)) badge.overlaid = true;
      return;
    }
    if (this.#panel?.job !== view.id) {
      this.close();
      this.#badges = this.badgesOf(view);
      this.#panel = new Panel(this.mount.root, view, this.#actions(view.id));
    }
    this.changed(view);
    if (!focus) return;
    const active = this.mount.root.activeElement;
    this.#returnTo = active instanceof HTMLElement ? active : null;
    this.#panel.focus();
  }

  toggle(view: JobView): void {
    if (this.#panel?.job === view.id) this.close();
    else this.open(view, { focus: true });
  }

  changed(view: JobView): void {
    if (this.#panel?.job !== view.id) return;
    this.#panel.show(view);
    for (const badge of this.#badges) badge.overlaid = view.report !== null;
    this.place();
  }

  place(): void {
    if (this.#panel === null) return;
    const picture = this.#badges[0]?.visible() ?? null;
    this.#panel.place(picture, this.taken());
  }

  closeIf(job: string): void {
    if (this.#panel?.job === job) this.close();
  }

  /** Whether there was something to close. */
  close(): boolean {
    if (this.#panel === null) return false;
    const hadFocus = this.#panel.element.contains(this.mount.root.activeElement);
    this.#panel.remove();
    this.#panel = null;
    for (const badge of this.#badges) badge.overlaid = false;
    const back = this.#returnTo?.isConnected === true ? this.#returnTo : this.#badges[0]?.chip;
    if (hadFocus) back?.focus({ preventScroll: true });
    this.#badges = [];
    this.#returnTo = null;
    return true;
  }

  #actions(job: string): ConstructorParameters<typeof Panel>[2] {
    const area = this.#area();
    return {
      close: () => { this.close(); },
      retry: () => { tellBackground("job/retry", { job }); },
      cancel: () => { tellBackground("job/cancel", { job }); },
      allow: () => { tellBackground("job/allow", { job }); },
      options: () => { tellBackground("options/open", {}); },
      file: (file) => {
        void fileToBase64(file).then((base64) => { tellBackground("job/file", { job, base64 }); });
      },
      capture: area === null ? null : () => {
        const now = this.#area();
        if (now !== null) tellBackground("job/capture", { job, area: now });
      },
      heatmap: (on) => this.#showHeatmap(job, on),
      offer: () => offered([job]),
      send: (withPage) => { sendToTeam([job], withPage); },
      sendAgain: () => { tellBackground("team/again", { job }); },
    };
  }

  #area(): ReturnType<typeof areaInTab> {
    const visible = this.#badges[0]?.visible() ?? null;
    return visible === null ? null : areaInTab(visible);
  }

  /** Resolves with whether the heatmap shows now. */
  async #showHeatmap(job: string, on: boolean): Promise<boolean> {
    const heatmap = on ? await heatmapOf(job).catch(() => null) : null;
    if (this.#panel?.job === job) for (const badge of this.#badges) badge.showHeatmap(heatmap);
    heatmap?.close();
    return heatmap !== null;
  }
}

/** What would leave the browser with the checks of jobs. */
export function offered(jobs: readonly string[]): Promise<TeamOffer | null> {
  return askBackground("team/offer", { jobs, page: seen() }).catch(() => null);
}

export function sendToTeam(jobs: readonly string[], withPage: boolean): void {
  tellBackground("team/send", { jobs, page: seen(), withPage });
}

function seen(): PageSeen {
  return { url: location.href, title: document.title };
}

async function heatmapOf(job: string): Promise<ImageBitmap | null> {
  const heatmap = await askBackground("job/heatmap", { job });
  if (heatmap === null) return null;
  // Drawn from bytes: a picture by address would be subject to the page's policy.
  return createImageBitmap(new Blob([fromBase64(heatmap.base64)], { type: "image/png" }));
}

/** What an element shows: the address of its picture, whatever kind of element it is. */

export interface PagePicture {
  readonly element: Element;
  readonly kind: "picture" | "background";
  /** The pseudo-element that shows it. */
  readonly pseudo: "::before" | "::after" | null;
  readonly url: string;
  /** The picture's own size; null where the page does not know it. */
  readonly size: { readonly width: number; readonly height: number } | null;
}

/** Where scripts that load pictures late keep the address meanwhile. */
const LATE = ["data-src", "data-original", "data-lazy-src", "data-lazy"] as const;

/** The picture that the element itself shows; null for none. */
export function pictureIn(element: Element): PagePicture | null {
  if (element instanceof HTMLImageElement) return ofImage(element);
  if (element instanceof HTMLPictureElement) {
    const image = element.querySelector("img");
    return image === null ? null : ofImage(image);
  }
  if (element instanceof HTMLVideoElement) return withAddress(element, element.poster);
  if (element instanceof SVGImageElement) return withAddress(element, element.href.baseVal);
  if (element instanceof HTMLInputElement) {
    return element.type === "image" ? withAddress(element, element.src) : null;
  }
  if (element instanceof HTMLObjectElement && element.type.startsWith("image/")) {
    return withAddress(element, element.data);
  }
  return null;
}

/** The picture that the element's style shows; null for none. */
export function backgroundOf(element: Element): PagePicture | null {
  for (const pseudo of [null, "::before", "::after"] as const) {
    const style = getComputedStyle(element, pseudo);
    const content = pseudo === null || style.content === "none" ? "" : style.content;
    const url = urlIn(`${style.backgroundImage} ${content}`);
    if (url !== null) return { element, kind: "background", pseudo, url, size: null };
  }
  return null;
}

/** The first address of a computed `background-image` or `content`; of an image-set the one that
 * suits the screen best. */
export function urlIn(value: string): string | null {
  const matches = [...value.matchAll(/url\((?:"((?:[^"\\]|\\.)*)"|([^)]*))\)(?:\s+([\d.]+)(?:dppx|x))?/g)];
  const first = matches[0];
  if (first === undefined) return null;
  const candidates = value.includes("image-set(") ? matches : [first];
  const best = candidates.reduce((a, b) => (fit(b[3]) < fit(a[3]) ? b : a));
  const url = (best[1] ?? best[2] ?? "").replace(/\\(.)/g, "$1");
  return absolute(url);
}

function fit(density: string | undefined): number {
  const missing = devicePixelRatio - Number(density ?? 1);
  return missing > 0 ? missing * 2 : -missing;
}

function ofImage(image: HTMLImageElement): PagePicture | null {
  const { naturalWidth: width, naturalHeight: height } = image;
  const late = LATE.map((name) => image.getAttribute(name)).find((url) => url !== null && url !== "");
  const placeholder = !image.complete || width <= 4 || image.currentSrc.startsWith("data:image/svg");
  if (late !== undefined && late !== null && placeholder) return withAddress(image, late);
  const current = withAddress(image, image.currentSrc === "" ? image.src : image.currentSrc);
  return current === null || width === 0 ? current : { ...current, size: { width, height } };
}

function withAddress(element: Element, address: string): PagePicture | null {
  const url = address === "" ? null : absolute(address);
  return url === null ? null : { element, kind: "picture", pseudo: null, url, size: null };
}

function absolute(address: string): string | null {
  try {
    const { href, protocol } = new URL(address, document.baseURI);
    return /^(https?|data|blob):$/.test(protocol) ? href : null;
  } catch {
    return null;
  }
}

/** Whether the element still shows that picture: carousels put another one in the same place. */
export function stillShows({ element, kind, url }: PagePicture): boolean {
  if (kind === "background") return backgroundOf(element)?.url === url;
  if (!(element instanceof HTMLImageElement)) return pictureIn(element)?.url === url;
  if (element.currentSrc === url || element.src === url) return true;
  // Another size of it, or the address it is yet to be loaded from.
  const file = url.split("/").at(-1) ?? url;
  const parts = element.parentElement instanceof HTMLPictureElement
    ? [element, ...element.parentElement.children]
    : [element];
  return parts.some(({ attributes }) => [...attributes].some(({ value }) => value.includes(file)));
}

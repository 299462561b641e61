/** The address of a picture that a script of the page is yet to load. There is no standard for where
 * it waits; the names of the common libraries and shops have these words in them. */

import { boundsOf } from "./place";
import { bestOf } from "./srcset";

const OWN_ATTRIBUTE = /^(data-|lazy)/;
const SET = /set$/;
const ADDRESS = /src|original|lazy|echo|delayed/;
const BACKGROUND = /(bg|background)/;
export const PICTURE_FILE =
  /\.(jpe?g|jfif|jpe|jpg_large|a?png|webp|avifs?|gif|hei[cf]s?|hif|bmp|tiff?|mpo)$/i;
const PLACEHOLDER_FILE = /placeholder|blank|spacer|loading|loader|lazy|transparent|pixel|1x1|blur/i;
const PICTURES = "img, picture, video, canvas, svg";
/** A placeholder has as few pixels as this, or is drawn larger than it is by this factor. */
const DOT = 4;
const ENLARGED = 2;

/** The address that waits for an image; null if it shows its picture, or none waits. */
export function waitingFor(image: HTMLImageElement): string | null {
  const isEmpty = isDot(image);
  if (!isEmpty && !isCoarse(image)) return null;
  const { width } = boundsOf(image);
  return inSources(image, width)
    ?? setOf(image, width, SET)
    ?? valuesOf(image, ADDRESS)[0]
    // A thumbnail that is only drawn too large may name what a click on it opens.
    ?? (isEmpty ? otherAddress(image) : null)
    ?? inNoscript(image);
}

/** The address of a background that waits; null for none. */
export function waitingBackground(element: Element): string | null {
  const values = valuesOf(element, BACKGROUND);
  const address = values.find((value) => !/\s\d/.test(value));
  if (address !== undefined) return /url\(\s*["']?(.*?)["']?\s*\)/.exec(address)?.[1] ?? address;
  if (values[0] !== undefined) return bestOf(values[0], boundsOf(element).width);
  // Other attributes may also name a video or a page, or what a click on a thumbnail opens.
  if (element.matches("a, button, img") || element.querySelector(PICTURES) !== null) return null;
  // An element of the page's own making, such as <amp-img>, before its script has filled it.
  const own = element.localName.includes("-") ? (element.getAttribute("src") ?? "") : "";
  return isFile(own) ? own : (valuesOf(element, ADDRESS).find(isFile) ?? null);
}

/** The address of the picture in an element that holds nothing but its <noscript>. */
export function waitingInside(element: Element): string | null {
  const noscript = [...element.children].find(({ localName }) => localName === "noscript");
  if (noscript === undefined || element === document.body || element.querySelector(PICTURES) !== null) return null;
  return inScriptless(noscript);
}

/** Whether an image shows nothing yet, or, as far as it can be told, what keeps its place. */
function isDot({ complete, naturalWidth, naturalHeight, currentSrc }: HTMLImageElement): boolean {
  return !complete
    || Math.min(naturalWidth, naturalHeight) <= DOT
    || currentSrc.startsWith("data:")
    || PLACEHOLDER_FILE.test(pathOf(currentSrc).split("/").at(-1) ?? "");
}

/** Whether an image shows a copy of so few pixels that a better one must be on its way. */
function isCoarse(image: HTMLImageElement): boolean {
  return image.naturalWidth * ENLARGED < boundsOf(image).width
    || getComputedStyle(image).filter.includes("blur(");
}

/** In the first source of its <picture> that this browser would choose. */
function inSources(image: HTMLImageElement, width: number): string | null {
  const sources = image.closest("picture")?.querySelectorAll("source") ?? [];
  for (const source of sources) {
    const suits = source.media === "" || matchMedia(source.media).matches;
    const readable = /^(|image\/(jpeg|a?png|gif|webp|avif))$/i.test(source.type);
    const address = suits && readable ? setOf(source, width, SET) : null;
    if (address !== null) return address;
  }
  return null;
}

function otherAddress(image: HTMLImageElement): string | null {
  const { src, srcset } = image;
  return valuesOf(image, /./).find(isFile) ?? (src === "" ? bestOf(srcset, boundsOf(image).width) : null);
}

/** What is shown where scripts are off: beside the image, or beside the box that holds it alone. */
function inNoscript(image: HTMLImageElement): string | null {
  let box: Element | null = image;
  for (let level = 0; level < 3 && box !== null; level++) {
    for (const sibling of [box.nextElementSibling, box.previousElementSibling]) {
      const address = sibling?.localName === "noscript" ? inScriptless(sibling) : null;
      if (address !== null) return address;
    }
    box = box.parentElement;
    if ((box?.querySelectorAll("img").length ?? 0) > 1) return null;
  }
  return null;
}

function inScriptless(noscript: Element): string | null {
  // Where scripts run its content is text; a parsed document loads nothing.
  const image = new DOMParser().parseFromString(noscript.textContent, "text/html").querySelector("img");
  if (image === null || isCounter(image)) return null;
  return image.getAttribute("src") ?? bestOf(image.srcset, innerWidth) ?? valuesOf(image, ADDRESS)[0] ?? null;
}

/** Whether it is a dot that only counts visitors. */
function isCounter(image: Element): boolean {
  return ["width", "height"].some((name) => Number.parseFloat(image.getAttribute(name) ?? "") <= DOT)
    || /display:\s*none/i.test(image.getAttribute("style") ?? "");
}

function setOf(element: Element, width: number, name: RegExp): string | null {
  const set = attributesOf(element).find((attribute) => name.test(attribute.name));
  return set === undefined ? null : bestOf(set.value, width);
}

/** The values of the page's own attributes that may be an address, by their names. */
function valuesOf(element: Element, name: RegExp): string[] {
  return attributesOf(element)
    .filter((attribute) => name.test(attribute.name) && (name === BACKGROUND || !SET.test(attribute.name)))
    .map(({ value }) => value.trim())
    .filter((value) => /^[^{]*[./][^{]*$/.test(value) && (name === BACKGROUND || !/\s/.test(value)));
}

function attributesOf(element: Element): Attr[] {
  return [...element.attributes].filter(({ name }) => OWN_ATTRIBUTE.test(name));
}

function isFile(value: string): boolean {
  return PICTURE_FILE.test(pathOf(value));
}

function pathOf(url: string): string {
  return url.split(/[?#]/)[0] ?? "";
}

/** Whether what came in a picture's place is a page: a sign-in form, or an error in words. */

const TEXT_TYPE = /^(text\/|application\/(json|xml|xhtml|javascript))|\+(xml|json)\b/i;
/** So many bytes are looked at: in them each format of pictures has some that no text holds. */
const START = 512;

/** The type that a site claims is not trusted: a script that sends a JPEG often calls it text/html. */
export function isPageText(type: string | null, bytes: Uint8Array): boolean {
  if (!TEXT_TYPE.test(type ?? "")) return false;
  return !bytes.subarray(0, START).some((byte) =>
    byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f));
}

/** The addresses of a srcset, and the one of them that suits the screen. */

const CANDIDATE = /\s*([^\s,]\S*[^\s,]|[^\s,])(?:\s+([^,]+))?\s*(?:,|$)/g;

/** The address in a `srcset` that suits a picture of `width` CSS pixels; null for none. */
export function bestOf(srcset: string, width: number): string | null {
  const candidates = [...srcset.matchAll(CANDIDATE)].map(([, url = "", descriptor = ""]) => ({
    url,
    density: densityOf(descriptor.trim(), width),
  }));
  const [first, ...others] = candidates;
  if (first === undefined) return null;
  return others.reduce((best, other) => (misfit(other.density) < misfit(best.density) ? other : best), first).url;
}

/** How badly a picture of a density suits the screen: too coarse is worse than too fine. */
export function misfit(density: number): number {
  const missing = devicePixelRatio - density;
  return missing > 0 ? missing * 2 : -missing;
}

function densityOf(descriptor: string, width: number): number {
  const number = Number.parseFloat(descriptor);
  if (Number.isNaN(number)) return 1;
  return descriptor.endsWith("w") ? number / Math.max(width, 1) : number;
}

/** What an <img> asks for: a site that chooses the format by it sends the file that is shown. */
export const ACCEPT = "image/avif,image/webp,image/png,image/*;q=0.9,*/*;q=0.5";

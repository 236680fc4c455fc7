/** The text of the QR code in a picture. */

import jsQR from "jsqr";

/** What `ImageData` has: four bytes a pixel, row by row. */
export interface Picture {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

const MAX_PIXELS = 1 << 25;

/** `null` where no code with a text is seen, or the picture is larger than any camera's that we expect. */
export function readQr(picture: Picture): string | null {
  const { data, width, height } = picture;
  if (width * height > MAX_PIXELS || data.length !== 4 * width * height) return null;
  return jsQR(data, width, height)?.data || null; // now and then it sees an empty code where there is none
}

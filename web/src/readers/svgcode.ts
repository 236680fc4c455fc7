/**
 * The modules of a QR code that Billproof drew as SVG: one path of horizontal strokes in a grid. The file is read as
 * text and never given to the browser as a picture, so that nothing in it can be fetched or run; other SVGs are not read.
 */

import type { Picture } from "./qr";

const MAX_TEXT = 1 << 20;
/** A code of version 40 has 177 modules across, and white around them. */
const MOST_MODULES = 200;
/** Pixels a module. */
const SCALE = 4;
const PATH = /<path\b[^>]*\bclass="qrline"[^>]*\bd="([^"]*)"[^>]*>/;
const STEP = /([Mmh])\s*(-?\d+(?:\.\d+)?)(?:[\s,]+(-?\d+(?:\.\d+)?))?/g;

/** null when the text is no such code. */
export function readSvgCode(text: string): Picture | null {
  const path = text.length > MAX_TEXT ? undefined : PATH.exec(text)?.[1];
  if (path === undefined || path.replace(STEP, "").trim() !== "") return null;
  const strokes: { row: number; from: number; to: number }[] = [];
  let [x, y, right, bottom] = [0, 0, 0, 0];
  for (const [, command, first, second] of path.matchAll(STEP)) {
    const length = Number(first);
    if ((command === "h") !== (second === undefined)) return null;
    if (command === "h") {
      strokes.push({ row: Math.floor(y), from: x, to: x + length });
      x += length;
    } else [x, y] = command === "M" ? [length, Number(second)] : [x + length, y + Number(second)];
    if (!(x >= 0 && y >= 0 && x < MOST_MODULES && y < MOST_MODULES && Number.isInteger(x))) return null;
    [right, bottom] = [Math.max(right, x), Math.max(bottom, Math.floor(y) + 1)];
  }
  return strokes.length ? draw(strokes, Math.max(right, bottom)) : null;
}

/** As pixels, black on white, with as much white below and to the right as a code needs. */
function draw(strokes: readonly { row: number; from: number; to: number }[], modules: number): Picture {
  const quiet = 4;
  const width = (modules + 2 * quiet) * SCALE;
  const data = new Uint8ClampedArray(4 * width * width).fill(255);
  for (const { row, from, to } of strokes) {
    for (let line = 0; line < SCALE; line++) {
      const start = ((row + quiet) * SCALE + line) * width;
      for (let at = start + (from + quiet) * SCALE; at < start + (to + quiet) * SCALE; at++) data.fill(0, 4 * at, 4 * at + 3);
    }
  }
  return { data, width, height: width };
}

import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readQr } from "../../src/readers/qr";
import { readReceiptCode } from "../../src/readers/receiptcode";
import { readSvgCode } from "../../src/readers/svgcode";
import { vectors } from "../protocol/vectors";

/** The pixels of a PNG of one bit a pixel, black and white, as the package draws codes. */
function picture(file: Uint8Array): { data: Uint8ClampedArray; width: number; height: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  expect([file[24], file[25], file[28]]).toEqual([1, 0, 0]);
  const packed: Uint8Array[] = [];
  for (let at = 8; at < file.length; ) {
    const length = view.getUint32(at);
    if (new TextDecoder().decode(file.subarray(at + 4, at + 8)) === "IDAT") packed.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const rows = inflateSync(Buffer.concat(packed));
  const stride = Math.ceil(width / 8) + 1;
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let y = 0; y < height; y++) {
    const above = rows[y * stride] === 2; // a row as its difference from the one above, or as it is
    if (!above) expect(rows[y * stride]).toBe(0);
    for (let i = 1; above && i < stride; i++) rows[y * stride + i] = rows[y * stride + i]! + rows[(y - 1) * stride + i]!;
    for (let x = 0; x < width; x++) {
      const white = (rows[y * stride + 1 + (x >> 3)]! >> (7 - (x & 7))) & 1;
      data.fill(white * 255, 4 * (y * width + x), 4 * (y * width + x) + 3);
    }
  }
  return { data, width, height };
}

describe("QR codes", () => {
  it("reads the code of a receipt that the package drew", async () => {
    const file = readFileSync(new URL("../../../tests/vectors/receipt-code.png", import.meta.url));
    const text = readQr(picture(new Uint8Array(file)));
    const { code, receipt } = vectors("receipt-codes").good[0];
    expect(text).toBe(code);
    expect(await readReceiptCode(text!)).toEqual(receipt);
  });

  it("reads the same code drawn as SVG, and no SVG of others", async () => {
    const drawn = readFileSync(new URL("receipt-code.svg", import.meta.url), "utf8");
    const { code, receipt } = vectors("receipt-codes").good[0];
    const text = readQr(readSvgCode(drawn)!);
    expect(text).toBe(code);
    expect(await readReceiptCode(text!)).toEqual(receipt);
    for (const other of ["", "<svg/>", "x".repeat(1 << 21), '<path class="qrline" d="M0 0l5 5"/>', '<path class="qrline" d="M0 0h99999"/>', '<path class="qrline" d="M0 0h-5"/>'])
      expect(readSvgCode(other)).toBeNull();
  });

  it("sees none where none is", () => {
    expect(readQr({ data: new Uint8ClampedArray(4 * 50 * 50), width: 50, height: 50 })).toBeNull();
    expect(readQr({ data: new Uint8ClampedArray(4), width: 9000, height: 9000 })).toBeNull();
  });
});

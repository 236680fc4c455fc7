import { expect, test } from "vitest";
import { compareBytes, fromHex, toHex } from "../../src/protocol/hex";

test("hex goes both ways and orders like integers", () => {
  expect(toHex(fromHex("0x00ff10"))).toBe("0x00ff10");
  expect(compareBytes(fromHex("0x80"), fromHex("0x7f"))).toBeGreaterThan(0);
});

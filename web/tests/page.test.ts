import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { comparePages } from "../src/page";
import { type Bundle, parseDocument } from "../src/protocol/documents";
import { readAttachment } from "../src/readers/pdf";

const pdf = readFileSync(new URL("../../tests/vectors/invoice.pdf", import.meta.url));
const { bundle: content, text } = await readAttachment(new Uint8Array(pdf));
const bundle = parseDocument(content) as Bundle;

test("an untouched invoice says what its bundle says", () => {
  expect(comparePages(text, bundle)).toBeNull();
});

const at = (wanted: string, nth = 0): number => text.flatMap((one, place) => (one === wanted ? [place] : []))[nth]!;

test.each([
  ["an amount", at("0,27", 1), "0,37", 0],
  ["an amount's decimals", at("0,27", 1), "02,7", 0],
  ["a sign", at("9,99", 1), "-9,99", 2],
  ["a phone number", at("+4930123456"), "+4930123457", 0],
  ["a duration", at("2:05 Min."), "3:05 Min.", 0],
  ["a day", at("02.10.2026"), "03.10.2026", 0],
  ["a time", at("12:00:00"), "12:01:00", 1],
  ["data", at("1,573 MB"), "1,673 MB", 1],
  ["a rate", at("0.01 EUR/MiB"), "0.02 EUR/MiB", 1],
  ["the total", at("10,28 €"), "11,28 €", null],
])("%s changed on the page is found", (_, place, changed, line) => {
  expect(place).toBeGreaterThan(0);
  expect(comparePages(text.with(place, changed), bundle)).toEqual(expect.objectContaining({ line }));
});

test("a line more or less on the page is found", () => {
  const start = at("09.10.2026") - 1;
  expect(comparePages(text.toSpliced(start, 8), bundle)).not.toBeNull();
  expect(comparePages(text.toSpliced(text.length - 2, 0, "4", "01.11.2026", "gift"), bundle)).toEqual({ line: null, shown: expect.anything() });
});

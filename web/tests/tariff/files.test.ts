/** Which files are tariffs: what the package refuses, the page refuses too, and the other way round. */

import { describe, expect, test } from "vitest";
import { TariffFault } from "../../src/tariff/fault";
import { readTariff } from "../../src/tariff/read";
import { vectors } from "../protocol/vectors";

const { base, cases } = vectors("tariff-files") as { base: string; cases: { replace: string; with: string; sound: boolean }[] };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function refusal(content: Uint8Array): TariffFault | null {
  try {
    readTariff(content);
    return null;
  } catch (error) {
    if (error instanceof TariffFault) return error;
    throw error;
  }
}

test("the file that the cases change is a tariff", () => {
  expect(refusal(bytes(base))).toBeNull();
  expect(cases.length).toBeGreaterThan(300);
});

describe("cases", () => {
  test.each(cases.map((one) => [one.with.slice(0, 60), one] as const))("%s", (_, one) => {
    expect(base).toContain(one.replace);
    const found = refusal(bytes(base.replace(one.replace, () => one.with)));
    expect(found === null, found?.message).toBe(one.sound);
  });
});

const PLAIN = '"schema": "billproof/tariff/1", "name": "A", "version": "1", "currency": "EUR", "valid": {"from": "2026-10-01"}';
const json = (decimals: string, more = ""): string =>
  `{${PLAIN}, "rounding": {"mode": "up", "decimals": ${decimals}, "at": "call"}, "rates": [{"name": "a", "services": ["data"], "price": "1", "unit": "1 B"}]${more}}`;

test("JSON is read as strictly", () => {
  expect(refusal(bytes(json("4")))).toBeNull();
  expect(refusal(bytes(` ${json("4")}\n`))).toBeNull();
  for (const text of [json("4.0"), json("4e0"), json('"4"'), json("4", ', "name": "B"'), json("4", ', "note": 1'), `${json("4")} x`, "{", "[]"])
    expect(refusal(bytes(text)), text).not.toBeNull();
});

test("what cannot be read is refused without a crash", () => {
  for (const content of [
    new Uint8Array(), bytes("a = 1\na = 2\n"), bytes('a = """\n'), Uint8Array.of(97, 61, 39, 255, 39), bytes(`\ufeff${base}`), bytes("a = " + "[".repeat(100_000)),
    bytes('{"a": ' + "[".repeat(100_000)), bytes("a = " + "9".repeat(5000)),
  ])
    expect(refusal(content)).not.toBeNull();
});

test("files that are damaged at a place, or at several, are taken or refused, and nothing else happens", () => {
  let seed = 20_261_125;
  const draw = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const pieces = ["", '"', "'", "{", "}", "[", "]", "[[", "\\", "\n", "#", "=", ",", "-", "9".repeat(40), '"""', "\u0000", "é", "0 s", "rest", "elsewhere", "home"];
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    let text: string = base;
    for (let times = 1 + draw(3); times > 0; times--) {
      const at = draw(text.length);
      text = text.slice(0, at) + pieces[draw(pieces.length)] + text.slice(at + draw(12));
    }
    if (refusal(bytes(text))) refused++;
  }
  expect(refused).toBeGreaterThan(700);
});

test("tables that would not fit are refused", () => {
  const calendars = (count: number): string => Array.from({ length: count }, (_, at) => `[calendars.c${at}]\nx = "rest"\n`).join("");
  expect(refusal(bytes(base + calendars(63)))).toBeNull();
  expect(refusal(bytes(base + calendars(64)))).toMatchObject({ place: "calendars" });
  expect(refusal(bytes(base.replace('["2026-10-26"]', `[${'"2026-10-26",'.repeat(2001)}]`)))).toMatchObject({ place: "holidays" });
});

test("a broken file says where", () => {
  expect(refusal(bytes(base.replace('bands = ["peak"]', 'bands = ["peek"]')))).toMatchObject({ kind: "name", place: "rates[1].bands[1]" });
  expect(refusal(bytes(base.replace('bands = ["off-peak"]', 'bands = ["peak", "off-peak"]')))).toMatchObject({ kind: "overlap" });
});

/** Every cause in every language: everything is filled in, and says what it is about. */

import { expect, test } from "vitest";
import { openTariff, looksLikeTariff, priceFindings } from "../../src/tariff/bill";
import { checkStatement, type Verdict } from "../../src/tariff/check";
import { priceSentence, usage } from "../../src/tariff/wording";
import type { Language } from "../../src/matching/formatting";
import type { Bundle } from "../../src/protocol/documents";
import { readTariff } from "../../src/tariff/read";
import { readFileSync, readdirSync } from "node:fs";

const FOLDER = new URL("../../../tests/vectors/rating/", import.meta.url);
const printed = (text: string): string => text;

/** The first verdict of each cause among the vectors, with its record. */
function examples(): Map<string, { verdict: Verdict; record: any; pricesIn: string; currency: string }> {
  const found = new Map();
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
    for (const one of JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")).cases) {
      const tariff = readTariff(readFileSync(new URL(one.tariff, FOLDER)));
      const records = one.records.map((fields: any) => ({
        ...fields, index: Number(fields.index), service: Number(fields.service), startedAt: Number(fields.startedAt), utcOffset: Number(fields.utcOffset),
        usage: BigInt(fields.usage), billedUsage: BigInt(fields.billedUsage), amount: BigInt(fields.amount), corrects: !/^0x0+$/.test(fields.corrects),
      }));
      checkStatement(tariff, records).records.forEach((verdict, at) => {
        if (verdict.cause && !found.has(verdict.cause)) found.set(verdict.cause, { verdict, record: records[at], pricesIn: tariff.pricesIn, currency: tariff.currency });
      });
    }
  }
  return found;
}

const all = examples();

test.each(["en", "de", "fr"] as Language[])("in %s", (lang) => {
  expect(all.size).toBeGreaterThanOrEqual(16);
  const said = [...all.values()].map(({ verdict, record, currency, pricesIn }) => priceSentence(lang, verdict, record, currency, pricesIn, printed));
  for (const text of said) expect(text).toMatch(/^[^{}]+$/);
  expect(new Set(said).size).toBe(said.length);
});

test("causes are told with what explains them", () => {
  const say = (cause: string): string => {
    const { verdict, record, currency, pricesIn } = all.get(cause)!;
    return priceSentence("en", verdict, record, currency, pricesIn, printed);
  };
  expect(say("billed-usage")).toMatch(/billed as .+, the contract says .+, in steps of .+\.$/);
  expect(say("zone")).toMatch(/charged as “.+”, but the network was .+\.$/);
  expect(say("tier")).toBe("Charged €0.007, the contract says €0.005: charged at 1.50 EUR / 1 GB, after what was used before the price is 1.00 EUR / 1 GB.");
  expect(say("connection")).toMatch(/connection fee/);
});

test("usage is written exactly", () => {
  expect(usage("en", 1, 3725n)).toBe("1 h 2 min 5 s");
  expect(usage("de", 6, 1_500_000n)).toBe("1,5 MB");
  expect(usage("en", 6, 1_000_000_001n)).toBe("1.000000001 GB");
  expect(usage("fr", 4, 1n)).toBe("1 message");
});

test("files that call themselves tariffs, and others", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (const text of ['schema = "billproof/tariff/1"', '# mine\nname = "a"\nschema="billproof/tariff/1"', '{"name": "a", "schema": "billproof/tariff/1"}', '{\n  "schema" : "billproof/tariff/1"'])
    expect(looksLikeTariff("file", bytes(text)), text).toBe(true);
  for (const text of ['{"schema": "billproof/bundle/1"}', "date,number\n", '{"rate": "schema = billproof/tariff/1"}']) expect(looksLikeTariff("file.json", bytes(text)), text).toBe(false);
  expect(looksLikeTariff("plan.TOML", bytes("nothing"))).toBe(true);
  expect(openTariff("plan.toml", bytes("nothing"))).toMatchObject({ tariff: null, fault: { kind: "syntax" } });
  const started = performance.now();
  looksLikeTariff("long", bytes(`${"\n \t".repeat(20_000)}x`));
  expect(performance.now() - started).toBeLessThan(500);
});

const STAKES: Record<"name" | "charged" | "due" | "phone" | "stake", string>[] = JSON.parse(
  readFileSync(new URL("../../../tests/vectors/price-stakes.json", import.meta.url), "utf8"),
);

test.each(STAKES)("a line is claimed for the greater of what phone and tariff dispute: $name", ({ charged, due, phone, stake }) => {
  const { verdict } = all.get("price")!;
  const bundle = { records: [{ amount: charged }] } as unknown as Bundle;
  const tariff = readTariff(readFileSync(new URL("tariffs/lines.toml", FOLDER)));
  const difference = BigInt(charged) - BigInt(due);
  const checked = { records: [{ ...verdict, index: 0, due: BigInt(due), difference }], missing: [], left: new Map() };
  const found = priceFindings(bundle, tariff, checked, new Map(phone ? [[0, BigInt(phone)]] : []));
  expect(found.map((each) => String(each.stake))).toEqual(stake ? [stake] : []);
  for (const each of found) expect(each.stake + each.already).toBe(difference);
});

test("a missing credit is claimed, a fee that is missing is not", () => {
  const tariff = readTariff(readFileSync(new URL("tariffs/lines.toml", FOLDER)));
  const checked = { records: [], missing: [{ name: "volume", due: -750_000_000n }, { name: "fee", due: 5n }], left: new Map() };
  expect(priceFindings({ records: [] } as unknown as Bundle, tariff, checked).map(({ index, stake }) => [index, stake])).toEqual([[null, 750_000_000n]]);
});

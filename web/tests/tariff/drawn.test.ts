/**
 * Tariffs and statements that the package's tests have drawn, with what a rater says of them that follows the specification
 * word by word; `BILLPROOF_DRAWN` names the file (tests/browser/test_drawn_tariffs.py writes it).
 */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkStatement } from "../../src/tariff/check";
import { readTariff } from "../../src/tariff/read";
import type { StatementRecord } from "../../src/tariff/usage";

interface Drawn {
  seed: number;
  tariff: string;
  statements: { records: any[]; balances: Record<string, number>; verdicts: string[][]; missing: [string, string][]; left: Record<string, string> }[];
}

const FILE = process.env.BILLPROOF_DRAWN;

const recordOf = (fields: any): StatementRecord => ({
  ...fields,
  usage: BigInt(fields.usage),
  billedUsage: BigInt(fields.billedUsage),
  amount: BigInt(fields.amount),
  corrects: !/^0x0+$/.test(fields.corrects),
});

test.skipIf(!FILE)("drawn statements get the verdicts of the naive rater", { timeout: 300_000 }, () => {
  const drawn = JSON.parse(readFileSync(FILE!, "utf8")) as Drawn[];
  expect(drawn.length).toBeGreaterThan(0);
  for (const { seed, tariff, statements } of drawn) {
    const file = readTariff(new TextEncoder().encode(tariff));
    for (const { records, balances, verdicts, missing, left } of statements) {
      const carried = new Map(Object.entries(balances).map(([name, units]) => [name, BigInt(units)]));
      const found = checkStatement(file, records.map(recordOf), carried);
      const said = found.records.map(({ status, rate, billedUsage, due, free, cause }, at) => [
        status, records[at].service < 32 ? rate : "", String(billedUsage), String(due), String(free), cause,
      ]);
      expect(said, `seed ${seed}`).toEqual(verdicts);
      expect(found.missing.map(({ name, due }) => [name, String(due)]), `seed ${seed}`).toEqual(missing);
      expect(Object.fromEntries([...found.left].map(([name, units]) => [name, String(units)])), `seed ${seed}`).toEqual(left);
    }
  }
});

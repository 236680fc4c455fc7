/** The statements that every implementation of docs/tariff.md must judge alike. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkStatement } from "../../src/tariff/check";
import { readTariff } from "../../src/tariff/read";
import type { StatementRecord } from "../../src/tariff/usage";

const FOLDER = new URL("../../../tests/vectors/rating/", import.meta.url);

interface Expected {
  records: { status: string; rate: string; billedUsage: string | null; due: string | null; free: string; cause: string }[];
  missing: { name: string; due: string }[];
  left: Record<string, string> | null;
}

interface Case {
  name: string;
  tariff: string;
  balances: Record<string, string>;
  records: Record<string, string>[];
  expected: Expected;
}

const topics = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .map((file) => [file, (JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as { cases: Case[] }).cases] as const);

function recordOf(fields: Record<string, string>): StatementRecord {
  return {
    index: Number(fields.index),
    service: Number(fields.service),
    startedAt: Number(fields.startedAt),
    utcOffset: Number(fields.utcOffset),
    usage: BigInt(fields.usage!),
    billedUsage: BigInt(fields.billedUsage!),
    number: fields.number!,
    network: fields.network!,
    amount: BigInt(fields.amount!),
    rate: fields.rate!,
    corrects: !/^0x0+$/.test(fields.corrects!),
  };
}

function judged({ tariff, balances, records }: Case, wanted: Expected["left"]): Expected {
  const file = readTariff(readFileSync(new URL(tariff, FOLDER)));
  const carried = new Map(Object.entries(balances).map(([name, units]) => [name, BigInt(units)]));
  const found = checkStatement(file, records.map(recordOf), carried);
  return {
    records: found.records.map(({ status, rate, billedUsage, due, free, cause }) => ({
      status, rate, billedUsage: billedUsage?.toString() ?? null, due: due?.toString() ?? null, free: free.toString(), cause,
    })),
    missing: found.missing.map(({ name, due }) => ({ name, due: due.toString() })),
    left: wanted && Object.fromEntries([...found.left].map(([name, units]) => [name, units.toString()])),
  };
}

test("cases are there", () => {
  expect(topics.flatMap(([, cases]) => cases).length).toBeGreaterThan(230);
});

describe.each(topics)("%s", (_, cases) => {
  test.each(cases.map((one) => [one.name, one] as const))("%s", (_, one) => {
    expect(judged(one, one.expected.left)).toEqual(one.expected);
  });
});

/** One billionth more on each line that the tariff prices: what was right is wrong then. */
test("no line may cost a billionth more", () => {
  for (const [, cases] of topics)
    for (const one of cases)
      one.records.forEach((record, at) => {
        if (one.expected.records[at]!.status !== "right" || /^(0|-)/.test(record.amount!)) return;
        const dearer = one.records.map((other, place) => (place === at ? { ...other, amount: String(BigInt(other.amount!) + 1n) } : other));
        expect(judged({ ...one, records: dearer }, null).records[at]!.status, `${one.name} ${at}`).not.toBe("right");
      });
});

/** The vectors that the package and this implementation must both reproduce, to the last field. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { match } from "../../src/matching";
import type { InvoiceLine, MatchResult, PhoneLog } from "../../src/matching/types";

const FOLDER = new URL("../../../tests/vectors/matching/", import.meta.url);

interface Vector {
  name: string;
  region?: string;
  invoice: { period: number; currency: string; lines: (Omit<InvoiceLine, "index" | "amount"> & { amount: string })[] };
  logs: Omit<PhoneLog, "rejects">[];
  expected: MatchResult;
}

const vectors = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Vector);

describe("vectors", () => {
  test("are there", () => {
    expect(vectors.length).toBeGreaterThan(50);
  });

  test.each(vectors.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    const lines = vector.invoice.lines.map((line, index) => ({ ...line, index, amount: BigInt(line.amount) }));
    const logs = vector.logs.map((log) => ({ ...log, rejects: [] }));
    expect(match({ ...vector.invoice, lines }, logs, { region: vector.region })).toEqual(vector.expected);
  });
});

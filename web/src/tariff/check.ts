/** A statement against its tariff: what each line should cost, and why it does not (docs/tariff.md, section 8). */

import { explain, type UsageCause } from "./causes";
import { RateFinder, type Spot } from "./finder";
import { type LineCause, type Missing, priceLines } from "./lines";
import { FIRST_LINE, type Rate, type Tariff } from "./types";
import { billedUsageOf, priceUsage, type StatementRecord } from "./usage";

export type Status = "right" | "wrong" | "no rate" | "outside validity" | "not priced";
export type Cause = "" | UsageCause | LineCause | "no-rate";

export interface Verdict {
  index: number;
  status: Status;
  /** Of the rate, fee, discount, commitment or tax; of the total, the printed rate. */
  rate: string;
  /** As due; null where the tariff does not say. */
  billedUsage: bigint | null;
  due: bigint | null;
  free: bigint;
  cause: Cause;
  /** Charged - due: positive is too much. */
  difference: bigint;
  /** For the words of a cause: where the record was, its rate, and the rate or detail that explains it. */
  spot: Spot | null;
  own: Rate | null;
  /** The tier's price; null: the rate's own. */
  price: bigint | null;
  other: Rate | null;
  detail: string;
}

export interface Checked {
  records: Verdict[];
  missing: Missing[];
  left: Map<string, bigint>;
}

/** `balances`: units of usage that were carried over, by allowance. */
export function checkStatement(
  tariff: Tariff,
  records: readonly StatementRecord[],
  balances: ReadonlyMap<string, bigint> = new Map(),
): Checked {
  const finder = new RateFinder(tariff);
  const usage = priceUsage(tariff, finder, records.filter(({ service, corrects }) => service < FIRST_LINE && !corrects), balances);
  const lines = priceLines(tariff, records);
  const verdictOf = (record: StatementRecord): Verdict => {
    const { index, amount } = record;
    const plain: Verdict = {
      index, status: "not priced", rate: "", billedUsage: null, due: null, free: 0n, cause: "", difference: 0n, spot: null, own: null, price: null, other: null, detail: "",
    };
    const line = lines.due.get(record);
    if (line) {
      const wrong = amount !== line.due;
      return { ...plain, status: wrong ? "wrong" : "right", rate: line.name, due: line.due, cause: wrong ? line.cause : "", difference: amount - line.due };
    }
    if (record.corrects || record.service >= FIRST_LINE) return plain;
    if (usage.outside.has(record)) return { ...plain, status: "outside validity" };
    const one = usage.priced.get(record);
    if (!one) return { ...plain, status: "no rate", due: 0n, cause: amount === 0n ? "" : "no-rate", difference: amount };
    const { rate, billedUsage, free, due, spot, price } = one;
    const found: Verdict = { ...plain, status: "right", rate: rate.name, billedUsage, due, free, difference: amount - due, spot, own: rate, price };
    if (amount === due && billedUsageOf(record) === billedUsage) return found;
    const { cause, rate: other, detail } = explain(tariff, finder, one);
    return { ...found, status: "wrong", cause, other, detail };
  };
  return { records: records.map(verdictOf), missing: lines.missing, left: usage.left };
}

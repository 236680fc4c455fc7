/** The charge of one record (docs/tariff.md, section 4). */

import { add, type Fraction, MONEY, type Mode, PRICE, round, times, toWhole } from "./numbers";
import type { Interval, Rate } from "./types";

/** What a charge depends on, beside the rate. */
export interface Charged {
  /** Billed usage in each interval, and the part of it that is free. */
  billed: bigint[];
  free: bigint[];
  /** How many connection fees: 0 or 1, where nothing is wrong. */
  connections: bigint;
  /** The tier's price, for all intervals. */
  price?: bigint | null;
  mode?: Mode;
}

/** Billed usage by interval: what lies in it, rounded up to whole increments. */
export function billedIn(rate: Rate, usage: bigint): bigint[] {
  return split(rate.intervals, usage).map((part, at) => {
    const { increment } = rate.intervals[at]!;
    return ((part + increment - 1n) / increment) * increment;
  });
}

/** Usage by interval, from 0 on, not rounded. */
export function split(intervals: readonly Interval[], usage: bigint): bigint[] {
  return intervals.map(({ from }, at) => {
    const end = intervals[at + 1]?.from;
    const until = end !== undefined && end < usage ? end : usage;
    return until > from ? until - from : 0n;
  });
}

/** The part of free usage in each interval: the call's beginning is free. */
export function freeIn(rate: Rate, billed: readonly bigint[], free: bigint): bigint[] {
  return rate.intervals.map(({ from }, at) => {
    const left = free > from ? free - from : 0n;
    return left < billed[at]! ? left : billed[at]!;
  });
}

export const sum = (parts: readonly bigint[]): bigint => parts.reduce((all, part) => all + part, 0n);

/** In billionths. `exchange` is in billionths too, null where there is none. */
export function charge(rate: Rate, { billed, free, connections, price = null, mode }: Charged, exchange: bigint | null): bigint {
  const { at, decimals } = rate.rounding;
  const rounding = mode ?? rate.rounding.mode;
  const exchanged = (value: Fraction): Fraction => (exchange === null ? value : times(value, exchange, 10n ** BigInt(MONEY)));
  const single = (value: Fraction): Fraction => (at === "increment" ? round(exchanged(value), PRICE, decimals, rounding) : value);
  let total = times(single({ over: rate.connection, under: 1n }), connections);
  rate.intervals.forEach(({ price: own, unit, increment }, k) => {
    const paid = billed[k]! - free[k]!;
    if (paid === 0n) return;
    // The price of one increment, then as many of them: no whole number where part of one is free.
    const one = single(times({ over: price ?? own, under: 1n }, increment, unit));
    total = add(total, times(one, paid, increment));
  });
  if (at !== "increment") total = exchanged(total);
  const rounded = at === "call" ? round(total, PRICE, decimals, rounding) : total;
  const amount = toWhole(times(rounded, 1n, 10n ** BigInt(PRICE - MONEY)), "half-even");
  return limited(rate, amount, sum(billed), sum(free));
}

/** Of a record with usage; with all of it free there is no minimum. */
function limited({ minimum, maximum }: Rate, amount: bigint, billed: bigint, free: bigint): bigint {
  if (minimum !== null && amount < minimum && free < billed) return minimum;
  return maximum !== null && amount > maximum ? maximum : amount;
}

/** What the usage of a statement costs: its rates, tiers and allowances (docs/tariff.md, sections 3 to 6). */

import { billedIn, charge, freeIn, sum } from "./charge";
import { appliesAtTime, isValidOn, RateFinder, type Spot, spotOf, type UsageRecord } from "./finder";
import { type Allowance, kindOf, type Rate, type Tariff } from "./types";

export interface StatementRecord extends UsageRecord {
  index: number;
  usage: bigint;
  billedUsage: bigint;
  /** Billionths. */
  amount: bigint;
  /** The printed rate line. */
  rate: string;
  /** Whether it corrects another record. */
  corrects: boolean;
}

/** What is due for a record that a rate applies to. */
export interface Priced {
  record: StatementRecord;
  spot: Spot;
  rate: Rate;
  /** Usage as it counts: of messages at least 1. */
  usage: bigint;
  billed: bigint[];
  /** Sums: billed, and the part of it that allowances gave. */
  billedUsage: bigint;
  free: bigint;
  /** Allowances that gave some, in the file's order. */
  from: Allowance[];
  /** The tier's price; null: the rate's own. */
  price: bigint | null;
  due: bigint;
}

export interface Usage {
  priced: Map<StatementRecord, Priced>;
  outside: Set<StatementRecord>;
  /** Allowance → what is left of it. */
  left: Map<string, bigint>;
}

/** `records` are those of usage that correct nothing. */
export function priceUsage(
  tariff: Tariff,
  finder: RateFinder,
  records: readonly StatementRecord[],
  balances: ReadonlyMap<string, bigint>,
): Usage {
  const inOrder = [...records].sort((a, b) => a.startedAt - b.startedAt || a.index - b.index);
  const priced = new Map<StatementRecord, Priced>();
  const outside = new Set<StatementRecord>();
  const before = new Map<Rate, bigint>();
  for (const record of inOrder) {
    const spot = spotOf(tariff, record);
    if (!isValidOn(tariff, spot.days)) {
      outside.add(record);
      continue;
    }
    const rate = finder.find(spot);
    if (!rate) continue;
    const usage = usageOf(record);
    const billed = billedIn(rate, usage);
    const used = before.get(rate) ?? 0n;
    const price = rate.tiers.findLast(({ above }) => above <= used)?.price ?? null;
    const billedUsage = sum(billed);
    before.set(rate, used + billedUsage);
    priced.set(record, { record, spot, rate, usage, billed, billedUsage, free: 0n, from: [], price, due: 0n });
  }
  const left = new Map(tariff.allowances.map((allowance) => [allowance.name, give(tariff, allowance, [...priced.values()], balances)]));
  for (const one of priced.values()) one.due = dueOf(tariff, one);
  return { priced, outside, left };
}

/** What the record used: of messages at least 1. */
function usageOf({ service, usage }: StatementRecord): bigint {
  return usage === 0n && kindOf(service) === "messages" ? 1n : usage;
}

/** What the record says was billed: where it says 0 of both, as its usage counts. */
export function billedUsageOf(record: StatementRecord): bigint {
  return record.billedUsage === 0n && record.usage === 0n ? usageOf(record) : record.billedUsage;
}

/** Gives an allowance to the records that it is for; what is left of it. */
function give(tariff: Tariff, allowance: Allowance, priced: readonly Priced[], balances: ReadonlyMap<string, bigint>): bigint {
  let left = allowance.amount + (balances.get(allowance.name) ?? 0n);
  for (const one of priced) {
    const wanted = one.billedUsage - one.free;
    const given = wanted < left ? wanted : left;
    if (given === 0n || !isFor(tariff, allowance, one.spot)) continue;
    left -= given;
    one.free += given;
    one.from.push(allowance);
  }
  return left;
}

function isFor(tariff: Tariff, allowance: Allowance, { service, zone, destination, days, minute }: Spot): boolean {
  const { services, zones, destinations } = allowance;
  return (
    services.includes(service) &&
    zones.includes(zone) &&
    (destinations === null || destinations.includes(destination)) &&
    appliesAtTime(tariff, allowance, days, minute)
  );
}

/** How many connection fees a record owes that has some usage, with so much of it free. */
export function connectionsOf({ from }: Pick<Priced, "from">, free: bigint): bigint {
  return free > 0n && from[0]?.connection ? 0n : 1n;
}

function dueOf({ exchange }: Tariff, one: Priced): bigint {
  const { rate, usage, billed, free, price } = one;
  if (usage === 0n) return 0n;
  return charge(rate, { billed, free: freeIn(rate, billed, free), connections: connectionsOf(one, free), price }, exchange);
}

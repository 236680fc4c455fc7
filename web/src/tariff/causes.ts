/** Why a record of usage costs something else than it should: the first cause of docs/tariff.md, section 8, that explains it. */

import { billedIn, charge, type Charged, freeIn, split, sum } from "./charge";
import type { RateFinder } from "./finder";
import { MODES } from "./numbers";
import type { Rate, Tariff } from "./types";
import { billedUsageOf, connectionsOf, type Priced } from "./usage";

export type UsageCause = "billed-usage" | "allowance" | "zone" | "band" | "destination" | "tier" | "rounding" | "connection" | "price";

export interface Explained {
  cause: UsageCause;
  /** The rate that it was charged by instead. */
  rate: Rate | null;
  /** More of it: connection fees that were charged, the mode of rounding, the tier's price. */
  detail: string;
}

export function explain(tariff: Tariff, finder: RateFinder, one: Priced): Explained {
  const { record, rate, spot, billed, free, price } = one;
  const charged = record.amount;
  const by = (cause: UsageCause, other: Rate | null = null, detail = ""): Explained => ({ cause, rate: other, detail });
  const explains = (changes: Partial<Charged>): boolean => {
    const own: Charged = { billed, free: freeIn(rate, billed, free), connections: one.usage === 0n ? 0n : connectionsOf(one, free), price };
    return chargeOf(tariff, rate, { ...own, ...changes }) === charged;
  };

  if (billedUsageOf(record) !== one.billedUsage && (charged === one.due || billedExplains(tariff, one))) return by("billed-usage");
  if (free > 0n && explains({ free: billed.map(() => 0n), connections: 1n })) return by("allowance");
  const others: [UsageCause, () => Rate[]][] = [
    ["zone", () => finder.inOtherZones(spot)],
    ["band", () => finder.atOtherTimes(spot)],
    ["destination", () => finder.toOtherDestinations(spot)],
  ];
  for (const [cause, rates] of others) {
    const found = rates().find((other) => other !== rate && otherRateExplains(tariff, one, other));
    if (found) return by(cause, found);
  }
  for (const other of [null, ...rate.tiers.map((tier) => tier.price)])
    if (other !== price && one.usage > 0n && explains({ price: other })) return by("tier", null, String(other ?? rate.intervals[0]!.price));
  if (rate.rounding.at !== "invoice" && one.usage > 0n) {
    const mode = MODES.find((other) => other !== rate.rounding.mode && explains({ mode: other }));
    if (mode) return by("rounding", null, mode);
  }
  const owed = one.usage === 0n ? 0n : connectionsOf(one, free);
  for (const connections of [owed + 1n, owed - 1n])
    if (connections >= 0n && explains({ connections })) return by("connection", null, String(connections));
  return by("price");
}

function chargeOf({ exchange }: Tariff, rate: Rate, charged: Charged): bigint {
  return charge(rate, charged, exchange);
}

/** The record's own billed usage, as it stands. */
function billedExplains(tariff: Tariff, one: Priced): boolean {
  const { record, rate, price } = one;
  const said = billedUsageOf(record);
  if (said === 0n) return record.amount === 0n;
  const billed = split(rate.intervals, said);
  const free = one.free < said ? one.free : said;
  return chargeOf(tariff, rate, { billed, free: freeIn(rate, billed, free), connections: connectionsOf(one, free), price }) === record.amount;
}

/** Another rate, at its price without tiers and by its own increments, with and without the free usage. */
function otherRateExplains(tariff: Tariff, one: Priced, other: Rate): boolean {
  if (one.usage === 0n) return false;
  const billed = billedIn(other, one.usage);
  const total = sum(billed);
  return [one.free < total ? one.free : total, 0n].some((free) => {
    const charged = { billed, free: freeIn(other, billed, free), connections: connectionsOf(one, free) };
    return chargeOf(tariff, other, charged) === one.record.amount;
  });
}

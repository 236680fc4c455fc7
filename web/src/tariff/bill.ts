/** A bill's own lines checked by the tariff that it names: what of it is to the reader's loss. */

import type { Bundle, BundleLine } from "../protocol/documents";
import { toHex } from "../protocol/hex";
import { keccak } from "../protocol/structs";
import { type Checked, checkStatement, type Verdict } from "./check";
import { TariffFault } from "./fault";
import { readTariff } from "./read";
import type { Tariff } from "./types";
import type { StatementRecord } from "./usage";

/** A file that was given as a tariff. `tariff` is null where the file is none: `fault` says why. */
export interface TariffFile {
  name: string;
  hash: string;
  tariff: Tariff | null;
  fault: TariffFault | null;
}

const CLAIM = /(?:^|[\n{,])[ \t]*"?schema"?[ \t]*[=:][ \t]*["']billproof\/tariff\//;

/** Whether a file says of itself that it is a tariff, or is called like one. */
export function looksLikeTariff(name: string, content: Uint8Array): boolean {
  if (/\.toml$/i.test(name)) return true;
  return CLAIM.test(new TextDecoder().decode(content.subarray(0, 65_536)));
}

export function openTariff(name: string, content: Uint8Array): TariffFile {
  const hash = toHex(keccak(content));
  try {
    return { name, hash, tariff: readTariff(content), fault: null };
  } catch (error) {
    if (!(error instanceof TariffFault)) throw error;
    return { name, hash, tariff: null, fault: error };
  }
}

export function recordOf(line: BundleLine): StatementRecord {
  return {
    index: Number(line.index),
    service: Number(line.service),
    startedAt: Number(line.startedAt),
    utcOffset: Number(line.utcOffset),
    usage: BigInt(line.usage),
    billedUsage: BigInt(line.billedUsage),
    number: line.number,
    network: line.network,
    amount: BigInt(line.amount),
    rate: line.rate,
    corrects: !/^0x0{64}$/.test(line.corrects),
  };
}

/** null where the statement's currency is not the tariff's: then it says nothing of this bill. */
export function checkBill(tariff: Tariff, bundle: Bundle): Checked | null {
  return tariff.currency === bundle.statement.currency ? checkStatement(tariff, bundle.records.map(recordOf)) : null;
}

/** A line that costs more than it should; `index` is null for a credit that is missing. */
export interface PriceFinding {
  index: number | null;
  name: string;
  verdict: Verdict | null;
  charged: bigint;
  due: bigint;
  /** What is too much, less what the phone disputes of the line already: together they claim the greater of both. */
  stake: bigint;
  /** The rest of what is too much. */
  already: bigint;
  /** The currency of the tariff's prices, for words. */
  pricesIn: string;
}

/** `disputed`: what the phone's log puts at stake, by the index of the line that it contradicts. */
export function priceFindings(bundle: Bundle, { pricesIn }: Tariff, checked: Checked, disputed: ReadonlyMap<number, bigint> = new Map()): PriceFinding[] {
  const found: PriceFinding[] = [];
  for (const verdict of checked.records) {
    const { index, difference, due } = verdict;
    if (difference <= 0n) continue;
    const charged = BigInt(bundle.records[index]!.amount);
    const phone = disputed.get(index) ?? 0n;
    const already = phone < difference ? phone : difference;
    found.push({ index, name: verdict.rate, verdict, charged, due: due ?? 0n, stake: difference - already, already, pricesIn });
  }
  for (const { name, due } of checked.missing) if (due < 0n) found.push({ index: null, name, verdict: null, charged: 0n, due, stake: -due, already: 0n, pricesIn });
  return found;
}

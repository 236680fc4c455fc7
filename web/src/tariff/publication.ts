/** What the publication of the tariff that a statement names says of it: docs/tariff.md, section 10. A remark, never a reason. */

import { FIRST_LINE } from "./types";

/** An operator's version of a tariff as the book has it; all zero when it was never published. */
export interface TariffState {
  publishedAt: bigint;
  /** Wall clock times, written as if they were UTC; 0 for no end. */
  validFrom: bigint;
  validUntil: bigint;
  withdrawnFrom: bigint;
}

export type Fault = "late" | "withdrawn" | "outside";
export type PublicationStatus = "none" | "no-book" | "unknown" | "unpublished" | Fault | "published";

export interface Publication {
  status: PublicationStatus;
  /** All that hold; the status is the first of them. */
  faults: Fault[];
  state: TariffState | null;
}

/** As files have them. */
export interface PublishedLine {
  service: string;
  startedAt: string;
  utcOffset: string;
  corrects: string;
}

const NO_TARIFF = /^0x0{64}$/;
/** UTC seconds: the year 10000. */
export const END_OF_TIME = 253_402_300_800n;
const TARIFF_OF = "0x49e0bc75";

export const namesTariff = (tariff: string): boolean => !NO_TARIFF.test(tariff);

/** The data of the call to the book. */
export function tariffCall(operatorId: bigint, tariff: string): string {
  return TARIFF_OF + operatorId.toString(16).padStart(64, "0") + tariff.slice(2);
}

/** null: no book is there. Raises `OddAnswer`. */
export function readTariffState(answer: unknown): TariffState | null {
  if (answer === "0x") return null;
  if (typeof answer !== "string" || !/^0x[0-9a-fA-F]{256}$/.test(answer)) throw new OddAnswer();
  const words = answer.slice(2).match(/.{64}/g)!.map((word) => BigInt(`0x${word}`));
  const [publishedAt, validFrom, validUntil, withdrawnFrom] = words as [bigint, bigint, bigint, bigint];
  if (words.some((word) => word >> 64n) || publishedAt >= END_OF_TIME) throw new OddAnswer();
  if (publishedAt === 0n && words.some((word) => word !== 0n)) throw new OddAnswer();
  return { publishedAt, validFrom, validUntil, withdrawnFrom };
}

export class OddAnswer extends Error {}

export const UNNAMED: Publication = { status: "none", faults: [], state: null };
export const UNKNOWN: Publication = { status: "unknown", faults: [], state: null };

/** `period` is YYYYMM; `state` null: its ledger has no book there. */
export function judgePublication(period: string, lines: readonly PublishedLine[], state: TariffState | null): Publication {
  if (!state) return { status: "no-book", faults: [], state };
  if (state.publishedAt === 0n) return { status: "unpublished", faults: [], state };
  const begin = BigInt(Date.UTC(Number(period.slice(0, 4)), Number(period.slice(4)) - 1, 1) / 1000);
  const own = lines
    .filter(({ service, corrects }) => BigInt(service) < BigInt(FIRST_LINE) && NO_TARIFF.test(corrects))
    .map(({ startedAt, utcOffset }) => ({ at: BigInt(startedAt), local: BigInt(startedAt) + 60n * BigInt(utcOffset) }));
  const priced = own.length ? own : [{ at: begin, local: begin }];
  const { publishedAt, validFrom, validUntil, withdrawnFrom } = state;
  const faults: Fault[] = [];
  const within = own.filter(({ local }) => local >= validFrom && (validUntil === 0n || local < validUntil));
  if (publishedAt > (begin > validFrom ? begin : validFrom) || within.some(({ at }) => at < publishedAt)) faults.push("late");
  if (withdrawnFrom !== 0n && priced.some(({ at }) => at >= withdrawnFrom)) faults.push("withdrawn");
  if (priced.some(({ local }) => local < validFrom || (validUntil !== 0n && local >= validUntil))) faults.push("outside");
  return { status: faults[0] ?? "published", faults, state };
}

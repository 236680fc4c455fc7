/** What becomes of each entry of a phone log (docs/matching.md, section 10). */

import type { Pairing } from "./joined";
import type { Numbers } from "./numbers";
import type { ClockResult, Entry, EntryClass, EntryResult, InvoiceLine, PhoneLog, Span } from "./types";

const LAST_DAYS = 2 * 86_400;

/** UTC offset, in minutes, of the bill's line nearest in time. */
function offsetFinder(lines: readonly InvoiceLine[]): (time: number) => number {
  const sorted = [...lines].sort((a, b) => a.startedAt - b.startedAt || a.index - b.index);
  return (time) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]!.startedAt < time) low = middle + 1;
      else high = middle;
    }
    let before = low - 1;
    while (before > 0 && sorted[before - 1]!.startedAt === sorted[before]!.startedAt) before -= 1;
    const near = [sorted[before], sorted[low]].filter((line) => line !== undefined);
    near.sort((a, b) => Math.abs(a.startedAt - time) - Math.abs(b.startedAt - time) || a.index - b.index);
    return near[0]?.utcOffset ?? 0;
  };
}

/** The local time of each entry, by the log's clock set right. */
export function localTimesOf(log: PhoneLog, offset: number, lines: readonly InvoiceLine[]): number[] {
  const utcOffsetAt = offsetFinder(lines);
  return log.entries.map((entry) => {
    const time = entry.at - offset;
    return log.clock === "utc" ? time + 60 * utcOffsetAt(time) : time;
  });
}

export function entryResults(
  index: number,
  log: PhoneLog,
  clock: ClockResult,
  pairing: Pairing,
  cycle: Span,
  numbers: Numbers,
  copies: readonly boolean[],
): EntryResult[] {
  const lineOf = new Map<number, InvoiceLine>();
  pairing.pairs.forEach((pair, place) => {
    if (pair?.log === index) lineOf.set(pair.entry, pairing.lines[place]!);
  });
  const localTimes = localTimesOf(log, clock.offset, pairing.lines);
  const inCycle = (place: number): boolean => localTimes[place]! >= cycle[0] && localTimes[place]! < cycle[1];

  const billedBySim = new Map<string, number>();
  for (const place of lineOf.keys()) {
    const { sim } = log.entries[place]!;
    billedBySim.set(sim, (billedBySim.get(sim) ?? 0) + 1);
  }
  const billedElsewhere = (sim: string): number =>
    [...billedBySim].reduce((sum, [other, count]) => sum + (other !== "" && other !== sim ? count : 0), 0);

  const sent = log.entries.map((_, place) => place).filter((place) => {
    const entry = log.entries[place]!;
    return entry.kind === "message" && entry.direction === "out" && !copies[place] && inCycle(place);
  });
  const byApp = 5 * sent.filter((place) => lineOf.has(place)).length < sent.length;

  const classOf = (entry: Entry, place: number): EntryClass => {
    if (copies[place]) return "copy";
    if (entry.kind === "app") return "free";
    if (entry.direction === "in") return "incoming";
    if (entry.answered === "no") return "unanswered";
    if (entry.sim !== "" && !billedBySim.has(entry.sim) && billedElsewhere(entry.sim) >= 3) return "other-sim";
    if (numbers.isFreephone(entry.number)) return "freephone";
    if (!inCycle(place)) return "other-period";
    if (localTimes[place]! >= cycle[1] - LAST_DAYS) return "next-bill";
    return entry.kind === "message" && byApp ? "by-app" : "missing";
  };

  return log.entries.map((entry, place) => {
    const line = lineOf.get(place);
    if (line) return { class: "billed", reason: "", line: line.index };
    const found = classOf(entry, place);
    return { class: found, reason: found === "free" ? "app" : "", line: null };
  });
}

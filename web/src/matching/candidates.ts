/** Which entries may be which lines, and how well they agree (docs/matching.md, section 5). */

import { timeOn } from "./clock";
import type { Copies } from "./copies";
import { type Canonical, type Numbers, relate, SURCHARGE } from "./numbers";
import { type ClockResult, type Entry, type InvoiceLine, type PhoneLog, wantOf, wants } from "./types";

/** What it costs to leave a line without an entry; candidates cost less. */
export const UNMATCHED = 1500;

const GAP_CALL = 180;
const GAP_MESSAGE = 300;
const GAP_UNANSWERED = 60;
/** No difference of durations counts for more. */
const WORST = 600;

export interface Candidate {
  log: number;
  entry: number;
  cost: number;
}

interface Placed {
  place: number;
  entry: Entry;
}

/** Offsets of the log's clock that hold for a line at this time. */
function offsetsAt(clock: ClockResult, time: number): number[] {
  return [clock.offset, ...clock.shifts.filter((shift) => time >= shift.from && time <= shift.to).map((shift) => shift.offset)];
}

function gapOf(time: number, entry: Entry, step: number): number {
  return Math.max(0, entry.at - time, time - (entry.at + step - 1));
}

/** Seconds that usage and duration differ by; null when the duration is not known, which agrees with nothing. */
function differenceOf(line: InvoiceLine, entry: Entry, durationStep: number): number | null {
  if (entry.kind !== "call" || line.service === 3) return 0;
  const duration = entry.answered === "no" ? 0 : entry.duration;
  return duration < 0 ? null : Math.max(0, Math.abs(line.usage - duration) - (durationStep - 1));
}

/** The cost of a pair whose entry the line wants; null when they cannot be one another. */
function costOf(line: InvoiceLine, own: Canonical, entry: Entry, other: Canonical, gap: number, durationStep: number): number | null {
  if (gap > (entry.kind === "call" ? GAP_CALL : GAP_MESSAGE)) return null;
  const difference = differenceOf(line, entry, durationStep);
  const forwarded = line.service === 3;
  if (entry.answered === "no" && !forwarded && gap > GAP_UNANSWERED) return null;
  let cost = 2 * gap + Math.min(difference ?? WORST, WORST);
  if (!forwarded) {
    const relation = relate(own, other);
    if (relation === "other") return null;
    if (relation === "blind" && (entry.kind !== "call" || gap > 60 || (difference ?? 0) > 20)) return null;
    cost += SURCHARGE[relation] + (entry.answered === "no" ? 240 : 0);
  }
  return cost < UNMATCHED ? cost : null;
}

/** The entries of a log that lie in the windows, each once. */
function within(placed: readonly Placed[], windows: readonly [number, number][]): Set<Placed> {
  const found = new Set<Placed>();
  for (const [from, to] of windows) {
    let low = 0;
    let high = placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (placed[middle]!.entry.at < from) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < placed.length && placed[i]!.entry.at <= to; i += 1) found.add(placed[i]!);
  }
  return found;
}

/** For each line its candidates, in order of log and place. */
export function candidatesOf(
  lines: readonly InvoiceLine[],
  logs: readonly PhoneLog[],
  clocks: readonly ClockResult[],
  numbers: Numbers,
  copies: Copies,
): Candidate[][] {
  const sorted = logs.map((log, index) =>
    log.entries
      .map((entry, place) => ({ place, entry }))
      .filter(({ place }) => !copies[index]![place])
      .sort((a, b) => a.entry.at - b.entry.at || a.place - b.place),
  );
  return lines.map((line) => {
    const want = wantOf(line);
    if (want === null) return [];
    const own = numbers.canonical(line.number);
    const found: Candidate[] = [];
    logs.forEach((log, index) => {
      const time = timeOn(log, line);
      const times = offsetsAt(clocks[index]!, time).map((offset) => time + offset);
      const windows = times.map((at): [number, number] => [at - GAP_MESSAGE - log.step + 1, at + GAP_MESSAGE]);
      for (const { place, entry } of within(sorted[index]!, windows)) {
        if (!wants(line, want, entry)) continue;
        const gap = Math.min(...times.map((at) => gapOf(at, entry, log.step)));
        const cost = costOf(line, own, entry, numbers.canonical(entry.number), gap, log.durationStep);
        if (cost !== null) found.push({ log: index, entry: place, cost });
      }
    });
    return found.sort((a, b) => a.log - b.log || a.entry - b.entry);
  });
}

/** How far a log's clock is off, all the time or for some days (docs/matching.md, section 4). */

import { localTime } from "./cycle";
import { isSame, type Numbers } from "./numbers";
import { type ClockResult, type Entry, type InvoiceLine, type PhoneLog, type ShiftResult, wantOf, wants } from "./types";

const FARTHEST = 93_600;
const BIN = 30;
const ENOUGH = 3;
const NEAR = 90;
const QUARTER = 900;
const VALIDITY = 43_200;
const MOST_SHIFTS = 3;

interface Vote {
  line: InvoiceLine;
  difference: number;
}

interface Peak {
  score: number;
  offset: number;
  lines: Set<InvoiceLine>;
}

/** The line's time on the log's clock, before any offset. */
export function timeOn(log: PhoneLog, line: InvoiceLine): number {
  return log.clock === "utc" ? line.startedAt : localTime(line);
}

/** Value number ⌊(k−1)/2⌋ of the sorted values. */
export function lowerMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1]!;
}

function votesOf(log: PhoneLog, lines: readonly InvoiceLine[], numbers: Numbers): Vote[] {
  const entries = new Map<string, Entry[]>();
  for (const entry of log.entries) {
    const form = numbers.canonical(entry.number);
    if (!isSame(form, form) || (entry.kind === "call" && entry.answered === "no")) continue;
    const key = `${entry.kind} ${entry.direction} ${form.text}`;
    const list = entries.get(key);
    if (list) list.push(entry);
    else entries.set(key, [entry]);
  }
  for (const list of entries.values()) list.sort((a, b) => a.at - b.at);

  const votes: Vote[] = [];
  for (const line of lines) {
    const want = wantOf(line);
    if (want === null || line.service === 3) continue;
    const form = numbers.canonical(line.number);
    if (!isSame(form, form)) continue;
    const list = entries.get(`${want.kind} ${want.direction} ${form.text}`) ?? [];
    const time = timeOn(log, line);
    for (let i = firstFrom(list, time - FARTHEST); i < list.length; i += 1) {
      const entry = list[i]!;
      if (entry.at - time > FARTHEST) break;
      if (wants(line, want, entry)) votes.push({ line, difference: entry.at - time });
    }
  }
  return votes;
}

function firstFrom(entries: readonly Entry[], at: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The best bin among those allowed, with its two neighbours. A bin without a vote of its own counts too. */
function peakOf(votes: readonly Vote[], allowed: (bin: number) => boolean): Peak | null {
  const bins = new Map<number, Vote[]>();
  for (const vote of votes) {
    const bin = Math.floor(vote.difference / BIN);
    const list = bins.get(bin);
    if (list) list.push(vote);
    else bins.set(bin, [vote]);
  }
  const around = (bin: number): Vote[] => [bin - 1, bin, bin + 1].flatMap((each) => bins.get(each) ?? []);
  const distance = (bin: number): number => Math.abs(BIN * bin + BIN / 2);

  let best: { bin: number; score: number } | null = null;
  for (const bin of new Set([...bins.keys()].flatMap((each) => [each - 1, each, each + 1]))) {
    if (!allowed(bin)) continue;
    const score = new Set(around(bin).map((vote) => vote.line)).size;
    const order =
      best === null ? -1 : best.score - score || distance(bin) - distance(best.bin) || bin - best.bin;
    if (order < 0) best = { bin, score };
  }
  if (best === null) return null;
  const chosen = around(best.bin);
  return {
    score: best.score,
    offset: lowerMedian(chosen.map((vote) => vote.difference)),
    lines: new Set(chosen.map((vote) => vote.line)),
  };
}

function without(votes: readonly Vote[], offset: number): Vote[] {
  const near = new Set(votes.filter((vote) => Math.abs(vote.difference - offset) <= NEAR).map((vote) => vote.line));
  return votes.filter((vote) => !near.has(vote.line));
}

/** The clocks of all logs; one that is unknown borrows the offset of the best known one of its sort. */
export function clocksOf(logs: readonly PhoneLog[], lines: readonly InvoiceLine[], numbers: Numbers): ClockResult[] {
  const clocks = logs.map((log) => clockOf(log, lines, numbers));
  return clocks.map((clock, index) => {
    if (clock.known) return clock;
    let best: ClockResult | null = null;
    clocks.forEach((other, at) => {
      if (!other.known || logs[at]!.clock !== logs[index]!.clock) return;
      if (best === null || other.support > best.support) best = other;
    });
    return { ...clock, offset: (best as ClockResult | null)?.offset ?? 0 };
  });
}

function clockOf(log: PhoneLog, lines: readonly InvoiceLine[], numbers: Numbers): ClockResult {
  let votes = votesOf(log, lines, numbers);
  const peak = peakOf(votes, () => true);
  if (peak === null || peak.score < ENOUGH) return { known: false, offset: 0, support: peak?.score ?? 0, shifts: [] };

  const { offset } = peak;
  const nearQuarter = (bin: number): boolean => {
    const away = BIN * bin + BIN / 2 - offset;
    const quarters = Math.round(away / QUARTER);
    return quarters !== 0 && Math.abs(away - QUARTER * quarters) <= 60;
  };
  const shifts: ShiftResult[] = [];
  votes = without(votes, offset);
  while (shifts.length < MOST_SHIFTS) {
    const shift = peakOf(votes, nearQuarter);
    if (shift === null || shift.score < ENOUGH) break;
    const times = [...shift.lines].map((line) => timeOn(log, line));
    const [first, last] = times.reduce(([a, b], time) => [Math.min(a, time), Math.max(b, time)], [times[0]!, times[0]!]);
    shifts.push({ offset: shift.offset, from: first - VALIDITY, to: last + VALIDITY, support: shift.score });
    votes = without(votes, shift.offset);
  }
  return { known: true, offset, support: peak.score, shifts };
}

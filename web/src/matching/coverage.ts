/** Which lines a log ought to know (docs/matching.md, section 8). */

import { timeOn } from "./clock";
import { hasEntry, type Pairing } from "./joined";
import { type ClockResult, type InvoiceLine, type Kind, KINDS, type PhoneLog, type Span, wantOf } from "./types";

export type Uncovered = "outside" | "foreign" | "hole";

const HOLE = 5;
const FOREIGN = 3;
const DAY = 86_400;

export interface LogCoverage {
  spans: Record<Kind, Span | null>;
  /** Times of the entries of each kind, ascending. */
  times: Record<Kind, number[]>;
}

export function coverageOf(log: PhoneLog): LogCoverage {
  const times: Record<Kind, number[]> = { call: [], message: [], mms: [] };
  const until: Record<Kind, number> = { call: -Infinity, message: -Infinity, mms: -Infinity };
  for (const entry of log.entries) {
    if (entry.kind === "app") continue;
    times[entry.kind].push(entry.at);
    const talked = entry.answered === "no" ? 0 : Math.min(Math.max(entry.duration, 0), DAY);
    until[entry.kind] = Math.max(until[entry.kind], entry.at + talked);
  }
  const spans: Record<Kind, Span | null> = { call: null, message: null, mms: null };
  for (const kind of KINDS) {
    const sorted = times[kind].sort((a, b) => a - b);
    if (sorted.length > 0) spans[kind] = [sorted[0]!, Math.max(until[kind], log.exportedAt ?? -Infinity)];
  }
  if (spans.message !== null && spans.mms !== null) {
    const both: Span = [Math.min(spans.message[0], spans.mms[0]), Math.max(spans.message[1], spans.mms[1])];
    spans.message = both;
    spans.mms = both;
  }
  return { spans, times };
}

function anyWithin(times: readonly number[], from: number, to: number): boolean {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low < times.length && times[low]! <= to;
}

/** Which logs' spans hold each line. */
export class Coverage {
  readonly logs: LogCoverage[];
  private readonly holes: ReadonlySet<number>;
  /** The logs know nothing of this bill: most likely they are another phone's. */
  private readonly foreign: boolean;

  constructor(
    private readonly sources: readonly PhoneLog[],
    private readonly clocks: readonly ClockResult[],
    private readonly pairing: Pairing,
  ) {
    this.logs = sources.map(coverageOf);
    this.holes = this.runsInHoles();
    this.foreign = this.ofAnotherPhone();
  }

  /** By each of the clocks that the log may have been kept by. */
  private holds(log: number, span: Span, line: InvoiceLine): boolean {
    const time = timeOn(this.sources[log]!, line);
    const { offset, shifts } = this.clocks[log]!;
    return [offset, ...shifts.map((shift) => shift.offset)].every((by) => time + by >= span[0] && time + by <= span[1]);
  }

  private timeIn(log: number, line: InvoiceLine): number {
    return timeOn(this.sources[log]!, line) + this.clocks[log]!.offset;
  }

  /** The logs whose span of the line's kind holds it. */
  covering(line: InvoiceLine): number[] {
    const want = wantOf(line);
    if (want === null) return [];
    return this.sources.flatMap((_, log) => {
      const span = this.logs[log]!.spans[want.kind];
      return span !== null && this.holds(log, span, line) ? [log] : [];
    });
  }

  /** Why a line without entry is not covered, null when it is. */
  uncovered(place: number): Uncovered | null {
    if (this.covering(this.pairing.lines[place]!).length === 0) return "outside";
    if (this.foreign) return "foreign";
    return this.holes.has(place) ? "hole" : null;
  }

  private ofAnotherPhone(): boolean {
    const { lines } = this.pairing;
    if (lines.some((_, place) => hasEntry(this.pairing, place))) return false;
    return lines.filter((line) => this.covering(line).length > 0).length >= FOREIGN;
  }

  private runsInHoles(): Set<number> {
    const found = new Set<number>();
    for (const kind of KINDS) {
      const { lines } = this.pairing;
      const order = lines
        .map((_, place) => place)
        .filter((place) => wantOf(lines[place]!)?.kind === kind)
        .sort((a, b) => lines[a]!.startedAt - lines[b]!.startedAt || a - b);
      for (let start = 0; start + HOLE <= order.length; start += 1) {
        const run = order.slice(start, start + HOLE);
        if (run.some((place) => hasEntry(this.pairing, place)) || this.logsKnow(kind, run)) continue;
        for (const place of run) found.add(place);
      }
    }
    return found;
  }

  /** A log has an entry of the kind between the run's first line and its last. */
  private logsKnow(kind: Kind, run: readonly number[]): boolean {
    const [first, last] = [this.pairing.lines[run[0]!]!, this.pairing.lines[run[run.length - 1]!]!];
    return this.sources.some((_, log) => anyWithin(this.logs[log]!.times[kind], this.timeIn(log, first), this.timeIn(log, last)));
  }
}

/** What becomes of each line of the bill (docs/matching.md, section 9). */

import { lowerMedian } from "./clock";
import type { Coverage } from "./coverage";
import { localTime } from "./cycle";
import type { KnownNumbers } from "./known";
import { entryOf, hasEntry, type Pairing } from "./joined";
import type { Numbers } from "./numbers";
import { isNearTwin } from "./revised";
import {
  type ClockResult,
  type InvoiceLine,
  isCorrection,
  isFinding,
  isListed,
  type LineClass,
  type LineReason,
  type LineResult,
  type PhoneLog,
  type Span,
  wantOf,
} from "./types";

type Round = (usage: number) => number;

const ROUNDINGS: readonly (readonly [number, number])[] = [
  [1, 1], [6, 6], [10, 10], [20, 20], [30, 1], [30, 6], [30, 30], [60, 1], [60, 6], [60, 10], [60, 30], [60, 60],
  [120, 1], [120, 60], [180, 1], [180, 60], [240, 60], [300, 1], [300, 60],
];
const LONG = 10_800;
const HUNG = 3600;

const isCall = (line: InvoiceLine): boolean => line.service === 1 || line.service === 2;

/** How each rate rounds; rates that cannot be told are missing. */
export function roundingsOf(lines: readonly InvoiceLine[]): Map<string, Round> {
  const byRate = new Map<string, InvoiceLine[]>();
  for (const line of lines) {
    if (line.service < 1 || line.service > 3) continue;
    const list = byRate.get(line.rate);
    if (list) list.push(line);
    else byRate.set(line.rate, [line]);
  }
  const found = new Map<string, Round>();
  for (const [rate, own] of byRate) {
    let most = 0;
    for (const [first, step] of ROUNDINGS) {
      const round: Round = (usage) => first + step * Math.ceil(Math.max(0, usage - first) / step);
      const fitting = own.filter((line) => line.billedUsage === round(line.usage)).length;
      if (fitting <= most || 100 * fitting < 80 * own.length) continue;
      most = fitting;
      found.set(rate, round);
    }
  }
  return found;
}

/** Seconds that the bill may measure longer than a log without blame. */
export interface Allowance {
  bias: number;
  /** What the log's resolution hides. */
  slack: number;
}

export function allowanceOf(log: number, source: PhoneLog, { lines, pairs, strays }: Pairing): Allowance {
  const differences = lines.flatMap((line, place) => {
    const pair = pairs[place];
    if (!pair || strays[place] || pair.log !== log || !isCall(line)) return [];
    const entry = source.entries[pair.entry]!;
    return entry.answered === "no" || entry.duration < 0 ? [] : [line.usage - entry.duration];
  });
  const median = differences.length < 5 ? null : lowerMedian(differences);
  if (source.durationStep === 1) return { bias: Math.min(3, Math.max(0, median ?? 0)), slack: 0 };
  return { bias: 0, slack: median !== null && median < 0 ? 0 : source.durationStep - 1 };
}

export interface Circumstances {
  pairing: Pairing;
  coverage: Coverage;
  logs: readonly PhoneLog[];
  clocks: readonly ClockResult[];
  allowances: readonly Allowance[];
  numbers: Numbers;
  known: KnownNumbers;
  cycle: Span;
}

type Verdict = readonly [LineClass, LineReason];

export class Verdicts {
  private readonly roundings: Map<string, Round>;

  constructor(private readonly all: Circumstances) {
    this.roundings = roundingsOf(all.pairing.single);
  }

  lineResult(place: number): LineResult {
    const { pairing } = this.all;
    const line = pairing.lines[place]!;
    const [verdict, reason] = this.verdict(place);
    const entry = entryOf(pairing, place);
    const other = pairing.joins[place] ?? null;
    const finding = isFinding({ class: verdict, reason });
    return {
      index: line.index,
      class: verdict,
      reason,
      log: entry?.log ?? null,
      entry: entry?.entry ?? null,
      joins: other === null ? null : pairing.lines[other]!.index,
      talked: this.talked(place),
      stake: finding ? this.stake(place, reason).toString() : "0",
      confidence: finding ? this.confidence(place, verdict, reason) : null,
    };
  }

  /** Seconds the phone says were talked; null without an entry of the line's own, or when it does not say. */
  private talked(place: number): number | null {
    const pair = this.all.pairing.pairs[place];
    if (!pair || this.all.pairing.lines[place]!.service > 3) return null;
    const entry = this.all.logs[pair.log]!.entries[pair.entry]!;
    if (entry.answered === "no") return 0;
    return entry.duration < 0 ? null : entry.duration;
  }

  /** Seconds charged beyond what was talked; null when unknown. */
  private excess(place: number): number | null {
    const talked = this.talked(place);
    const pair = this.all.pairing.pairs[place];
    if (talked === null || !pair) return null;
    const { bias, slack } = this.all.allowances[pair.log]!;
    return this.all.pairing.lines[place]!.usage - talked - bias - slack;
  }

  private verdict(place: number): Verdict {
    const { pairing, coverage } = this.all;
    const line = pairing.lines[place]!;
    if (wantOf(line) === null) return ["not-comparable", isListed(line) ? "correction" : "service"];
    if (pairing.strays[place]) return ["matched", "shifted"];
    const charged = isCall(line) ? this.overcharged(place) : null;
    if (charged !== null) return charged;
    const late = localTime(line) < this.all.cycle[0];
    if (pairing.pairs[place] !== null) return [late ? "late" : "matched", "paired"];
    if (pairing.joins[place] !== null) return ["matched", line.service === 4 ? "part" : "continued"];
    const uncovered = coverage.uncovered(place);
    const twin = this.duplicate(place, uncovered === null);
    if (twin !== null) return ["duplicate", twin];
    if (line.service === 3) return ["not-comparable", "forwarded"];
    if (uncovered === null && this.overlaps(line)) return ["hung", "overlap"];
    if (late && uncovered !== null) return ["late", "uncovered"];
    if (uncovered === "outside" || uncovered === "foreign") return ["not-covered", uncovered];
    // Before the hole: five invented lines in a row would hide themselves in one.
    if (!this.isKnown(line)) return ["invoice-only", "unknown"];
    return uncovered === null ? ["invoice-only", "absent"] : ["not-covered", uncovered];
  }

  private isKnown(line: InvoiceLine): boolean {
    return this.all.known.has(line.number, wantOf(line)!.kind);
  }

  /** A matched call that was charged for longer than it was, or rounded up too far. */
  private overcharged(place: number): Verdict | null {
    const { pairing, logs } = this.all;
    const line = pairing.lines[place]!;
    const pair = pairing.pairs[place];
    if (!pair) return null;
    const excess = this.excess(place) ?? 0;
    if (line.usage >= LONG && excess >= HUNG) return ["hung", "paired"];
    if (logs[pair.log]!.entries[pair.entry]!.answered === "no") return ["longer", "unanswered"];
    if (excess > 5) return ["longer", "talked"];
    const round = this.roundings.get(line.rate);
    return round && !pairing.joined[place] && line.billedUsage > round(line.usage) ? ["longer", "rounding"] : null;
  }

  private duplicate(place: number, covered: boolean): "same" | "near" | null {
    const { pairing, numbers } = this.all;
    const line = pairing.single[place]!;
    const some = (lines: readonly InvoiceLine[], earlier: boolean, test: (other: InvoiceLine) => boolean): boolean =>
      lines.some((other, at) => at !== place && ((earlier && at < place) || hasEntry(pairing, at)) && test(other));
    const same = (other: InvoiceLine): boolean =>
      other.service === line.service &&
      !isCorrection(other) &&
      other.startedAt === line.startedAt &&
      other.number === line.number &&
      other.usage === line.usage;

    if (isCall(line) && some(pairing.single, true, same)) return "same";
    const near = (other: InvoiceLine): boolean => isNearTwin(line, other, numbers);
    const atOnce = (other: InvoiceLine): boolean =>
      near(other) && Math.abs(line.startedAt - other.startedAt) < Math.min(line.usage, other.usage);
    if (covered && some(pairing.lines, this.isKnown(line), near)) return "near";
    return isCall(line) && some(pairing.lines, false, atOnce) ? "near" : null;
  }

  /** Another call was made from the phone while this one is said to have gone on. */
  private overlaps(line: InvoiceLine): boolean {
    const { lines, pairs } = this.all.pairing;
    const end = line.startedAt + line.usage;
    if (line.service !== 1 || line.usage < LONG) return false;
    return lines.some(
      (other, at) => pairs[at] !== null && other.service === 1 && other.startedAt > line.startedAt + 60 && other.startedAt < end - 60,
    );
  }

  private stake(place: number, reason: LineReason): bigint {
    const line = this.all.pairing.lines[place]!;
    if (line.amount <= 0n) return 0n;
    if (reason !== "paired" && reason !== "talked" && reason !== "rounding") return line.amount;
    if (line.billedUsage === 0) return line.amount;
    const round = this.roundings.get(line.rate) ?? ((usage: number): number => usage);
    const due = Math.min(line.billedUsage, round(reason === "rounding" ? line.usage : (this.talked(place) ?? 0)));
    return line.amount - (line.amount * BigInt(due)) / BigInt(line.billedUsage);
  }

  private confidence(place: number, verdict: LineClass, reason: LineReason): number {
    if (verdict === "duplicate") return reason === "same" ? 99 : 90;
    if (verdict === "hung") return reason === "paired" ? 95 : 85;
    if (verdict === "invoice-only") return this.absence(place);
    if (reason === "talked") return (this.excess(place) ?? 0) > 30 ? 95 : 85;
    return reason === "unanswered" ? 75 : 80;
  }

  private absence(place: number): number {
    const { coverage, clocks, numbers } = this.all;
    const line = this.all.pairing.lines[place]!;
    const kind = wantOf(line)!.kind;
    const form = numbers.canonical(line.number);
    const logs = coverage.covering(line);
    const entries = logs.reduce((sum, log) => sum + coverage.logs[log]!.times[kind].length, 0);
    const adrift = logs.every((log) => !clocks[log]!.known);
    return 90 - (form.masked ? 20 : 0) - (adrift ? 20 : 0) - (entries < 10 ? 15 : 0);
  }
}

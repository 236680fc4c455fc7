/** What goes into the matcher and what comes out of it (docs/matching.md, sections 1 and 11). */

import type { Entry, PhoneLog } from "../handset/types";

export type { Entry, PhoneLog };

/** A line of the bill: the fields of the protocol's `CallRecord` that matching needs. */
export interface InvoiceLine {
  index: number;
  service: number;
  /** UTC seconds. */
  startedAt: number;
  /** Minutes east of UTC. */
  utcOffset: number;
  /** Seconds of a call, segments of a message. */
  usage: number;
  billedUsage: number;
  number: string;
  /** Billionths of the currency unit. */
  amount: bigint;
  rate: string;
  /** Hash of the record that this one corrects; zero or empty for none. */
  corrects: string;
}

export interface Invoice {
  /** YYYYMM */
  period: number;
  currency: string;
  lines: InvoiceLine[];
}

export interface MatchOptions {
  region?: string | undefined;
}

/** The kinds an operator bills. */
export type Kind = "call" | "message" | "mms";
export const KINDS: readonly Kind[] = ["call", "message", "mms"];

export type LineClass = "not-comparable" | "hung" | "longer" | "late" | "matched" | "duplicate" | "not-covered" | "invoice-only";
export type LineReason =
  | "service" | "correction" | "forwarded"
  | "paired" | "shifted" | "overlap"
  | "unanswered" | "talked" | "rounding"
  | "continued" | "part"
  | "same" | "near"
  | "uncovered" | "outside" | "hole" | "foreign"
  | "unknown" | "absent"
  /** What the reader answered to a question (`answers.ts`): never of the matcher. */
  | "denied" | "recalled";
export type EntryClass =
  | "billed" | "copy" | "free" | "incoming" | "unanswered" | "other-sim" | "freephone"
  | "other-period" | "next-bill" | "by-app" | "missing";

type Judged = Pick<LineResult, "class" | "reason">;

const FINDINGS: ReadonlySet<LineClass> = new Set<LineClass>(["longer", "hung", "duplicate", "invoice-only"]);

/** Whether the subscriber may complain about it. */
export function isFinding(line: Judged): boolean {
  return FINDINGS.has(line.class) && !isQuestion(line) && line.reason !== "recalled";
}

/** Whether only the subscriber can tell: no log knows the number, which may have been deleted or never dialled. */
export function isQuestion({ class: verdict, reason }: Judged): boolean {
  return verdict === "invoice-only" && reason === "unknown";
}

/** Whether the logs say nothing of it. */
export function isUncompared({ class: verdict, reason }: Judged): boolean {
  return verdict === "not-covered" || verdict === "not-comparable" || (verdict === "late" && reason === "uncovered");
}

/** Whether the phone has it too. */
export function isConfirmed({ class: verdict, reason }: Judged): boolean {
  return verdict === "matched" || (verdict === "late" && reason === "paired");
}

export interface ShiftResult {
  offset: number;
  from: number;
  to: number;
  support: number;
}

export interface ClockResult {
  known: boolean;
  offset: number;
  support: number;
  shifts: ShiftResult[];
}

export type Span = [number, number];

export interface LogResult {
  name: string;
  format: string;
  entries: number;
  bias: number;
  clock: ClockResult;
  coverage: Record<Kind, Span | null>;
}

export interface LineResult {
  index: number;
  class: LineClass;
  reason: LineReason;
  log: number | null;
  entry: number | null;
  /** `index` of the line that this one continues. */
  joins: number | null;
  talked: number | null;
  /** Billionths, as a decimal. */
  stake: string;
  /** Percent. */
  confidence: number | null;
}

export interface EntryResult {
  class: EntryClass;
  reason: string;
  line: number | null;
}

export interface MatchResult {
  schema: "billproof/match/1";
  period: number;
  currency: string;
  region: string | null;
  cycle: Span;
  logs: LogResult[];
  lines: LineResult[];
  entries: EntryResult[][];
  summary: Summary;
}

/** What sentences are told from: a result, and what only they need to know, which is no part of it. */
export interface Told extends Pick<MatchResult, "lines"> {
  region?: string | null;
  logs?: readonly LogResult[];
  /** Lines, by `index`, whose number the phone's other list knows: of messages for a call, of calls for a message. */
  elsewhere?: ReadonlySet<number>;
}

/** Counts of lines, and sums in billionths as decimals. */
export interface Summary {
  classes: Partial<Record<LineClass, number>>;
  findings: number;
  stake: string;
  questions: number;
  /** What the questions' lines cost. */
  asked: string;
  /** Lines that cost something and could not be compared. */
  uncompared: number;
  unchecked: string;
  /** Lines that the phone has too. */
  confirmed: number;
  /** Whether these are at least half of the comparable lines, and cost at least half of what those cost. */
  mostConfirmed: boolean;
}

/** Which entries a line wants: one row of the table of section 1. */
export interface Want {
  kind: Kind;
  direction: "in" | "out";
}

const WANTS: Record<number, Want> = {
  1: { kind: "call", direction: "out" },
  2: { kind: "call", direction: "in" },
  3: { kind: "call", direction: "in" },
  4: { kind: "message", direction: "out" },
  5: { kind: "message", direction: "in" },
  7: { kind: "mms", direction: "out" },
};

export function isCorrection(line: InvoiceLine): boolean {
  return !/^(0x)?0*$/i.test(line.corrects);
}

/** The service is one that phones log. */
export function isListed(line: InvoiceLine): boolean {
  return line.service in WANTS;
}

/** The kind of entry that bears such a line out, whatever it corrects; null of services that phones do not log. */
export function kindOf(service: number): Kind | null {
  return WANTS[service]?.kind ?? null;
}

/** What the line wants, null when it is not comparable. */
export function wantOf(line: InvoiceLine): Want | null {
  return isCorrection(line) ? null : (WANTS[line.service] ?? null);
}

export function wants(line: InvoiceLine, want: Want, entry: Entry): boolean {
  return entry.kind === want.kind && entry.direction === want.direction && (line.service !== 3 || entry.answered !== "yes");
}

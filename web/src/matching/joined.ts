/** Lines that continue another line's call or message (docs/matching.md, section 7). */

import type { Candidate } from "./candidates";
import { isSame, type Numbers } from "./numbers";
import { type Entry, type InvoiceLine, type PhoneLog, wantOf } from "./types";

/** The bill with its lines in order of `index`, laid against the logs. Places in the arrays are places in `lines`. */
export interface Pairing {
  /** As the bill has them. */
  single: readonly InvoiceLine[];
  /** With the sums of those that joined them. */
  lines: InvoiceLine[];
  /** The line's own entry. */
  pairs: (Candidate | null)[];
  /** Whether that entry is a stray. */
  strays: boolean[];
  /** The place of the line that this one joins. */
  joins: (number | null)[];
  /** Whether another line joins this one. */
  joined: boolean[];
}

function continuesCall(line: InvoiceLine, other: InvoiceLine, whole: InvoiceLine, entry: Entry): boolean {
  return (
    (line.service === 1 || line.service === 2) &&
    whole.usage >= 30 &&
    Math.abs(line.startedAt - (other.startedAt + whole.usage)) <= 10 &&
    entry.duration >= whole.usage + line.usage - 10
  );
}

function isPart(line: InvoiceLine, other: InvoiceLine, whole: InvoiceLine, entry: Entry): boolean {
  return line.service === 4 && Math.abs(line.startedAt - other.startedAt) <= 30 && entry.parts >= whole.usage + line.usage;
}

export function join(
  lines: readonly InvoiceLine[],
  assigned: readonly (Candidate | null)[],
  strays: readonly (Candidate | null)[],
  logs: readonly PhoneLog[],
  numbers: Numbers,
): Pairing {
  const pairs = lines.map((_, place) => assigned[place] ?? strays[place] ?? null);
  const whole = lines.map((line) => ({ ...line }));
  const joins: (number | null)[] = lines.map(() => null);
  const joined = lines.map(() => false);
  const matched = new Map<string, number[]>();
  const keyOf = (line: InvoiceLine): string => `${line.service} ${numbers.canonical(line.number).text}`;
  lines.forEach((line, place) => {
    if (pairs[place] === null) return;
    const list = matched.get(keyOf(line));
    if (list) list.push(place);
    else matched.set(keyOf(line), [place]);
  });

  lines.forEach((line, place) => {
    if (wantOf(line) === null || pairs[place] !== null) return;
    const form = numbers.canonical(line.number);
    const found = (matched.get(keyOf(line)) ?? []).find((each) => {
      const pair = pairs[each]!;
      const entry = logs[pair.log]!.entries[pair.entry]!;
      const [other, sum] = [lines[each]!, whole[each]!];
      return isSame(form, numbers.canonical(other.number)) && (continuesCall(line, other, sum, entry) || isPart(line, other, sum, entry));
    });
    if (found === undefined) return;
    joins[place] = found;
    joined[found] = true;
    const sum = whole[found]!;
    sum.usage += line.usage;
    sum.billedUsage += line.billedUsage;
    sum.amount += line.amount;
  });
  return { single: lines, lines: whole, pairs, strays: strays.map((stray) => stray !== null), joins, joined };
}

/** The line has an entry, its own or that of the line it joins. */
export function hasEntry(pairing: Pairing, place: number): boolean {
  return pairing.pairs[place] !== null || pairing.joins[place] !== null;
}

/** That entry's log and place. */
export function entryOf(pairing: Pairing, place: number): Candidate | null {
  const other = pairing.joins[place];
  return pairing.pairs[place] ?? (other === null || other === undefined ? null : pairing.pairs[other]!);
}

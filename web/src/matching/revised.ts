/** What becomes of the assignment afterwards: entries given back, and entries that a stray clock explains (docs/matching.md, section 6). */

import type { Candidate } from "./candidates";
import { timeOn } from "./clock";
import type { Copies } from "./copies";
import { isSame, type Numbers } from "./numbers";
import { type ClockResult, type Entry, type InvoiceLine, type PhoneLog, wantOf, wants } from "./types";

const FARTHEST = 50_400;
const CLOSE = 60;
/** The same where the log's clock is not known. */
const CLOSE_ENOUGH = 180;
/** Seconds that the bill may say more than the phone, and the phone more than the bill: some phones count from dialling. */
const LONGER = 20;
const SHORTER = 60;

/** Another line that may be the same call or message, billed once more. */
export function isNearTwin(line: InvoiceLine, other: InvoiceLine, numbers: Numbers): boolean {
  return (
    other.service === line.service &&
    wantOf(other) !== null &&
    Math.abs(other.startedAt - line.startedAt) <= 60 &&
    Math.abs(other.usage - line.usage) <= Math.max(2, Math.floor(line.usage / 50)) &&
    isSame(numbers.canonical(line.number), numbers.canonical(other.number))
  );
}

/** Whether an entry says that there was a call, and how long: not merely that one was placed. */
function isTelling(entry: Entry): boolean {
  return entry.answered !== "no" && entry.duration >= 0;
}

/** Without the entries of calls that only say that a call was placed, where a near twin has one that says more. */
export function giveBack(
  lines: readonly InvoiceLine[],
  pairs: readonly (Candidate | null)[],
  logs: readonly PhoneLog[],
  numbers: Numbers,
): (Candidate | null)[] {
  const telling = pairs.map((pair) => (pair === null ? null : isTelling(logs[pair.log]!.entries[pair.entry]!)));
  return pairs.map((pair, place) => {
    const line = lines[place]!;
    if (telling[place] !== false || (line.service !== 1 && line.service !== 2)) return pair;
    return lines.some((other, at) => at !== place && telling[at] === true && isNearTwin(line, other, numbers)) ? null : pair;
  });
}

interface Stray {
  log: number;
  entry: number;
  shift: number;
  rest: number;
}

/** How an entry of the line's number would be the line's after all; null when it would not. */
function strayOf(line: InvoiceLine, entry: Entry, log: PhoneLog, { offset, known }: ClockResult): Omit<Stray, "log" | "entry"> | null {
  const call = entry.kind === "call";
  const unit = call ? 900 : 1800;
  const away = entry.at - (timeOn(log, line) + offset);
  const shift = Math.floor((away + unit / 2) / unit) * unit;
  const rest = Math.max(0, away - shift, shift - away - (log.step - 1));
  if (shift === 0 || Math.abs(shift) > FARTHEST || rest > (known ? CLOSE : CLOSE_ENOUGH)) return null;
  const more = line.usage - entry.duration;
  const hidden = log.durationStep - 1;
  if (call && (entry.duration < 0 || more - hidden > LONGER || -more - hidden > SHORTER)) return null;
  return { shift: Math.abs(shift), rest };
}

/** For each line the stray entry that it gets, or null. */
export function straysOf(
  lines: readonly InvoiceLine[],
  pairs: readonly (Candidate | null)[],
  logs: readonly PhoneLog[],
  clocks: readonly ClockResult[],
  numbers: Numbers,
  copies: Copies,
): (Candidate | null)[] {
  const taken = new Set(pairs.flatMap((pair) => (pair === null ? [] : [`${pair.log} ${pair.entry}`])));
  const left = new Map<string, { log: number; place: number }[]>();
  logs.forEach((source, log) => {
    source.entries.forEach((entry, place) => {
      const form = numbers.canonical(entry.number);
      if (entry.answered === "no" || copies[log]![place] || !isSame(form, form) || taken.has(`${log} ${place}`)) return;
      const list = left.get(form.text);
      if (list) list.push({ log, place });
      else left.set(form.text, [{ log, place }]);
    });
  });

  return lines.map((line, at) => {
    const want = wantOf(line);
    const form = numbers.canonical(line.number);
    if (want === null || pairs[at] !== null || line.service === 3 || !isSame(form, form)) return null;
    let best: Stray | null = null;
    for (const { log, place } of left.get(form.text) ?? []) {
      const entry = logs[log]!.entries[place]!;
      if (taken.has(`${log} ${place}`) || !wants(line, want, entry)) continue;
      const stray = strayOf(line, entry, logs[log]!, clocks[log]!);
      if (stray === null) continue;
      // In order of log and place, so that the first of equals stays.
      if (best === null || (stray.shift - best.shift || stray.rest - best.rest) < 0) best = { log, entry: place, ...stray };
    }
    if (best === null) return null;
    taken.add(`${best.log} ${best.entry}`);
    return { log: best.log, entry: best.entry, cost: 0 };
  });
}

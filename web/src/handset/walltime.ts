/** Dates and durations as people read them; wall-clock times become seconds since 1970-01-01 00:00 on that wall. */

import { RowError } from "./problems";
import { clockDuration, duration, second, strip } from "./values";

export type Order = "dm" | "md";

const YEAR_FIRST = /^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})[T ,]+(.+)$/;
const YEAR_LAST = /^([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})[ ,]+(?:(?:at|um|à) )?(.+)$/;
const TIME = /^([0-9]{1,2})[:h]([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)? ?([AaPp]\.?[Mm]\.?)?(?: Uhr)?$/;
const UNITS = new RegExp(
  "^(?:([0-9]{1,4}) ?(?:h|hr|hrs|std\\.?) ?)?(?:([0-9]{1,4}) ?(?:m|min|mins|min\\.) ?)?" +
    "(?:([0-9]{1,5}) ?(?:s|sec|secs|sek\\.?|s\\.))?$",
  "i",
);

/** Whether day or month comes first, by the first number above 12 or AM, PM; null: nothing tells. */
export function orderOf(texts: string[]): Order | null {
  for (const text of texts) {
    const match = YEAR_LAST.exec(text);
    if (!match) continue;
    if (match[2] === "." || Number(match[1]) > 12) return "dm";
    if (Number(match[3]) > 12) return "md";
  }
  return texts.some((text) => /[ap]\.?m\.?$/i.test(text)) ? "md" : null;
}

/** Whether a date says its second; true of what is no date. */
export function hasSeconds(text: string): boolean {
  const time = TIME.exec(YEAR_FIRST.exec(text)?.[4] ?? YEAR_LAST.exec(text)?.[5] ?? "");
  return !time || time[3] !== undefined;
}

/** Whether it takes an order to read the date. */
export function isAmbiguous(text: string): boolean {
  const match = YEAR_LAST.exec(text);
  return match !== null && match[2] !== "." && Number(match[1]) !== Number(match[3]);
}

export function wallSeconds(field: string, text: string, order: Order): number {
  const first = YEAR_FIRST.exec(text);
  const last = first ? null : YEAR_LAST.exec(text);
  let year: number, month: number, day: number, rest: string;
  if (first) {
    [year, month, day, rest] = [Number(first[1]), Number(first[2]), Number(first[3]), first[4]!];
  } else if (last) {
    const [one, two] = [Number(last[1]), Number(last[3])];
    [day, month] = order === "dm" ? [one, two] : [two, one];
    year = Number(last[4]) + (last[4]!.length === 2 ? 2000 : 0);
    rest = last[5]!;
  } else throw new RowError(field, "is not a date and time");
  const clock = TIME.exec(rest);
  if (!clock) throw new RowError(field, "has no time of day");
  let hour = Number(clock[1]);
  const minute = Number(clock[2]);
  const seconds = Number(clock[3] ?? 0);
  if (clock[4] !== undefined) {
    if (hour < 1 || hour > 12) throw new RowError(field, "has no such hour");
    hour = (hour % 12) + (/^p/i.test(clock[4]) ? 12 : 0);
  }
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  const exists = year >= 1 && moment.getUTCMonth() === month - 1 && moment.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || seconds > 60) {
    throw new RowError(field, "is no day or time that exists");
  }
  return second(field, moment.getTime() / 1000 + hour * 3600 + minute * 60 + Math.min(seconds, 59));
}

/** `1:02:03`, `02:03`, `123`, `1 h 2 min 3 s`; -1 when empty. */
export function spokenDuration(field: string, raw: string): number {
  const text = strip(raw);
  if (text === "" || text === "-" || text === "–") return -1;
  const match = UNITS.exec(text);
  if (match && match.slice(1).some((part) => part !== undefined)) {
    return duration(field, Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0));
  }
  return clockDuration(field, text);
}

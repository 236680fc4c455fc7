/** Values that several formats write in the same way. */

import { RowError } from "./problems";
import type { Entry } from "./types";

export const MAX_NUMBER = 100;
const LAST_SECOND = 253_402_300_799;
const MAX_DURATION = 10_000_000;
const DIGITS = /^[0-9]{1,18}$/;
const CLOCK = /^(?:([0-9]{1,5}):)?([0-9]{1,5}):([0-9]{1,2})$/;

const WITHHELD = new Set([
  "null", "-1", "-2", "-3", "-4", "unknown", "private", "anonymous", "withheld", "restricted", "unavailable",
  "blocked", "payphone", "private number", "unknown number", "no caller id",
  "unbekannt", "anonym", "privat", "unterdrückt", "keine anrufer-id",
  "inconnu", "privé", "masqué", "anonyme", "numéro masqué", "numéro inconnu",
]);

/** What Python's `str.strip` takes away, which is not quite what `trim` does. */
const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const BLANK_START = new RegExp(`^[${BLANK}]+`);

export function strip(text: string): string {
  let end = text.length;
  while (end > 0 && BLANK_START.test(text[end - 1]!)) end--;
  return text.slice(0, end).replace(BLANK_START, "");
}

const NUMBER_EDGE = " \t\r\n\u00a0\u200e\u200f\u202a\u202c\u202d";

/** The number as the log has it; empty when it says in one of its ways that it was withheld. */
export function cleanNumber(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && NUMBER_EDGE.includes(text[start]!)) start++;
  while (end > start && NUMBER_EDGE.includes(text[end - 1]!)) end--;
  const number = text.slice(start, end);
  if ([...number].length > MAX_NUMBER) throw new RowError("number", `longer than ${MAX_NUMBER} characters`);
  return WITHHELD.has(number.toLowerCase()) ? "" : number;
}

/** The first characters of a text that names a SIM. */
export function short(text: string): string {
  return text.length <= MAX_NUMBER ? text : [...text].slice(0, MAX_NUMBER).join("");
}

export function whole(field: string, text: string | undefined): number {
  if (text === undefined || text === "") throw new RowError(field, "is missing");
  if (!DIGITS.test(text)) throw new RowError(field, "is not a whole number");
  return Number(text);
}

export function second(field: string, value: number): number {
  if (!(value >= 0 && value <= LAST_SECOND)) throw new RowError(field, "is not in the years 1970 to 9999");
  return value;
}

export function milliseconds(field: string, text: string | undefined): number {
  return second(field, Math.floor(whole(field, text) / 1000));
}

export function duration(field: string, value: number): number {
  if (value > MAX_DURATION) throw new RowError(field, "is too long for a call");
  return value;
}

/** `H:MM:SS`, `MM:SS` or seconds. */
export function clockDuration(field: string, text: string): number {
  const match = CLOCK.exec(text);
  if (!match) return duration(field, whole(field, text));
  return duration(field, Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]));
}

/** Whether somebody answered an outgoing call of this duration. */
export function answeredBy(seconds: number): Entry["answered"] {
  return seconds < 0 ? "unknown" : seconds > 0 ? "yes" : "no";
}

// GSM 03.38 (3GPP TS 23.038, 6.2.1): one septet each, and those of the extension table, two.
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const EXTENDED = new Set("\f^{}\\[~]|€");

/** How many short messages carry a text: 160 septets or 153 each, else 70 UTF-16 units or 67 each. */
export function segments(text: string): number {
  let units = 0;
  let single = 160;
  let several = 153;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (BASIC.has(letter)) units += 1;
    else if (EXTENDED.has(letter)) units += 2;
    else {
      units = text.length;
      single = 70;
      several = 67;
      break;
    }
  }
  return units <= single ? 1 : Math.ceil(units / several);
}

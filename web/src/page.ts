/**
 * Whether the pages of an invoice say what the bundle inside says: people read the pages, the proof is of the bundle.
 *
 * Which language the operator prints in is not known here, so words are passed over and figures are compared: line
 * numbers, dates, times, usage, phone numbers, rates, amounts and the total, each at its place.
 */

import { printable } from "./chain/errors";
import type { Bundle, BundleLine } from "./protocol/documents";

/** The first place where pages and bundle differ. `line` counts from 0, null is the total or the end. */
export interface PageDifference {
  line: number | null;
  shown: string;
}

type Check = (text: string) => boolean;

/** Longer texts are cut, as the package prints them. */
const MOST_NUMBER = 22;
const MOST_RATE = 24;
const HEAD = 8;
const FEET = 2;
const LAST_SECOND = 253_402_300_799;

/** null when they agree. */
export function comparePages(texts: readonly string[], bundle: Bundle): PageDifference | null {
  const { currency, total } = bundle.statement;
  const first = lineChecks(bundle.records[0]!, currency);
  let at = texts.findIndex((_, place) => matches(texts, place, first));
  if (at < 0) return { line: 0, shown: "" };
  const price = amountCheck(total, currency);
  const heading = at - HEAD - 1;
  if (![heading - 1, heading - 1 - FEET].some((place) => price(texts[place] ?? ""))) return { line: null, shown: texts[heading - 1] ?? "" };
  for (const [index, record] of bundle.records.entries()) {
    const checks = lineChecks(record, currency);
    if (index && !matches(texts, at, checks) && matches(texts, at + FEET + HEAD, checks)) at += FEET + HEAD;
    const wrong = checks.findIndex((check, cell) => !check(texts[at + cell] ?? ""));
    if (wrong >= 0) return { line: index, shown: texts[at + wrong] ?? "" };
    at += checks.length;
  }
  return texts.length === at + FEET ? null : { line: null, shown: texts[at + FEET] ?? "" };
}

function matches(texts: readonly string[], at: number, checks: Check[]): boolean {
  return checks.every((check, cell) => check(texts[at + cell] ?? ""));
}

/** What the cells of a line's row must hold; empty cells are not printed. */
function lineChecks(line: BundleLine, currency: string): Check[] {
  const { service, number, rate } = line;
  const exactly = (text: string, most: number): Check => {
    const wanted = cut(printable(text, 512), most);
    return (shown) => plain(shown) === plain(wanted);
  };
  return [
    (text) => text === String(Number(line.index) + 1),
    ...whenChecks(line),
    (text) => text !== "",
    ...(number ? [exactly(number, MOST_NUMBER)] : []),
    ...quantityCheck(service, line.usage),
    ...quantityCheck(service, line.billedUsage),
    ...(rate ? [exactly(rate, MOST_RATE)] : []),
    amountCheck(line.amount, currency),
  ];
}

function whenChecks(line: BundleLine): Check[] {
  const local = Number(line.startedAt) + 60 * Number(line.utcOffset);
  if (local < 0 || local > LAST_SECOND) return [(text) => digits(text) === line.startedAt];
  const time = new Date(local * 1000);
  const year = time.getUTCFullYear();
  const day = time.getUTCDate();
  const clock = [time.getUTCMinutes(), time.getUTCSeconds()];
  return [
    (text) => {
      const groups = groupsOf(text);
      return groups.includes(day) && (groups.includes(year) || groups.includes(year % 100) || groups.includes(year + 543));
    },
    (text) => groupsOf(text).slice(-2).join() === clock.join(),
  ];
}

function quantityCheck(service: string, amount: string): Check[] {
  const value = Number(amount);
  if (["1", "2", "3"].includes(service)) {
    const wanted = `${Math.floor(value / 60)}${String(value % 60).padStart(2, "0")}`;
    return [(text) => digits(text) === wanted];
  }
  if (service === "6") return [(text) => Math.abs(Number(digits(text)) - value / 1000) <= 0.5];
  return value ? [(text) => digits(text) === amount] : [];
}

/** An amount with its sign, whatever the separators: the last one must stand before the decimals. */
function amountCheck(billionths: string, currency: string): Check {
  const value = BigInt(billionths);
  const size = value < 0n ? -value : value;
  const units = (size / 1_000_000_000n).toString();
  const fraction = (size % 1_000_000_000n).toString().padStart(9, "0");
  const usual = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().minimumFractionDigits ?? 2;
  const wanted = [usual, 2].map((least) => fraction.slice(0, Math.max(least, fraction.replace(/0+$/, "").length)));
  return (text) => {
    if (/[-\u2212(]/.test(text) !== value < 0n) return false;
    return wanted.some((decimals) => {
      if (digits(text) !== units + decimals) return false;
      const last = /[^0-9]([0-9]+)[^0-9]*$/.exec(text)?.[1];
      return decimals === "" || last === decimals;
    });
  };
}

function groupsOf(text: string): number[] {
  return (text.match(/[0-9]+/g) ?? []).map(Number);
}

const digits = (text: string): string => text.replace(/[^0-9]/g, "");
const plain = (text: string): string => text.replace(/[^\u0000-\uffff]/gu, "\ufffd").replace(/\s+/g, " ");

function cut(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

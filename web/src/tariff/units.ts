/** Texts of the file: money, amounts of usage, names, days and times (docs/tariff.md, section 2). */

import { decimal, MONEY, PRICE } from "./numbers";
import type { Kind } from "./types";

const UNITS: Record<string, [kind: Kind, size: bigint]> = {
  s: ["seconds", 1n], min: ["seconds", 60n], h: ["seconds", 3600n],
  message: ["messages", 1n], messages: ["messages", 1n],
  B: ["bytes", 1n], kB: ["bytes", 1000n], MB: ["bytes", 1_000_000n], GB: ["bytes", 1_000_000_000n],
  KiB: ["bytes", 1n << 10n], MiB: ["bytes", 1n << 20n], GiB: ["bytes", 1n << 30n],
};

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY = 86_400;
/** Of one amount, not included. */
const MOST_USAGE = 1n << 62n;

/** An amount in the smallest unit of its kind. */
export function usage(kind: Kind, least = 1n): (text: string) => bigint | null {
  return (text) => {
    const [, digits, name] = /^(0|[1-9][0-9]{0,17}) ([A-Za-z]+)$/.exec(text) ?? [];
    const unit = name === undefined || !Object.hasOwn(UNITS, name) ? undefined : UNITS[name];
    if (!unit || unit[0] !== kind || BigInt(digits!) < least) return null;
    const found = BigInt(digits!) * unit[1];
    return found < MOST_USAGE ? found : null;
  };
}

export const money = (text: string): bigint | null => decimal(text, MONEY);

export function notNegative(text: string): bigint | null {
  const value = money(text);
  return text.startsWith("-") ? null : value;
}

export function price(text: string): bigint | null {
  return text.startsWith("-") ? null : decimal(text, PRICE);
}

export const NAME = "1 to 64 printable characters";

export function name(text: string): string | null {
  return /^(?! )(?:[^\p{C}\p{Z}]| ){1,64}(?<! )$/u.test(text) ? text : null;
}

export const currency = (text: string): string | null => (/^[A-Z]{3}$/.test(text) ? text : null);

/** A local date as days since 1970. */
export function date(text: string): number | null {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return null;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) || dayText(time / (DAY * 1000)) !== text ? null : time / (DAY * 1000);
}

export function dayText(days: number): string {
  return new Date(days * DAY * 1000).toISOString().slice(0, 10);
}

/** Monday is 0. */
export const weekday = (days: number): number => (((days + 3) % 7) + 7) % 7;

/** Minutes since midnight, up to 24:00. */
export function time(text: string): number | null {
  const [, hours, minutes] = /^([0-9]{2}):([0-9]{2})$/.exec(text) ?? [];
  const found = Number(hours) * 60 + Number(minutes);
  return hours === undefined || Number(minutes) > 59 || found > 1440 ? null : found;
}

export function oneDay(text: string): number | null {
  const found = WEEKDAYS.indexOf(text);
  return found < 0 ? null : found;
}

/** `mon`, `mon-fri`, `fri-mon`, `sat,sun`. */
export function days(text: string): number[] | null {
  const found: number[] = [];
  for (const part of text.split(",")) {
    const ends = part.trim().split("-").map(oneDay);
    const [first, last = first] = ends;
    if (first === undefined || first === null || last === undefined || last === null || ends.length > 2) return null;
    for (let at = first; ; at = (at + 1) % 7) {
      found.push(at);
      if (at === last) break;
    }
  }
  return found;
}

/** `272-01` for that and for `27201`; null when it is no network. */
export function network(text: string): string | null {
  const [, country, net] = /^([0-9]{3})-?([0-9]{2,3})$/.exec(text) ?? [];
  return country === undefined ? null : `${country}-${net}`;
}

/** Money, times and quantities as the reader writes them. */

import { currentLanguage, hasKey, t } from "../i18n";
import type { Line } from "../protocol/documents";

const LAST_SECOND = 253_402_300_799;
const LOCALES = { en: "en-GB", de: "de-DE", fr: "fr-FR" };
const locale = (): string => LOCALES[currentLanguage()];

/** Billionths of the currency unit, exact, with at least two decimals. */
export function money(billionths: bigint | string, currency: string): string {
  const value = BigInt(billionths);
  const size = value < 0n ? -value : value;
  const decimals = (size % 1_000_000_000n).toString().padStart(9, "0").replace(/0{1,7}$/, "");
  const format = new Intl.NumberFormat(locale(), { style: "currency", currency, minimumFractionDigits: decimals.length });
  // A string keeps every digit; TypeScript's library does not know yet that it may be one.
  return format.format(`${value < 0n ? "-" : ""}${size / 1_000_000_000n}.${decimals}` as unknown as number);
}

const HUNDREDTH = 10_000_000n;

/** A sum for a headline: to the hundredth, but never rounded to nothing. Its parts are told exactly elsewhere. */
export function roundMoney(billionths: bigint | string, currency: string): string {
  const value = BigInt(billionths);
  const size = value < 0n ? -value : value;
  if (size < HUNDREDTH) return money(value, currency);
  const rounded = ((size + HUNDREDTH / 2n) / HUNDREDTH) * HUNDREDTH;
  return money(value < 0n ? -rounded : rounded, currency);
}

/** UTC seconds as a day in the reader's own time zone. */
export function date(seconds: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "long" }).format(seconds * 1000);
}

/** A clock on the wall, as a day, and with its time where it is not whole. */
export function wallTime(seconds: number, whole: boolean): string {
  const form: Intl.DateTimeFormatOptions = { dateStyle: "long", timeZone: "UTC", ...(whole ? {} : { timeStyle: "medium" }) };
  return new Intl.DateTimeFormat(locale(), form).format(seconds * 1000);
}

/** YYYYMM as a month. */
export function month(period: string): string {
  const time = Date.UTC(Number(period.slice(0, 4)), Number(period.slice(4)) - 1, 1);
  return new Intl.DateTimeFormat(locale(), { month: "long", year: "numeric", timeZone: "UTC" }).format(time);
}

/** When a line was charged, in local time of the place. English names the month: 03/10 is another day to every other reader. */
export function moment(line: Line): string {
  const local = Number(line.startedAt) + 60 * Number(line.utcOffset);
  if (local < 0 || local > LAST_SECOND) return `${line.startedAt} s`;
  const english = currentLanguage() === "en";
  const form: Intl.DateTimeFormatOptions = {
    day: english ? "numeric" : "2-digit",
    month: english ? "short" : "2-digit",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZone: "UTC",
  };
  return new Intl.DateTimeFormat(locale(), form).format(local * 1000);
}

export function what(service: string): string {
  const key = `service.${service}`;
  return hasKey(key) ? t(key) : t("service.other", { n: service });
}

/** Usage with its unit. */
export function quantity(service: string, amount: string): string {
  const value = Number(amount);
  if (["1", "2", "3"].includes(service)) return minutes(value);
  if (service === "6") return `${(value / 1e6).toLocaleString(locale(), { maximumFractionDigits: 3 })} MB`;
  return value ? `${value.toLocaleString(locale())}×` : "";
}

export function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60).toLocaleString(locale())}:${String(seconds % 60).padStart(2, "0")} min`;
}

/** A time difference as people say it. */
export function span(seconds: number): string {
  const size = Math.abs(seconds);
  const parts: [number, string][] = [
    [Math.floor(size / 3600), "h"],
    [Math.floor(size / 60) % 60, "min"],
    [size % 60, "s"],
  ];
  return parts.filter(([n]) => n).map(([n, unit]) => `${n} ${unit}`).join(" ") || "0 s";
}

/** Money, times and quantities as the reader writes them. */

import { currentLanguage, hasKey, t } from "../i18n";
import { money as exactMoney, roundMoney as usualMoney } from "../matching/formatting";
import type { Line } from "../protocol/documents";

const LAST_SECOND = 253_402_300_799;
const LOCALES = { en: "en-GB", de: "de-DE", fr: "fr-FR" };
const locale = (): string => LOCALES[currentLanguage()];

/** Billionths of the currency unit, exact: what stands in the details. */
export function money(billionths: bigint | string, currency: string): string {
  return exactMoney(currentLanguage(), BigInt(billionths), currency);
}

/** A sum for a headline or a sentence: to the usual decimals, but never rounded to nothing. Its parts are told exactly elsewhere. */
export function roundMoney(billionths: bigint | string, currency: string): string {
  return usualMoney(currentLanguage(), BigInt(billionths), currency);
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

const CALLED = new Set(["1", "2", "3", "4", "5", "7"]);

/** Who is at the other end, also where the bill does not show it; "" of lines without anybody. */
export function partyOf(service: string, number: string): string {
  return number || (CALLED.has(service) ? t("party.withheld") : "");
}

/** Usage with its unit. */
export function quantity(service: string, amount: string): string {
  const value = Number(amount);
  if (["1", "2", "3"].includes(service)) return minutes(value);
  if (service === "6") return `${(value / 1e6).toLocaleString(locale(), { maximumFractionDigits: 3 })} MB`;
  return value ? `${value.toLocaleString(locale())}×` : "";
}

/** Minutes and seconds; from an hour on with what each number counts, or 197:35 reads as hours. */
export function minutes(seconds: number): string {
  if (seconds >= 3600) return span(seconds);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}

/** A time difference as people say it. */
export function span(seconds: number): string {
  const size = Math.abs(seconds);
  const parts: [number, string][] = [
    [Math.floor(size / 3600), "h"],
    [Math.floor(size / 60) % 60, "min"],
    [size % 60, "s"],
  ];
  return parts.filter(([n]) => n).map(([n, unit]) => `${n.toLocaleString(locale())} ${unit}`).join(" ") || "0 s";
}

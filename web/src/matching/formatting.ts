/** Times, lengths and sums as people of a language write them. */

import { localTime } from "./cycle";
import type { InvoiceLine } from "./types";

export type Language = "en" | "de" | "fr";

const LOCALES: Record<Language, string> = { en: "en-GB", de: "de-DE", fr: "fr-FR" };
const BILLION = 1_000_000_000n;
/** Decimals of a billionth. */
const MOST = 9;

const currencies = new Map<string, Intl.NumberFormat>();

function currencyFormat(lang: Language, currency: string, decimals?: number): Intl.NumberFormat {
  const key = `${lang} ${currency} ${decimals ?? ""}`;
  const digits = decimals === undefined ? {} : { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const format = currencies.get(key) ?? new Intl.NumberFormat(LOCALES[lang], { style: "currency", currency, ...digits });
  currencies.set(key, format);
  return format;
}

/** How many decimals sums in a currency usually have. */
function usualDecimals(lang: Language, currency: string): number {
  return currencyFormat(lang, currency).resolvedOptions().maximumFractionDigits ?? 2;
}

/** Billionths, exactly: with the currency's usual decimals, or as many more as it takes. */
export function money(lang: Language, billionths: bigint, currency: string): string {
  const size = billionths < 0n ? -billionths : billionths;
  const usual = usualDecimals(lang, currency);
  const places = (size % BILLION).toString().padStart(MOST, "0");
  let decimals = MOST;
  while (decimals > usual && places[decimals - 1] === "0") decimals -= 1;
  const text = `${billionths < 0n ? "-" : ""}${size / BILLION}${decimals ? `.${places.slice(0, decimals)}` : ""}`;
  // A string keeps every digit; TypeScript's library does not know yet that it may be one.
  return currencyFormat(lang, currency, decimals).format(text as unknown as number);
}

/** The same to the currency's usual decimals, but never rounded to nothing. */
export function roundMoney(lang: Language, billionths: bigint, currency: string): string {
  const unit = 10n ** BigInt(MOST - usualDecimals(lang, currency));
  const size = billionths < 0n ? -billionths : billionths;
  if (size < unit) return money(lang, billionths, currency);
  const rounded = ((size + unit / 2n) / unit) * unit;
  return money(lang, billionths < 0n ? -rounded : rounded, currency);
}

/** Like "1 h 2 min 5 s", the same in the three languages. */
export function lasting(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return said.length > 0 ? said.join(" ") : "0 s";
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(lang: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${lang} ${Object.entries(options).join(" ")}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(LOCALES[lang], { timeZone: "UTC", ...options });
  formats.set(key, format);
  return format;
}

/** The day of a local time. */
export function day(lang: Language, local: number): string {
  return formatOf(lang, { day: "numeric", month: "long", year: "numeric" }).format(local * 1000);
}

/** The same without its year, for where there is little room. */
export function shortDay(lang: Language, local: number): string {
  return formatOf(lang, { day: "numeric", month: "short" }).format(local * 1000);
}

/** The time of day of a local time, HH:MM. */
export function clockTime(local: number): string {
  return new Date(local * 1000).toISOString().slice(11, 16);
}

export function moment(lang: Language, line: InvoiceLine): string {
  const local = localTime(line);
  const time = clockTime(local);
  if (lang === "de") return `${day(lang, local)} um ${time} Uhr`;
  return `${day(lang, local)} ${lang === "fr" ? "à" : "at"} ${time}`;
}

/** The period of a bill, like "October 2026". */
export function monthName(lang: Language, period: number): string {
  const first = Date.UTC(Math.floor(period / 100), (period % 100) - 1, 1);
  return formatOf(lang, { month: "long", year: "numeric" }).format(first);
}

/** Exact arithmetic: decimals, fractions that are rounded once, and the four ways to round. */

export type Mode = "up" | "down" | "half-up" | "half-even";
export const MODES: readonly Mode[] = ["up", "down", "half-up", "half-even"];

/** Decimals of prices, and of all other money and percentages. */
export const PRICE = 12;
export const MONEY = 9;

/** A number that is not rounded yet; the denominator is positive. */
export interface Fraction {
  over: bigint;
  under: bigint;
}

/** A decimal text in units of 10^-decimals; null when it is none or has more decimals. */
export function decimal(text: string, decimals: number): bigint | null {
  const found = /^(-?)([0-9]{1,18})(?:\.([0-9]+))?$/.exec(text);
  if (!found) return null;
  const [, sign, whole, part = ""] = found;
  if (part.length > decimals) return null;
  const size = BigInt(whole! + part.padEnd(decimals, "0"));
  return sign ? -size : size;
}

export function add(a: Fraction, b: Fraction): Fraction {
  return a.under === b.under ? { over: a.over + b.over, under: a.under } : { over: a.over * b.under + b.over * a.under, under: a.under * b.under };
}

export function times({ over, under }: Fraction, by: bigint, through = 1n): Fraction {
  return { over: over * by, under: under * through };
}

/** The whole number for a fraction. Rounding is of the absolute value. */
export function toWhole({ over, under }: Fraction, mode: Mode): bigint {
  const size = over < 0n ? -over : over;
  let whole = size / under;
  const rest = size - whole * under;
  const half = 2n * rest - under;
  if (rest && (mode === "up" || (mode !== "down" && (half > 0n || (half === 0n && (mode === "half-up" || whole % 2n === 1n)))))) whole += 1n;
  return over < 0n ? -whole : whole;
}

/** To so many decimals, where the fraction counts in units of 10^-`of`; the result does too. */
export function round(value: Fraction, of: number, decimals: number, mode: Mode): Fraction {
  const unit = 10n ** BigInt(of - decimals);
  return { over: toWhole(times(value, 1n, unit), mode) * unit, under: 1n };
}

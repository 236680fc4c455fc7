/** Numbers as bills and phones write them, in one form, and how two of them relate (docs/matching.md, section 2). */

import { type CountryCode, Metadata, getCountryCallingCode, isSupportedCountry, type PhoneNumber, parsePhoneNumberFromString } from "libphonenumber-js/max";

export interface Canonical {
  /** Digits, with a leading `+` when international; of a masked number with an `x` for each character of the mask. */
  text: string;
  masked: boolean;
}

export type Relation = "same" | "alike" | "blind" | "other";

export const SURCHARGE: Record<Exclude<Relation, "other">, number> = { same: 0, alike: 60, blind: 120 };

const MASK = "xX*•";
/** Dialled before a number so that one's own is not shown. */
const HIDES_CALLER = /^[ \t]*[#*]31#/;
const EMERGENCY = new Set(["112", "911", "999", "000", "110", "113", "115", "117", "118", "119"]);

interface CallingCodes {
  getCountryCodesForCallingCode(code: string): string[] | undefined;
}

/** libphonenumber's main region of a country calling code, null for codes of no country. */
function mainRegion(code: string): string | null {
  return (new Metadata() as unknown as CallingCodes).getCountryCodesForCallingCode(code)?.[0] ?? null;
}

/** As libphonenumber has it: by the lengths of the calling code's main region, whichever of its regions the number belongs to. */
function isPossible(number: PhoneNumber): boolean {
  const region = mainRegion(number.countryCallingCode);
  if (region === null || !isSupportedCountry(region)) return number.isPossible();
  const metadata = new Metadata();
  metadata.selectNumberingPlan(region);
  return metadata.numberingPlan?.possibleLengths().includes(number.nationalNumber.length) ?? false;
}

/** A `+` that comes first, ASCII digits, and how many mask characters end the text; the rest is decoration. */
function strip(text: string): { plus: boolean; digits: string; mask: number } {
  const kept = [...text.replace(HIDES_CALLER, "")].filter((c) => isDigit(c) || c === "+" || MASK.includes(c));
  let end = kept.length;
  while (end > 0 && MASK.includes(kept[end - 1]!)) end -= 1;
  return { plus: kept[0] === "+", digits: kept.filter(isDigit).join(""), mask: kept.length - end };
}

const isDigit = (c: string): boolean => c >= "0" && c <= "9";

/** The region option, else the main region of the calling code that most numbers with `+` have. */
export function regionOf(numbers: readonly string[], option?: string): string | null {
  if (option) return option;
  const counts = new Map<number, number>();
  for (const number of numbers) {
    if (!number.startsWith("+")) continue;
    const { digits } = strip(number);
    for (let size = 1; size <= 3 && size <= digits.length; size += 1) {
      const code = digits.slice(0, size);
      if (mainRegion(code) === null) continue;
      counts.set(Number(code), (counts.get(Number(code)) ?? 0) + 1);
      break;
    }
  }
  let best: number | null = null;
  for (const [code, count] of counts) {
    const most = best === null ? 0 : counts.get(best)!;
    if (best === null || count > most || (count === most && code < best)) best = code;
  }
  return best === null ? null : mainRegion(String(best));
}

function isTollFree(form: string): boolean {
  return form.startsWith("+") && parsePhoneNumberFromString(form, { extract: false })?.getType() === "TOLL_FREE";
}

/** Reads numbers in one region and remembers what it has read. */
export class Numbers {
  private readonly country: CountryCode | undefined;
  private readonly known = new Map<string, Canonical>();
  private readonly free = new Map<string, boolean>();

  constructor(readonly region: string | null) {
    this.country = region !== null && isSupportedCountry(region) ? region : undefined;
  }

  canonical(text: string): Canonical {
    let form = this.known.get(text);
    if (form === undefined) {
      form = this.read(text);
      this.known.set(text, form);
    }
    return form;
  }

  private read(text: string): Canonical {
    const { plus, digits, mask } = strip(text);
    if (digits === "") return { text: "", masked: false };
    const international = plus || digits.startsWith("00");
    const rest = plus || !international ? digits : digits.slice(2);
    if (mask > 0) return { text: this.prefixed(international, rest) + "x".repeat(mask), masked: true };
    if (!international && rest.length <= 6) return { text: rest, masked: false };
    const parsed = parsePhoneNumberFromString((international ? "+" : "") + rest, { ...this.fallback(), extract: false });
    return { text: parsed && isPossible(parsed) ? parsed.number : rest, masked: false };
  }

  /** What is known of a masked number, made international where its beginning suffices for that. */
  private prefixed(international: boolean, digits: string): string {
    if (international) return `+${digits}`;
    return digits.startsWith("0") && this.country ? `+${getCountryCallingCode(this.country)}${digits.slice(1)}` : digits;
  }

  private fallback(): { defaultCountry?: CountryCode } {
    return this.country ? { defaultCountry: this.country } : {};
  }

  isFreephone(text: string): boolean {
    const form = this.canonical(text);
    if (form.masked) return false;
    let free = this.free.get(form.text);
    if (free === undefined) {
      free = EMERGENCY.has(form.text) || /^116\d{3}$/.test(form.text) || isTollFree(form.text);
      this.free.set(form.text, free);
    }
    return free;
  }
}

export function isSame(a: Canonical, b: Canonical): boolean {
  return a.text !== "" && !a.masked && !b.masked && a.text === b.text;
}

function hides(a: Canonical, b: Canonical): boolean {
  return a.masked && !b.masked && a.text.length === b.text.length && b.text.startsWith(a.text.replace(/x+$/, ""));
}

/** The last eight digits of a number that has nine or more. */
export function tail(form: Canonical): string | null {
  const digits = form.text.replace("+", "");
  return !form.masked && digits.length >= 9 ? digits.slice(-8) : null;
}

export function relate(a: Canonical, b: Canonical): Relation {
  if (isSame(a, b)) return "same";
  if (hides(a, b) || hides(b, a)) return "alike";
  const end = tail(a);
  if (end !== null && end === tail(b)) return "alike";
  return a.text === "" || b.text === "" ? "blind" : "other";
}

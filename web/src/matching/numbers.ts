/** Numbers as bills and phones write them, in one form, and how two of them relate (docs/matching.md, section 2). */

import { type CountryCode, Metadata, getCountryCallingCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/max";

export interface Canonical {
  /** Digits, with a leading `+` when international; of a masked number those before the mask. */
  text: string;
  masked: boolean;
  /** Characters, those of the mask included. */
  length: number;
}

export type Relation = "same" | "alike" | "blind" | "other";

export const SURCHARGE: Record<Exclude<Relation, "other">, number> = { same: 0, alike: 60, blind: 120 };

const MASK = "xX*•";
const EMERGENCY = new Set(["112", "911", "999", "000", "110", "113", "115", "117", "118", "119"]);

interface CallingCodes {
  getCountryCodesForCallingCode(code: string): string[] | undefined;
}

/** libphonenumber's main region of a country calling code, null for codes of no country. */
function mainRegion(code: string): string | null {
  return (new Metadata() as unknown as CallingCodes).getCountryCodesForCallingCode(code)?.[0] ?? null;
}

/** Digits, a leading `+` and trailing mask characters; the rest of the text is decoration. */
function strip(text: string): { plus: boolean; digits: string; mask: number } {
  const kept = [...text].filter((c) => (c >= "0" && c <= "9") || c === "+" || MASK.includes(c));
  let end = kept.length;
  while (end > 0 && MASK.includes(kept[end - 1]!)) end -= 1;
  const body = kept.slice(0, end).filter((c) => !MASK.includes(c));
  return { plus: body[0] === "+", digits: body.filter((c) => c !== "+").join(""), mask: kept.length - end };
}

/** The region option, else the main region of the calling code that most numbers with `+` have. */
export function regionOf(numbers: readonly string[], option?: string): string | null {
  if (option) return option;
  const counts = new Map<number, number>();
  for (const number of numbers) {
    const { plus, digits } = strip(number);
    if (!plus) continue;
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

/** Reads numbers in one region and remembers what it has read. */
export class Numbers {
  private readonly country: CountryCode | undefined;
  private readonly known = new Map<string, Canonical>();

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
    if (mask > 0) {
      const prefix = this.byPrefix(plus, digits);
      return { text: prefix, masked: true, length: prefix.length + mask };
    }
    const form = this.unmasked(plus, digits);
    return { text: form, masked: false, length: form.length };
  }

  private byPrefix(plus: boolean, digits: string): string {
    if (plus) return `+${digits}`;
    if (digits.startsWith("00")) return `+${digits.slice(2)}`;
    if (digits.startsWith("0") && this.country) return `+${getCountryCallingCode(this.country)}${digits.slice(1)}`;
    return digits;
  }

  private unmasked(plus: boolean, digits: string): string {
    if (!plus && !digits.startsWith("00") && digits.length <= 6) return digits;
    const parsed = parsePhoneNumberFromString((plus ? "+" : "") + digits, { ...this.fallback(), extract: false });
    return parsed?.isPossible() ? parsed.number : digits;
  }

  private fallback(): { defaultCountry?: CountryCode } {
    return this.country ? { defaultCountry: this.country } : {};
  }

  isFreephone(text: string): boolean {
    const form = this.canonical(text);
    if (form.masked) return false;
    if (EMERGENCY.has(form.text) || /^116\d{3}$/.test(form.text)) return true;
    return parsePhoneNumberFromString(form.text, { ...this.fallback(), extract: false })?.getType() === "TOLL_FREE";
  }
}

export function isSame(a: Canonical, b: Canonical): boolean {
  return a.text !== "" && !a.masked && !b.masked && a.text === b.text;
}

function hides(masked: Canonical, other: Canonical): boolean {
  return masked.masked && other.length === masked.length && other.text.startsWith(masked.text);
}

function tail(form: Canonical): string | null {
  const digits = form.text.startsWith("+") ? form.text.slice(1) : form.text;
  return digits.length >= 9 ? digits.slice(-8) : null;
}

export function relate(a: Canonical, b: Canonical): Relation {
  if (isSame(a, b)) return "same";
  if (hides(a, b) || hides(b, a)) return "alike";
  const end = tail(a);
  if (end !== null && end === tail(b)) return "alike";
  return (a.text === "" && !a.masked) || (b.text === "" && !b.masked) ? "blind" : "other";
}

/** A bill's check by its tariff, for the cards that show it. */

import { printable } from "../chain/errors";
import { currentLanguage } from "../i18n";
import { type Bundle, isBundle } from "../protocol/documents";
import { checkBill, type PriceFinding, type TariffFile } from "../tariff/bill";
import type { Checked, Verdict } from "../tariff/check";
import { namesTariff } from "../tariff/publication";
import type { Tariff } from "../tariff/types";
import { missingSentence, priceSentence } from "../tariff/wording";
import type { Report } from "../verify";

export interface PriceCheck {
  file: TariffFile;
  tariff: Tariff;
  checked: Checked;
}

const kept = new WeakMap<Bundle, Map<string, PriceCheck | null>>();

/** By the file that the bill names; where it names none, by the last one given. null: by none of them. */
export function priceCheck({ document }: Report, files: readonly TariffFile[]): PriceCheck | null {
  if (!document || !isBundle(document)) return null;
  const { tariff: named } = document.statement;
  const file = files.findLast(({ tariff, hash }) => tariff && (hash === named || !namesTariff(named)));
  if (!file) return null;
  const checks = kept.get(document) ?? new Map<string, PriceCheck | null>();
  kept.set(document, checks);
  if (!checks.has(file.hash)) {
    const checked = checkBill(file.tariff!, document);
    checks.set(file.hash, checked && { file, tariff: file.tariff!, checked });
  }
  return checks.get(file.hash)!;
}

const printed = (text: string): string => printable(text, 80);

/** `pricesIn`: the currency of the tariff's prices. */
export function verdictWords(bundle: Bundle, verdict: Verdict, pricesIn: string): string {
  const { service, amount, billedUsage } = bundle.records[verdict.index]!;
  const line = { service: Number(service), amount: BigInt(amount), billedUsage: BigInt(billedUsage) };
  return priceSentence(currentLanguage(), verdict, line, bundle.statement.currency, pricesIn, printed);
}

export function missingWords(bundle: Bundle, name: string, due: bigint): string {
  return missingSentence(currentLanguage(), printed(name), due, bundle.statement.currency);
}

export function findingWords(bundle: Bundle, { name, due, verdict, pricesIn }: PriceFinding): string {
  return verdict ? verdictWords(bundle, verdict, pricesIn) : missingWords(bundle, name, due);
}

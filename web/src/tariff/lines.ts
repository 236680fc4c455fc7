/** Lines that are no usage: fees, discounts, commitment, taxes, the total (docs/tariff.md, section 7). */

import { MONEY, type Mode, round, times, toWhole } from "./numbers";
import { DISCOUNT, ONE_OFF, TAX, type Tariff, TOTAL } from "./types";
import type { StatementRecord } from "./usage";

export type LineCause = "fee" | "discount" | "tax" | "commitment" | "total" | "repeated";

export interface DueLine {
  name: string;
  due: bigint;
  cause: LineCause;
}

export interface Missing {
  name: string;
  due: bigint;
}

export interface Lines {
  /** What is due for each of these records that the tariff prices. */
  due: Map<StatementRecord, DueLine>;
  missing: Missing[];
}

/** `records` are all of the statement. */
export function priceLines(tariff: Tariff, records: readonly StatementRecord[]): Lines {
  const due = new Map<StatementRecord, DueLine>();
  const missing: Missing[] = [];
  const own = records.filter(({ corrects }) => !corrects).sort((a, b) => a.index - b.index);
  const of = (service: number, name: string): StatementRecord[] => own.filter((record) => record.service === service && record.rate === name);
  /** The first costs this; the others the same, or nothing where there may be one. */
  const settle = (found: readonly StatementRecord[], name: string, amount: bigint, cause: LineCause, once: boolean): void => {
    found.forEach((record, at) => {
      due.set(record, at && once ? { name, due: 0n, cause: "repeated" } : { name, due: amount, cause });
    });
  };

  for (const { name, amount, service, times: often } of tariff.fees) {
    const found = of(service, name);
    settle(found, name, amount, "fee", often === "once");
    if (often === "once" && !found.length && amount !== 0n) missing.push({ name, due: amount });
  }
  for (const { name, percent, of: services, rates, above, times: often } of tariff.discounts) {
    const base = total(records.filter(({ service, rate }) => services.includes(service) && (!rates || rates.includes(rate))));
    const amount = base > above ? share(base, -percent, MONEY, "half-up") : 0n;
    const found = of(DISCOUNT, name);
    settle(found, name, amount, "discount", often === "once");
    if (often === "once" && !found.length && amount !== 0n) missing.push({ name, due: amount });
  }
  const { commitment } = tariff;
  if (commitment) {
    const found = of(ONE_OFF, commitment.name);
    const used = total(records.filter((record) => commitment.services.includes(record.service) && record !== found[0]));
    const amount = used < commitment.amount ? commitment.amount - used : 0n;
    settle(found, commitment.name, amount, "commitment", true);
    if (amount !== 0n && !found.length) missing.push({ name: commitment.name, due: amount });
  }
  for (const { name, percent, of: services, rounding } of tariff.taxes) {
    const base = total(records.filter(({ service }) => (services ? services.includes(service) : service !== TAX && service !== TOTAL)));
    settle(of(TAX, name), name, share(base, percent, rounding.decimals, rounding.mode), "tax", true);
  }
  if (tariff.total) {
    const { mode, decimals } = tariff.total;
    own.filter(({ service }) => service === TOTAL).forEach((record, at) => {
      const others = total(records) - record.amount;
      const whole = round({ over: others, under: 1n }, MONEY, decimals, mode).over;
      due.set(record, at ? { name: record.rate, due: 0n, cause: "repeated" } : { name: record.rate, due: whole - others, cause: "total" });
    });
  }
  const amendment = records.length > 0 && !own.length;
  return { due, missing: amendment ? [] : missing };
}

function total(records: readonly StatementRecord[]): bigint {
  return records.reduce((sum, { amount }) => sum + amount, 0n);
}

/** So many percent (in billionths) of an amount, rounded to so many decimals. */
function share(amount: bigint, percent: bigint, decimals: number, mode: Mode): bigint {
  const exact = times({ over: amount * percent, under: 100n }, 1n, 10n ** BigInt(MONEY));
  return toWhole(round(exact, MONEY, decimals, mode), mode);
}

/** What sentences about a line need to know beyond what became of it. */

import { KnownNumbers } from "./known";
import { Numbers } from "./numbers";
import { isNearTwin } from "./revised";
import { type Invoice, type InvoiceLine, isCorrection, isQuestion, type Kind, kindOf, type LineResult, type MatchResult, type PhoneLog, type Told } from "./types";

/** The questions, by `index`, whose number the phone has in its other list. */
export function elsewhereOf(result: MatchResult, invoice: Invoice, logs: readonly PhoneLog[]): Set<number> {
  const known = new KnownNumbers(logs, new Numbers(result.region));
  const asked = new Set(result.lines.filter(isQuestion).map(({ index }) => index));
  const found = invoice.lines.filter(({ index, service, number }) => asked.has(index) && known.has(number, kindOf(service) === "call" ? "message" : "call"));
  return new Set(found.map(({ index }) => index));
}

/** Whether no log has a single entry of the kind that would bear the line out. */
export function isUnlisted({ logs }: Told, kind: Kind | null): boolean {
  return kind !== null && logs !== undefined && logs.every(({ coverage }) => coverage[kind] === null);
}

/** The line, by `index`, that a duplicate repeats; null when it cannot be told any more. */
export function twinOf(result: Told, { index, class: verdict, reason }: LineResult, invoice: Invoice): number | null {
  if (verdict !== "duplicate") return null;
  const line = invoice.lines.find((each) => each.index === index)!;
  const numbers = new Numbers(result.region ?? null);
  const same = (other: InvoiceLine): boolean =>
    other.service === line.service && !isCorrection(other) && other.startedAt === line.startedAt && other.number === line.number && other.usage === line.usage;
  const test = reason === "same" ? same : (other: InvoiceLine): boolean => isNearTwin(line, other, numbers);
  const twins = invoice.lines.filter((other) => other.index !== index && test(other)).map((other) => other.index);
  const borneOut = new Set(result.lines.filter(({ entry }) => entry !== null).map((each) => each.index));
  return twins.find((twin) => borneOut.has(twin)) ?? twins[0] ?? null;
}

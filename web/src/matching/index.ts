/** Lays the lines of a bill against what phones have logged: docs/matching.md, written without a look at the Python package. */

import { assign } from "./assignment";
import { candidatesOf } from "./candidates";
import { clocksOf } from "./clock";
import { copiesOf } from "./copies";
import { Coverage } from "./coverage";
import { cycleOf } from "./cycle";
import { entryResults } from "./entries";
import { join } from "./joined";
import { KnownNumbers } from "./known";
import { Numbers, regionOf } from "./numbers";
import { giveBack, straysOf } from "./revised";
import {
  type Invoice, type InvoiceLine, isConfirmed, isFinding, isQuestion, isUncompared, type LineResult, type MatchOptions, type MatchResult, type PhoneLog, type Summary,
  wantOf,
} from "./types";
import { allowanceOf, Verdicts } from "./verdicts";

export type { EntryResult, Invoice, InvoiceLine, LineResult, LogResult, MatchOptions, MatchResult } from "./types";

export function match(invoice: Invoice, logs: PhoneLog[], options: MatchOptions = {}): MatchResult {
  const lines = [...invoice.lines].sort((a, b) => a.index - b.index);
  const region = regionOf(lines.map((line) => line.number), options.region);
  const numbers = new Numbers(region);
  const cycle = cycleOf(invoice.period, lines);
  const clocks = clocksOf(logs, lines, numbers);
  const copies = copiesOf(logs, numbers);
  const assigned = giveBack(lines, assign(candidatesOf(lines, logs, clocks, numbers, copies)), logs, numbers);
  const strays = straysOf(lines, assigned, logs, clocks, numbers, copies);
  const pairing = join(lines, assigned, strays, logs, numbers);
  const coverage = new Coverage(logs, clocks, pairing);
  const allowances = logs.map((log, index) => allowanceOf(index, log, pairing));
  const verdicts = new Verdicts({ pairing, coverage, logs, clocks, allowances, numbers, known: new KnownNumbers(logs, numbers), cycle });
  const results = lines.map((_, place) => verdicts.lineResult(place));

  return {
    schema: "billproof/match/1",
    period: invoice.period,
    currency: invoice.currency,
    region,
    cycle,
    logs: logs.map((log, index) => ({
      name: log.name,
      format: log.format,
      entries: log.entries.length,
      bias: allowances[index]!.bias,
      clock: clocks[index]!,
      coverage: coverage.logs[index]!.spans,
    })),
    lines: results,
    entries: logs.map((log, index) => entryResults(index, log, clocks[index]!, pairing, cycle, numbers, copies[index]!)),
    summary: summaryOf(lines, results),
  };
}

function summaryOf(lines: readonly InvoiceLine[], results: readonly LineResult[]): Summary {
  const classes: Summary["classes"] = {};
  for (const result of results) classes[result.class] = (classes[result.class] ?? 0) + 1;
  const total = (amounts: readonly bigint[]): bigint => amounts.reduce((all, amount) => all + amount, 0n);
  const sum = (amounts: readonly bigint[]): string => total(amounts).toString();
  const amountsOf = (wanted: (line: LineResult) => boolean): bigint[] =>
    lines.filter((_, place) => wanted(results[place]!)).map(({ amount }) => amount);
  const questions = amountsOf(isQuestion);
  const uncompared = amountsOf(isUncompared).filter((amount) => amount > 0n);
  const cost = (amounts: readonly bigint[]): bigint => total(amounts.filter((amount) => amount > 0n));
  const comparable = lines.filter((line) => wantOf(line)).map(({ amount }) => amount);
  const confirmed = amountsOf(isConfirmed);
  return {
    classes,
    findings: results.filter(isFinding).length,
    stake: sum(results.map(({ stake }) => BigInt(stake))),
    questions: questions.length,
    asked: sum(questions.filter((amount) => amount > 0n)),
    uncompared: uncompared.length,
    unchecked: sum(uncompared),
    confirmed: confirmed.length,
    mostConfirmed: 2 * confirmed.length >= comparable.length && 2n * cost(confirmed) >= cost(comparable),
  };
}

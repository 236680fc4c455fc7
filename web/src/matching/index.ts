/** Lays the lines of a bill against what phones have logged: docs/matching.md, written without a look at the Python package. */

import { assign } from "./assignment";
import { candidatesOf } from "./candidates";
import { clocksOf } from "./clock";
import { Coverage } from "./coverage";
import { cycleOf } from "./cycle";
import { entryResults } from "./entries";
import { join } from "./joined";
import { Numbers, regionOf } from "./numbers";
import { giveBack, straysOf } from "./revised";
import { FINDINGS, type Invoice, type MatchOptions, type MatchResult, type PhoneLog } from "./types";
import { allowanceOf, Verdicts } from "./verdicts";

export type { EntryResult, Invoice, InvoiceLine, LineResult, LogResult, MatchOptions, MatchResult } from "./types";

export function match(invoice: Invoice, logs: PhoneLog[], options: MatchOptions = {}): MatchResult {
  const lines = [...invoice.lines].sort((a, b) => a.index - b.index);
  const region = regionOf(lines.map((line) => line.number), options.region);
  const numbers = new Numbers(region);
  const cycle = cycleOf(invoice.period, lines);
  const clocks = clocksOf(logs, lines, numbers);
  const assigned = giveBack(lines, assign(candidatesOf(lines, logs, clocks, numbers)), logs, numbers);
  const strays = straysOf(lines, assigned, logs, clocks, numbers);
  const pairing = join(lines, assigned, strays, logs, numbers);
  const coverage = new Coverage(logs, clocks, pairing, numbers);
  const allowances = logs.map((log, index) => allowanceOf(index, log, pairing));
  const verdicts = new Verdicts({ pairing, coverage, logs, clocks, allowances, numbers, cycle });
  const results = lines.map((_, place) => verdicts.lineResult(place));

  const classes: MatchResult["summary"]["classes"] = {};
  for (const result of results) classes[result.class] = (classes[result.class] ?? 0) + 1;
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
    entries: logs.map((log, index) => entryResults(index, log, clocks[index]!, pairing, cycle, numbers)),
    summary: {
      classes,
      findings: results.filter((result) => FINDINGS.has(result.class)).length,
      stake: results.reduce((sum, result) => sum + BigInt(result.stake), 0n).toString(),
    },
  };
}

/**
 * What the subscriber answered to the matcher's questions, laid over its result. The result itself stays the one of
 * docs/matching.md: `denied` and `recalled` are the reader's words, not the matcher's.
 */

import { type Invoice, isQuestion, type LineResult, type MatchResult } from "./types";

/** `known`: the number means something to the reader; `never`: the reader had nothing to do with the line. */
export type Answer = "known" | "never";

/** The result with the answered questions as findings or as explained; `answerOf` takes a line's `index`. */
export function answered(result: MatchResult, invoice: Invoice, answerOf: (index: number) => Answer | undefined): MatchResult {
  const amounts = new Map(invoice.lines.map(({ index, amount }) => [index, amount > 0n ? amount : 0n]));
  const moved = { never: 0n, known: 0n };
  const counts = { never: 0, known: 0 };
  const lines = result.lines.map((line): LineResult => {
    const answer = isQuestion(line) ? answerOf(line.index) : undefined;
    if (answer === undefined) return line;
    const amount = amounts.get(line.index)!;
    moved[answer] += amount;
    counts[answer] += 1;
    return answer === "never" ? { ...line, reason: "denied", stake: amount.toString() } : { ...line, reason: "recalled" };
  });
  const { summary } = result;
  return {
    ...result,
    lines,
    summary: {
      ...summary,
      findings: summary.findings + counts.never,
      stake: (BigInt(summary.stake) + moved.never).toString(),
      questions: summary.questions - counts.never - counts.known,
      asked: (BigInt(summary.asked) - moved.never - moved.known).toString(),
    },
  };
}

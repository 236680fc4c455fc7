/** What the bill charges and the logs say nothing of, by reason: so that nobody takes it for confirmed. */

import { t } from "../i18n";
import { type Invoice, isUncompared, type LineReason, type MatchResult } from "../matching/types";
import { h } from "./dom";
import { roundMoney } from "./format";

const REASONS = {
  service: "rest.service",
  outside: "rest.outside",
  hole: "rest.hole",
  foreign: "rest.foreign",
  uncovered: "rest.uncovered",
  forwarded: "rest.forwarded",
  correction: "rest.correction",
} as const;

/** null when everything that costs something was compared. */
export function uncompared(invoice: Invoice, result: MatchResult): HTMLElement | null {
  const { summary, lines } = result;
  if (!summary.uncompared) return null;
  const amounts = new Map(invoice.lines.map(({ index, amount }) => [index, amount]));
  const sums = new Map<LineReason, { n: number; sum: bigint }>();
  for (const line of lines) {
    const amount = amounts.get(line.index)!;
    if (!isUncompared(line) || amount <= 0n) continue;
    const before = sums.get(line.reason) ?? { n: 0, sum: 0n };
    sums.set(line.reason, { n: before.n + 1, sum: before.sum + amount });
  }
  const said = (n: number, sum: bigint | string): { n: number; money: string } => ({ n, money: roundMoney(sum, invoice.currency) });
  const reasons = Object.entries(REASONS).flatMap(([reason, key]) => {
    const found = sums.get(reason as LineReason);
    return found ? [h("li", {}, `${t("rest.lines", said(found.n, found.sum))} – ${t(key)}`)] : [];
  });
  return h(
    "section",
    { class: "uncompared" },
    h("h3", {}, t("rest.title", said(summary.uncompared, summary.unchecked))),
    h("ul", { class: "notes" }, ...reasons),
  );
}

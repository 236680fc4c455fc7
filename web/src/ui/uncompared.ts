/** What the bill charges and the logs say nothing of, by reason: so that nobody takes it for confirmed. */

import { t } from "../i18n";
import { isUnlisted } from "../matching/telling";
import { type Invoice, isUncompared, kindOf, type MatchResult } from "../matching/types";
import { h } from "./dom";
import { roundMoney } from "./format";

const REASONS = {
  service: "rest.service",
  call: "rest.call",
  message: "rest.message",
  mms: "rest.mms",
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
  const billed = new Map(invoice.lines.map((line) => [line.index, line]));
  const sums = new Map<string, { n: number; sum: bigint }>();
  let free = 0;
  for (const line of lines.filter(isUncompared)) {
    const { amount, service } = billed.get(line.index)!;
    if (amount <= 0n) {
      free += 1;
      continue;
    }
    const kind = kindOf(service);
    const why = line.reason === "outside" && isUnlisted(result, kind) ? kind! : line.reason;
    const before = sums.get(why) ?? { n: 0, sum: 0n };
    sums.set(why, { n: before.n + 1, sum: before.sum + amount });
  }
  const said = (n: number, sum: bigint | string): { n: number; money: string } => ({ n, money: roundMoney(sum, invoice.currency) });
  const reasons = Object.entries(REASONS).flatMap(([reason, key]) => {
    const found = sums.get(reason);
    return found ? [h("li", {}, `${t("rest.lines", said(found.n, found.sum))} – ${t(key)}`)] : [];
  });
  return h(
    "section",
    { class: "uncompared" },
    h("h3", {}, t("rest.title", said(summary.uncompared, summary.unchecked))),
    h("ul", { class: "notes" }, ...reasons),
    free ? h("p", { class: "small" }, t("rest.free", { n: free })) : null,
  );
}

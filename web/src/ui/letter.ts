/** The letter of complaint on the page: each disputed line is named by its hash, so that both sides mean the same one. */

import { printable } from "../chain/errors";
import { currentLanguage, t } from "../i18n";
import { letter } from "../matching/letter";
import { type Invoice, isFinding, type MatchResult, type Told } from "../matching/types";
import { hasTax } from "../matching/wording";
import type { Bundle } from "../protocol/documents";
import type { PriceFinding } from "../tariff/bill";
import type { Report } from "../verify";
import { append, details, fill, h, newId } from "./dom";
import { money } from "./format";
import { findingWords } from "./prices";

/** `result`: null where no phone's log was given; `prices`: what costs too much, above what is disputed already. */
export function letterText(
  report: Report,
  bundle: Bundle,
  invoice: Invoice,
  result: (MatchResult & Told) | null,
  prices: readonly PriceFinding[] = [],
): string {
  const { chainId, ledger, operatorId, period, region, sequence } = bundle.batch;
  const operator = report.identity?.name ? { operator: printable(report.identity.name, 200) } : {};
  const disputed = result?.lines.filter(isFinding).map(({ index }) => index) ?? [];
  const body = letter(currentLanguage(), result ?? { lines: [], summary: { stake: "0" } }, invoice, {
    ...operator,
    customer: printable(bundle.account.accountId, 256),
    invoiceNumber: `${period}/${region}-${sequence}`,
    writtenAt: Math.floor(Date.now() / 1000),
    claims: claims(bundle, invoice, prices, disputed.length > 0),
  });
  const names = t("letter.names", {
    chain: chainId,
    ledger,
    operator: operatorId,
    period,
    batch: `${region}-${sequence}`,
    account: bundle.statement.account,
  });
  const named = new Set([...disputed, ...prices.flatMap(({ index }) => (index === null ? [] : [index]))]);
  const hashes = [...named].map((index) =>
    t("letter.hash", { line: String(index + 1), hash: bundle.records[index]!.hash }),
  );
  return `${body.trimEnd()}\n\n--\n${names}\n${hashes.join("\n")}\n`;
}

function claims(bundle: Bundle, invoice: Invoice, prices: readonly PriceFinding[], besides: boolean): string[] {
  if (!prices.length) return [];
  const gross = money(prices.reduce((all, { stake }) => all + stake, 0n), bundle.statement.currency);
  const sum = hasTax(invoice) ? t("letter.net", { money: gross }) : gross;
  const dearest = [...prices].sort((a, b) => (a.stake === b.stake ? 0 : a.stake > b.stake ? -1 : 1));
  const lines = dearest.map((found, at) => {
    const place = found.index === null ? "" : `${t("col.number")} ${found.index + 1}${t("colon")}`;
    const already = found.already ? ` ${t("letter.already", { money: money(found.already, bundle.statement.currency) })}` : "";
    return `${at + 1}. ${place}${findingWords(bundle, found)}${already}`;
  });
  return [t(besides ? "letter.prices" : "letter.priceOnly"), "", ...lines, "", t(besides ? "letter.pricesSum" : "letter.priceRequest", { money: sum })];
}

/** What the reader made of a bill's letter, by the root of its lines, and what it was made from; in memory only. */
export type Drafts = Map<string, { text: string; from: string }>;

/** `text`: the letter as the page writes it. What the reader has changed stays, and can be written again. */
export function letterBox(text: string, { batch, statement }: Bundle, drafts: Drafts): HTMLDetailsElement {
  const id = newId();
  const key = statement.recordsRoot;
  const area = h("textarea", { id, rows: 18, spellcheck: "false", "aria-label": t("letter.title") });
  const printed = h("pre", { class: "print-only" });
  const kept = h("p", { class: "small", role: "status" });
  const anew = h("button", { type: "button", class: "quiet" }, t("letter.again"));
  const show = (): void => {
    const draft = drafts.get(key);
    printed.textContent = draft?.text ?? text;
    anew.hidden = !draft;
    fill(kept, draft && draft.from !== text ? t("letter.kept") : null);
  };
  area.addEventListener("input", () => {
    if (area.value === text) drafts.delete(key);
    else drafts.set(key, { text: area.value, from: drafts.get(key)?.from ?? text });
    show();
  });
  anew.addEventListener("click", () => {
    drafts.delete(key);
    area.value = text;
    show();
    area.focus(); // the button is gone
  });
  area.value = drafts.get(key)?.text ?? text;
  show();
  const copied = h("span", { role: "status" });
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(area.value);
    } catch {
      area.select();
      document.execCommand("copy");
    }
    fill(copied, ` ${t("letter.copied")}`);
  };
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([area.value], { type: "text/plain" }));
    h("a", { href: url, download: `letter-${batch.period}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  const box = details(t("letter.title"));
  box.className = "letter";
  box.open = drafts.has(key);
  append(box, [
    h("p", { class: "small no-print" }, t("letter.hint")),
    area,
    printed,
    h("div", { class: "no-print" }, kept),
    h(
      "div",
      { class: "row no-print" },
      h("button", { type: "button", onclick: () => void copy() }, t("letter.copy")),
      h("button", { type: "button", class: "quiet", onclick: save }, t("letter.save")),
      anew,
      copied,
    ),
  ]);
  return box;
}

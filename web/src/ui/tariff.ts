/** A bill priced again by its tariff: what it says, line by line, and the file that is wanted until it is there. */

import { printable } from "../chain/errors";
import { hasKey, t } from "../i18n";
import { hasTax } from "../matching/wording";
import type { Bundle, BundleLine } from "../protocol/documents";
import { priceFindings, type TariffFile } from "../tariff/bill";
import type { Verdict } from "../tariff/check";
import { namesTariff } from "../tariff/publication";
import { TOTAL } from "../tariff/types";
import type { Report } from "../verify";
import { fill, h, newId } from "./dom";
import { dropZone } from "./drop";
import { money, roundMoney } from "./format";
import { type Drafts, letterBox, letterText } from "./letter";
import { linesTable, type Remark } from "./lines";
import { invoiceOf } from "./match";
import { missingWords, type PriceCheck, verdictWords } from "./prices";

const ACCEPT = ".toml,.json";

export interface TariffActions {
  takeFiles(files: File[]): void;
  /** Asks the server that this page came from for the tariff; null for a page from disk. Gives whether it was there. */
  fetchTariff: ((hash: string) => Promise<boolean>) | null;
}

/** null where the bill names no tariff and none was given. `drafts`: of the letter, which belongs here as long as no phone's log was given; else null. */
export function tariffCard(report: Report, files: readonly TariffFile[], check: PriceCheck | null, actions: TariffActions, drafts: Drafts | null): HTMLElement | null {
  const bundle = report.document as Bundle;
  if (!namesTariff(bundle.statement.tariff) && !files.length) return null;
  const heading = newId();
  const refused = files.filter((file) => file !== check?.file).map((file) => refusal(bundle, file)).filter((text) => text !== null);
  return h(
    "section",
    { class: "card tariff", "aria-labelledby": heading },
    h("h2", { id: heading }, t("tariff.title")),
    refused.length ? h("ul", { class: "notes" }, ...refused.map((text) => h("li", { class: "invalid" }, text))) : null,
    ...(check ? outcome(report, bundle, check, drafts) : wanted(bundle, actions)),
  );
}

/** Why a file was not used; null where it only lost to another. */
function refusal({ statement }: Bundle, { name, hash, tariff, fault }: TariffFile): string | null {
  const file = printable(name, 80);
  if (fault) {
    const key = `fault.${fault.kind}`;
    return t("tariff.broken", { file, why: hasKey(key) ? t(key, { place: printable(fault.place || fault.detail, 200) }) : "" });
  }
  if (namesTariff(statement.tariff) && hash !== statement.tariff) return t("tariff.wrong", { file });
  return tariff && tariff.currency !== statement.currency ? t("tariff.currency", { file, currency: tariff.currency }) : null;
}

function wanted({ statement }: Bundle, { takeFiles, fetchTariff }: TariffActions): HTMLElement[] {
  const status = h("p", { role: "status", "aria-live": "polite" });
  const ask = async (): Promise<void> => {
    fill(status, t("tariff.fetching"));
    if (!(await fetchTariff!(statement.tariff))) fill(status, t("tariff.fetchFailed"));
  };
  const button = fetchTariff && namesTariff(statement.tariff)
    ? [h("button", { type: "button", class: "quiet", onclick: () => void ask() }, t("tariff.fetch"))]
    : [];
  const words = { title: t("tariff.lead"), hint: t("tariff.hint"), button: t("tariff.choose") };
  return [dropZone(words, ACCEPT, takeFiles, ...button), status];
}

function outcome(report: Report, bundle: Bundle, check: PriceCheck, drafts: Drafts | null): HTMLElement[] {
  const { currency } = bundle.statement;
  const invoice = invoiceOf(bundle);
  const found = priceFindings(bundle, check.tariff, check.checked);
  const tooMuch = found.reduce((sum, { stake }) => sum + stake, 0n);
  const priced = check.checked.records.filter(({ status }) => status === "right" || status === "wrong" || status === "no rate").length;
  const [headline, level, mark] = found.length
    ? [t("tariff.some", { n: found.length }), "invalid", "!"]
    : priced
      ? [t("tariff.right"), "valid", "✓"]
      : [t("tariff.nothing"), "cannot-check", "?"];
  const banner = h(
    "header",
    { class: `verdict ${level}` },
    h("span", { class: "mark", "aria-hidden": "true" }, mark),
    h(
      "div",
      {},
      h("h3", {}, headline),
      found.length ? h("p", { class: "stake" }, t(hasTax(invoice) ? "tariff.tooMuchNet" : "tariff.tooMuch", { money: roundMoney(tooMuch, currency) })) : null,
      h("p", {}, t("tariff.counted", { n: priced })),
    ),
  );
  const parts: HTMLElement[] = [h("div", { class: "outcome" }, banner), about(bundle, check), list(bundle, check)];
  if (drafts && found.length) parts.push(letterBox(letterText(report, bundle, invoice, null, found), bundle, drafts));
  return [h("div", { class: "matched" }, ...parts)];
}

/** Which file it was, and what the headline does not say. */
function about(bundle: Bundle, { tariff, checked }: PriceCheck): HTMLElement {
  const { currency } = bundle.statement;
  const words = { name: printable(tariff.name, 64), version: printable(tariff.version, 64) };
  const said = [t(namesTariff(bundle.statement.tariff) ? "tariff.named" : "tariff.unnamed", words)];
  const cheap = checked.records.filter(({ difference }) => difference < 0n);
  const owed = checked.missing.filter(({ due }) => due > 0n);
  const little = cheap.reduce((sum, { difference }) => sum - difference, 0n) + owed.reduce((sum, { due }) => sum + due, 0n);
  if (cheap.length + owed.length) said.push(t("tariff.tooLittle", { n: cheap.length + owed.length, money: roundMoney(little, currency) }));
  const same = checked.records.filter(({ status, difference }) => status === "wrong" && difference === 0n).length;
  if (same) said.push(t("tariff.agrees", { n: same }));
  const outside = checked.records.filter(({ status }) => status === "outside validity").length;
  if (outside) said.push(t("tariff.outside", { n: outside }));
  const none = checked.records.filter(({ status, index }) => status === "not priced" && Number(bundle.records[index]!.service) !== TOTAL);
  const sum = none.reduce((all, { index }) => all + BigInt(bundle.records[index]!.amount), 0n);
  if (none.length) said.push(t("tariff.notPriced", { n: none.length, money: roundMoney(sum, currency) }));
  if (tariff.allowances.some(({ rollover }) => rollover)) said.push(t("tariff.rollover"));
  for (const { name, due } of checked.missing) said.push(missingWords(bundle, name, due));
  return h("ul", { class: "notes" }, ...said.map((text) => h("li", {}, text)));
}

/** Every line with what it should cost; a filter shows what is too dear, money first. */
function list(bundle: Bundle, { tariff, checked }: PriceCheck): HTMLElement {
  const { currency } = bundle.statement;
  const verdicts = new Map<string, Verdict>(checked.records.map((verdict, at) => [bundle.records[at]!.index, verdict]));
  const remarks = new Map<number, Remark>();
  const dues = new Map<number, string>();
  for (const verdict of checked.records) {
    if (verdict.due !== null) dues.set(verdict.index, money(verdict.due, currency));
    if (!verdict.cause) continue;
    const grave = verdict.difference > 0n;
    remarks.set(verdict.index, { text: verdictWords(bundle, verdict, tariff.pricesIn), stake: grave ? money(verdict.difference, currency) : "", grave });
  }
  const differenceOf = ({ index }: BundleLine): bigint => verdicts.get(index)!.difference;
  const groups: [name: string, shown: (line: BundleLine) => boolean][] = [
    [t("tariff.findings"), (line) => differenceOf(line) > 0n],
    [t("tariff.favour"), (line) => differenceOf(line) < 0n],
    [t("match.all"), () => true],
  ];
  const counted = groups.map(([name, shown]): [name: string, lines: BundleLine[]] => [name, bundle.records.filter(shown)]).filter(([, lines]) => lines.length);
  const id = newId();
  const select = h("select", { id }, ...counted.map(([name, lines], at) => h("option", { value: at }, `${name} (${lines.length})`)));
  const place = h("div");
  const show = (): void => {
    const [name, lines] = counted[Number(select.value)]!;
    const sorted = name === t("match.all") ? lines : [...lines].sort((a, b) => compare(size(differenceOf(b)), size(differenceOf(a))) || Number(a.index) - Number(b.index));
    fill(place, linesTable(sorted, currency, t("tariff.lines"), remarks, dues));
  };
  select.addEventListener("change", show);
  show();
  return h("section", {}, h("p", { class: "filter no-print" }, h("label", { for: id }, t("match.filter"), " "), select), place);
}

const size = (value: bigint): bigint => (value < 0n ? -value : value);
const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

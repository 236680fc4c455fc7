/** The lines of a bill as a table: real rows and columns on wide screens, one block a line on phones. */

import { type Key, t } from "../i18n";
import type { BundleLine, ReceiptLine } from "../protocol/documents";
import { fill, h } from "./dom";
import { moment, money, partyOf, quantity, what } from "./format";
import { printable } from "../chain/errors";

export type AnyLine = BundleLine | ReceiptLine;

/** What is said beside a line: a finding, what is at stake. */
export interface Remark {
  text: string;
  stake: string;
  grave: boolean;
}

const CHUNK = 300;

/** `dues`: what each line should cost, in a column of its own. */
export function linesTable(lines: AnyLine[], currency: string, caption: string, remarks?: Map<number, Remark>, dues?: Map<number, string>): HTMLElement {
  const columns: Key[] = ["col.number", "col.when", "col.what", "col.used", "col.billed", "col.amount"];
  if (dues) columns.push("col.due");
  if ([...(remarks?.values() ?? [])].some(({ stake }) => stake)) columns.push("col.stake");
  const body = h("tbody");
  const head = h("tr", {}, ...columns.map((key) => h("th", { scope: "col", class: CLASSES[key] }, t(key))));
  const table = h("table", { class: columns.length > 7 ? "lines many" : "lines" }, h("caption", { class: "hidden" }, caption), h("thead", {}, head), body);
  const more = h("button", { type: "button", class: "quiet no-print" });
  let shown = 0;
  const show = (): void => {
    for (const line of lines.slice(shown, shown + CHUNK)) {
      const remark = remarks?.get(Number(line.index));
      body.append(row(line, currency, columns, remark, dues));
      if (remark) body.append(remarkRow(remark, columns.length));
    }
    shown = Math.min(lines.length, shown + CHUNK);
    const rest = Math.min(CHUNK, lines.length - shown);
    more.hidden = rest === 0;
    fill(more, t("bill.show", { n: rest }));
  };
  more.addEventListener("click", show);
  show();
  return h("div", { class: "table", role: "region", "aria-label": caption, tabindex: 0 }, table, more);
}

const CLASSES: Partial<Record<Key, string>> = { "col.amount": "number", "col.due": "number", "col.stake": "number", "col.number": "place" };

function row(line: AnyLine, currency: string, columns: Key[], remark?: Remark, dues?: Map<number, string>): HTMLElement {
  const party = line.number === undefined || line.number === null ? "" : partyOf(line.service, printable(line.number, 128));
  const texts: Record<string, string | Node> = {
    "col.number": (Number(line.index) + 1).toString(),
    "col.when": moment(line),
    "col.what": h("span", {}, what(line.service), party ? " " : "", party ? h("bdi", { class: "party" }, party) : null, rate(line.rate)),
    "col.used": quantity(line.service, line.usage),
    "col.billed": quantity(line.service, line.billedUsage),
    "col.amount": money(line.amount, currency),
    "col.due": dues?.get(Number(line.index)) ?? "",
    "col.stake": remark?.stake ?? "",
  };
  const cells = columns.map((key) => h("td", { class: CLASSES[key], "data-label": t(key) }, texts[key]!));
  return h("tr", { class: looks("line", remark) }, ...cells);
}

/** What is said of a line, below it and as wide as the table. */
function remarkRow(remark: Remark, columns: number): HTMLElement {
  return h("tr", { class: looks("remark", remark) }, h("td"), h("td", { colspan: columns - 1 }, remark.text));
}

function looks(kind: string, remark?: Remark): string {
  return [kind, remark && "remarked", remark?.grave && "grave"].filter(Boolean).join(" ");
}

function rate(text: string): HTMLElement | null {
  return text ? h("small", {}, printable(text, 512)) : null;
}

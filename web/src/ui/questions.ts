/** What only the reader can tell: lines to numbers that no log knows, to be answered number by number, here and nowhere else. */

import { printable } from "../chain/errors";
import { t } from "../i18n";
import type { Answer } from "../matching/answers";
import { isQuestion, kindOf, type MatchResult } from "../matching/types";
import { listOf } from "../matching/wording";
import type { Bundle, BundleLine } from "../protocol/documents";
import { append, h, newId } from "./dom";
import { moment, money, partyOf, quantity, roundMoney, what } from "./format";

/** Answers by a line's hash, so that they outlast whatever is checked or drawn anew; kept in memory only. */
export type Answers = Map<string, Answer>;

const MOST_LINES = 6;
const CHUNK = 20;

/** null when there is nothing to ask. `elsewhere`: lines whose number the phone's other list knows. `changed` is called after each answer. */
export function questions(bundle: Bundle, result: MatchResult, elsewhere: ReadonlySet<number>, answers: Answers, changed: () => void): HTMLElement | null {
  const groups = openQuestions(bundle, result);
  if (!groups.length) return null;
  const { currency } = bundle.statement;
  const heading = newId();
  const list = h("div");
  const more = h("button", { type: "button", class: "quiet no-print" });
  let shown = 0;
  const show = (): void => {
    append(list, groups.slice(shown, shown + CHUNK).map((lines) => question(lines, currency, elsewhere, answers, changed)));
    shown = Math.min(groups.length, shown + CHUNK);
    more.hidden = shown === groups.length;
    more.textContent = t("ask.more", { n: Math.min(CHUNK, groups.length - shown) });
  };
  more.addEventListener("click", () => {
    const first = list.children.length;
    show();
    list.children[first]?.querySelector("input")?.focus(); // the button may be gone
  });
  show();
  return h(
    "section",
    { class: "questions", "aria-labelledby": heading },
    h("h3", { id: heading }, t("ask.title", { n: groups.length })),
    h("p", { class: "small" }, t("ask.why", { money: roundMoney(sumOf(groups.flat()), currency) })),
    list,
    more,
  );
}

/** The lines that are still to be answered for, question by question. */
export function openQuestions(bundle: Bundle, result: MatchResult): BundleLine[][] {
  return groupsOf(result.lines.filter(isQuestion).map(({ index }) => bundle.records[index]!));
}

function sumOf(lines: readonly BundleLine[]): bigint {
  return lines.reduce((sum, { amount }) => sum + (BigInt(amount) > 0n ? BigInt(amount) : 0n), 0n);
}

/** Lines to one number are one question; what is hidden or masked may be several people's. The dearest come first. */
function groupsOf(lines: readonly BundleLine[]): BundleLine[][] {
  const groups = new Map<string, BundleLine[]>();
  for (const line of lines) {
    const whole = /^[+\d\s()./-]*\d[\d\s()./-]*$/.test(line.number);
    const key = whole ? `number ${line.number}` : `line ${line.index}`;
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  const cost = new Map([...groups.values()].map((group) => [group, sumOf(group)]));
  return [...groups.values()].sort((a, b) => Number(cost.get(b)! - cost.get(a)!) || Number(a[0]!.index) - Number(b[0]!.index));
}

function question(lines: readonly BundleLine[], currency: string, elsewhere: ReadonlySet<number>, answers: Answers, changed: () => void): HTMLElement {
  const number = printable(lines[0]!.number, 128);
  const group = newId();
  const choice = (answer: Answer, words: string): HTMLElement => {
    const id = newId();
    const input = h("input", { type: "radio", id, name: group, checked: lines.every(({ hash }) => answers.get(hash) === answer) });
    input.addEventListener("change", () => {
      for (const { hash } of lines) answers.set(hash, answer);
      changed();
    });
    return h("label", { for: id, class: "choice" }, input, words);
  };
  const rest = lines.length - MOST_LINES;
  return h(
    "fieldset",
    {},
    h(
      "legend",
      {},
      number ? h("bdi", { class: "party" }, number) : t("ask.hidden"),
      ` – ${t("ask.lines", { n: lines.length, money: roundMoney(sumOf(lines), currency) })}`,
    ),
    number ? h("p", { class: "small" }, t(unlistedWords(lines, elsewhere))) : null,
    h(
      "ul",
      {},
      ...lines.slice(0, MOST_LINES).map((line) => h("li", {}, lineWords(line, currency))),
      rest > 0 ? h("li", {}, t("problem.more", { n: rest })) : null,
    ),
    h("div", { class: "row no-print" }, choice("known", t("ask.known")), choice("never", t(neverWords(lines)))),
  );
}

function lineWords(line: BundleLine, currency: string): string {
  const { index, service, usage, number, amount } = line;
  return t("ask.line", {
    line: String(Number(index) + 1),
    what: [moment(line), `${what(service)} ${partyOf(service, printable(number, 128))}`.trimEnd(), quantity(service, usage)].filter(Boolean).join(", "),
    money: money(amount, currency),
  });
}

/** Which of the phone's lists has nothing with the number. */
function unlistedWords(lines: readonly BundleLine[], elsewhere: ReadonlySet<number>): "ask.noCalls" | "ask.noCallsOnly" | "ask.noMessages" | "ask.noMessagesOnly" | "ask.noEither" {
  const lists = new Set(lines.map(({ service }) => listOf(kindOf(Number(service)))));
  if (lists.size > 1) return "ask.noEither";
  const only = lines.some(({ index }) => elsewhere.has(Number(index)));
  if (lists.has("calls")) return only ? "ask.noCallsOnly" : "ask.noCalls";
  return only ? "ask.noMessagesOnly" : "ask.noMessages";
}

/** What it means to deny these lines. */
function neverWords(lines: readonly BundleLine[]): "ask.neverCalled" | "ask.neverWrote" | "ask.notMine" {
  if (lines.every(({ service }) => service === "1")) return "ask.neverCalled";
  return lines.every(({ service }) => service === "4" || service === "7") ? "ask.neverWrote" : "ask.notMine";
}

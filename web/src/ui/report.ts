/** A bill's verdict: the headline, check by check, what helps, technical details, the lines. */

import { t } from "../i18n";
import { isBundle } from "../protocol/documents";
import { lineOfProblem } from "../protocol/inclusion";
import { namesTariff } from "../tariff/publication";
import { type Report, type Step, type StepName, type Verdict, verdictOf } from "../verify";
import type { Pin } from "../chain/identity";
import { printable } from "../chain/errors";
import { details, h, newId } from "./dom";
import { moment, money, month } from "./format";
import { linesTable, type Remark } from "./lines";
import { ofReceipt, problemWords, publicationWords, stepWords, summary } from "./words";

const ORDER: StepName[] = ["file", "page", "inclusion", "anchoring", "identity"];
const MARKS: Record<Verdict, string> = { valid: "✓", invalid: "✗", unusable: "✗", "not-anchored": "…", "cannot-check": "?" };
const MOST_PROBLEMS = 12;

export interface Actions {
  pin(pin: Pin): void;
  useNode(url: string): void;
  node: string;
}

export function reportCard(report: Report, actions: Actions, digestNote: "theCode" | "notTheCode" | null): HTMLElement {
  const verdict = verdictOf(report);
  const title = newId();
  const heading = h("h2", { id: title, tabindex: -1 }, t(ofReceipt(`verdict.${verdict}`, report)));
  const banner = h(
    "header",
    { class: "verdict" },
    h("span", { class: "mark", "aria-hidden": "true" }, MARKS[verdict]),
    h("div", {}, heading, h("p", {}, summary(report, verdict)), h("p", { class: "file" }, printable(report.file, 120))),
  );
  return h(
    "article",
    { class: `card result ${verdict}`, "aria-labelledby": title },
    banner,
    h("ol", { class: "checks" }, ...ORDER.filter((name) => name !== "page" || report.steps.some((step) => step.name === name)).map((name) => check(report, name))),
    notes(report, digestNote),
    help(report, actions),
    facts(report),
    bill(report),
  );
}

function check(report: Report, name: StepName): HTMLElement {
  const steps = report.steps.filter((step) => step.name === name);
  const step = steps.find(({ verdict }) => verdict !== "valid") ?? steps[0];
  const verdict = step?.verdict ?? "skipped";
  const mark = step ? MARKS[step.verdict] : "–";
  // Nobody could be asked for the root, but the lines were recomputed.
  const waiting = name === "inclusion" && report.steps.some((other) => other.name === "anchoring");
  return h(
    "li",
    { class: verdict },
    h("span", { class: "mark", "aria-hidden": "true" }, mark),
    h(
      "div",
      {},
      h("h3", {}, t(`check.${name}`), step ? h("span", { class: "hidden" }, `${t("colon")}${t(`mark.${step.verdict}`)}`) : null),
      h("p", {}, step ? stepWords(step, report) : t(waiting ? "mark.waiting" : skipped(report))),
      step ? problems(step, report) : null,
    ),
  );
}

/** Why a check was left out: the check that keeps it from being made. */
function skipped(report: Report): "mark.skipped.file" | "mark.skipped.inclusion" | "mark.skipped.anchoring" {
  const failed = (name: StepName): boolean => report.steps.some((step) => step.name === name && step.verdict !== "valid");
  if (failed("file")) return "mark.skipped.file";
  return failed("inclusion") ? "mark.skipped.inclusion" : "mark.skipped.anchoring";
}

function problems(step: Step, report: Report): HTMLElement | null {
  if (!step.problems.length) return null;
  const currency = report.document!.statement.currency;
  const said = step.problems.slice(0, MOST_PROBLEMS).map((problem) => h("li", {}, problemWords(problem, currency)));
  const rest = step.problems.length - said.length;
  return h("ul", { class: "problems" }, ...said, rest > 0 ? h("li", {}, t("problem.more", { n: rest })) : null);
}

function notes(report: Report, digestNote: "theCode" | "notTheCode" | null): HTMLElement | null {
  const said = report.notes.map(({ code, words }) => {
    const n = words.count ?? 0;
    return t(`note.${code}`, { ...words, n });
  });
  const published = publicationWords(report);
  if (published) said.push(published);
  if (digestNote) said.unshift(t(`note.${digestNote}`));
  return said.length ? h("ul", { class: "notes" }, ...said.map((text) => h("li", {}, text))) : null;
}

/** What the reader can do about an open check. */
function help(report: Report, actions: Actions): HTMLElement | null {
  const bad = report.steps.filter((step) => step.verdict !== "valid");
  const asks = bad.find((step) => step.name === "anchoring" && (step.code.startsWith("chain.") || step.code === "operatorOnly"));
  const who = bad.find((step) => step.name === "identity" && step.code.startsWith("id."));
  const parts = [
    asks ? nodeForm(actions) : null,
    who && who.code !== "id.others" ? pinForm(report, actions) : null,
  ].filter((part) => part !== null);
  return parts.length ? h("div", { class: "help no-print" }, ...parts) : null;
}

export function nodeForm(actions: Pick<Actions, "useNode" | "node">): HTMLElement {
  const input = newId();
  const field = h("input", { id: input, type: "url", value: actions.node, placeholder: "https://…", autocomplete: "off", spellcheck: "false" });
  const form = h(
    "form",
    {},
    h("p", { class: "small" }, t("node.help")),
    h("label", { for: input }, t("node.label")),
    h("div", { class: "row" }, field, h("button", {}, t("node.use"))),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    actions.useNode(field.value.trim());
  });
  return h("section", {}, h("h3", {}, t("node.title")), form);
}

function pinForm(report: Report, actions: Actions): HTMLElement {
  const { chainId, ledger, operatorId } = report.document!.batch;
  const input = newId();
  const field = h("input", { id: input, type: "text", required: true, maxlength: 80, value: "", autocomplete: "organization" });
  const form = h(
    "form",
    {},
    h("p", {}, t("pin.help")),
    list([
      [t("details.chain"), chainId],
      [t("details.ledger"), ledger],
      [t("details.operator"), operatorId],
    ]),
    h("label", { for: input }, t("pin.name")),
    h("div", { class: "row" }, field, h("button", {}, t("pin.save"))),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    actions.pin({ chainId, ledger, operatorId, name: field.value.trim() });
  });
  return h("section", {}, h("h3", {}, t("pin.title")), form);
}

function facts(report: Report): HTMLElement | null {
  const { document, inclusion, answer } = report;
  if (!document || !inclusion) return null;
  const { chainId, ledger, operatorId, period, region, sequence } = document.batch;
  const rows: [string, string][] = [
    [t("details.chain"), chainId],
    [t("details.ledger"), ledger],
    [t("details.operator"), operatorId],
    [t("details.batch"), `${period}, ${region}-${sequence}`],
    [t("details.root"), inclusion.root],
    [t("details.account"), inclusion.account],
    [t("details.statement"), inclusion.statement],
    [t("details.tariff"), namesTariff(document.statement.tariff) ? document.statement.tariff : t("details.noTariff")],
  ];
  if (answer) {
    rows.push([t("details.block"), `${answer.state.blockNumber} (${new Date(answer.state.anchoredAt * 1000).toISOString()})`]);
    rows.push([t("details.final"), `${answer.block.number} (${answer.answeredBy.join(", ")})`]);
    if (answer.failed.length) rows.push([t("details.failed"), answer.failed.map(({ message }) => message).join("; ")]);
  }
  return details(t("details.title"), list(rows));
}

function list(rows: [string, string][]): HTMLElement {
  return h("dl", {}, ...rows.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text))));
}

function bill(report: Report): HTMLElement | null {
  const { document } = report;
  if (!document) return null;
  const { currency } = document.statement;
  const lines = isBundle(document) ? document.records : [document.record];
  const rows: [string, string][] = [[t("bill.period"), month(document.batch.period)]];
  if (isBundle(document)) {
    rows.push([t("bill.account"), printable(document.account.accountId, 256)]);
    rows.push([t("bill.total"), money(document.statement.total, currency)]);
  } else rows.push([t("col.when"), moment(document.record)]);
  const remarks = new Map<number, Remark>();
  for (const { problems: found } of report.steps)
    for (const problem of found)
      if (problem.line !== null) {
        const { index } = isBundle(document) ? lineOfProblem(document, problem.line) : document.record;
        const before = remarks.get(Number(index));
        const text = problemWords(problem, currency);
        remarks.set(Number(index), { text: before ? `${before.text} ${text}` : text, stake: "", grave: true });
      }
  const heading = t(ofReceipt("bill.title", report));
  const table = linesTable(lines, currency, heading, remarks);
  const title = t("bill.lines", { n: lines.length });
  const folded = details(title, table);
  folded.open = remarks.size > 0 || lines.length <= 20;
  return h("section", { class: "bill" }, h("h3", {}, heading), list(rows), folded);
}

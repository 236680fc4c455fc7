/** A bill laid against phone logs: findings first, the picture, the lines, the letter. */

import { printable } from "../chain/errors";
import { type PhoneLog, PhoneLogError, readPhoneLog } from "../handset";
import { currentLanguage, hasKey, t } from "../i18n";
import { match } from "../matching";
import { timeline } from "../matching/timeline";
import { answered } from "../matching/answers";
import { type Invoice, type InvoiceLine, isFinding, isQuestion, type LineClass, type LineResult, type MatchResult, type Told } from "../matching/types";
import { elsewhereOf } from "../matching/telling";
import { hasTax, sentence, title } from "../matching/wording";
import type { Bundle } from "../protocol/documents";
import type { Report } from "../verify";
import { priceFindings, type PriceFinding } from "../tariff/bill";
import { details, fill, h, newId } from "./dom";
import { dropZone } from "./drop";
import { money, roundMoney, span } from "./format";
import { type Drafts, letterBox, letterText } from "./letter";
import { linesTable, type Remark } from "./lines";
import { findingWords, type PriceCheck } from "./prices";
import { type Answers, openQuestions, questions } from "./questions";
import { uncompared } from "./uncompared";

const ACCEPT = ".xml,.csv,.storedata,.html,.htm,.zip,.db,.sqlite,.txt";

export interface MatchHooks {
  /** Called after logs were laid beside the bill here. */
  compared(): void;
  /** Called after the last log was taken away. */
  emptied(): void;
}

/** What the reader has said so far. */
export interface Said {
  answers: Answers;
  drafts: Drafts;
}

/** `logs` and `said` stay while the page is open, whatever is checked anew. `check`: the bill by its tariff. */
export function matchCard(report: Report, logs: PhoneLog[], said: Said, check: PriceCheck | null, hooks: MatchHooks): HTMLElement {
  const heading = newId();
  const status = h("p", { role: "status", "aria-live": "polite" });
  const result = h("div");
  const words = { title: t("match.lead"), hint: t("match.hint"), button: t("match.choose") };
  const remove = (log: PhoneLog): void => {
    logs.splice(logs.indexOf(log), 1);
    if (!logs.length) return hooks.emptied();
    show([]);
    zone.querySelector("button")?.focus(); // the button that was pressed is gone
  };
  const show = (failures: HTMLElement[]): void => {
    const shown = logs.length ? outcome(report, logs, said, check, status, remove) : null;
    if (!shown) fill(status);
    fill(result, failures.length ? h("ul", { class: "notes" }, ...failures) : null, shown);
  };
  const take = async (files: File[]): Promise<void> => {
    status.classList.remove("hidden");
    fill(status, t("match.working"));
    const failures: HTMLElement[] = [];
    for (const file of files) {
      const content = new Uint8Array(await file.arrayBuffer());
      try {
        addLog(logs, await readPhoneLog(file.name, content));
      } catch (error) {
        failures.push(h("li", { class: "invalid" }, t("match.failed", { file: printable(file.name, 80), detail: whyUnread(error, file.name, content) })));
      }
    }
    await new Promise((resolve) => setTimeout(resolve)); // lets the words above be painted
    show(failures);
    if (logs.length) hooks.compared();
  };
  const zone = dropZone(words, ACCEPT, (files) => void take(files));
  if (logs.length) show([]);
  return h("section", { class: "card match", "aria-labelledby": heading }, h("h2", { id: heading }, t("match.title")), zone, status, result);
}

/** Puts a log in the place of one of the same name, or behind the others. */
export function addLog(logs: PhoneLog[], log: PhoneLog): void {
  const again = logs.findIndex(({ name }) => name === log.name);
  logs.splice(again < 0 ? logs.length : again, 1, log);
}

/** English has the reader's own details, other languages what the kind of error is called. */
function whyUnread(error: unknown, file: string, content: Uint8Array): string {
  if (!(error instanceof PhoneLogError)) return t("log.unknown");
  if (error.code === "malformed" && isCut(content)) return t("log.cut");
  const key = `log.${error.code}`;
  if (currentLanguage() !== "en") return t(hasKey(key) ? key : "log.unknown");
  const { detail } = error;
  return printable(detail.startsWith(file) ? detail.slice(file.length).replace(/^[:/ ]+/, "") : detail, 200);
}

/** Whether a file with markup ends before the element does that holds all others. */
function isCut(content: Uint8Array): boolean {
  const text = new TextDecoder().decode(content);
  const root = /<([A-Za-z_][\w.-]*)[\s>]/.exec(text)?.[1];
  return root !== undefined && !text.trimEnd().endsWith(`</${root}>`) && !text.trimEnd().endsWith("/>");
}

/** A bundle as the matcher takes it. */
export function invoiceOf(bundle: Bundle): Invoice {
  const lines = bundle.records.map((record): InvoiceLine => ({
    index: Number(record.index),
    service: Number(record.service),
    startedAt: Number(record.startedAt),
    utcOffset: Number(record.utcOffset),
    usage: Number(record.usage),
    billedUsage: Number(record.billedUsage),
    number: record.number,
    amount: BigInt(record.amount),
    rate: record.rate,
    corrects: record.corrects,
  }));
  return { period: Number(bundle.batch.period), currency: bundle.statement.currency, lines };
}

function outcome(report: Report, logs: PhoneLog[], { answers, drafts }: Said, check: PriceCheck | null, status: HTMLElement, remove: (log: PhoneLog) => void): HTMLElement {
  const bundle = report.document as Bundle;
  const invoice = invoiceOf(bundle);
  const found = match(invoice, logs);
  const elsewhere = elsewhereOf(found, invoice, logs);
  const place = h("div", { class: "outcome" });
  const rest = h("div", { class: "matched" });
  // Answers change what is at stake, and with it everything but the questions, where the reader is just then.
  const show = (): void => {
    const result: MatchResult & Told = { ...answered(found, invoice, (index) => answers.get(bundle.records[index]!.hash)), elsewhere };
    // A log that is not of this bill disputes nothing; prices stay what they are.
    const disputing = isForeign(result) ? null : result;
    const disputed = new Map(disputing?.lines.filter(isFinding).map(({ index, stake }) => [index, BigInt(stake)]));
    const prices = check ? priceFindings(bundle, check.tariff, check.checked, disputed) : [];
    const besides = prices.filter(({ index }) => index === null || !disputed.has(index)).length;
    const dispute = {
      findings: disputed.size + besides,
      stake: [...disputed.values(), ...prices.map(({ stake }) => stake)].reduce((all, stake) => all + stake, 0n),
    };
    const [headline, banner] = bannerOf(bundle, invoice, result, dispute);
    const said = dispute.findings ? `${headline}, ${roundMoney(dispute.stake, invoice.currency)}` : headline;
    fill(status, t("verdict.short", { verdict: said }));
    const wanted = rest.querySelector<HTMLSelectElement>(".filter select")?.value;
    const open = rest.querySelector<HTMLDetailsElement>(".letter")?.open ?? false;
    const claimed = prices.filter(({ stake }) => stake > 0n);
    const letter = dispute.findings ? letterBox(letterText(report, bundle, invoice, disputing, claimed), bundle, drafts) : null;
    if (letter) letter.open ||= open;
    fill(place, banner);
    fill(rest, list(bundle, invoice, result, prices, check !== null, wanted), picture(invoice, result, logs), letter, phoneOnly(result));
  };
  status.classList.add("hidden");
  show();
  return h(
    "div",
    { class: "matched" },
    place,
    questions(bundle, found, elsewhere, answers, show),
    uncompared(invoice, found),
    aboutLogs(found, logs, remove),
    rest,
    h("p", { class: "no-print" }, h("button", { type: "button", class: "quiet", onclick: () => window.print() }, t("match.print"))),
  );
}

function sumOf({ lines }: Invoice, indexes: readonly number[]): bigint {
  const wanted = new Set(indexes);
  return lines.reduce((sum, { index, amount }) => sum + (wanted.has(index) && amount > 0n ? amount : 0n), 0n);
}

function isForeign(result: MatchResult): boolean {
  return result.lines.some(({ reason }) => reason === "foreign");
}

/** How many lines phone and tariff dispute together, and for how much. */
interface Dispute {
  findings: number;
  stake: bigint;
}

/**
 * What is said first, and how: the headline, what is at stake, what is still to be answered, what the phone confirms.
 */
function bannerOf(bundle: Bundle, invoice: Invoice, result: MatchResult, { findings, stake }: Dispute): [headline: string, banner: HTMLElement] {
  const { questions: asked, asked: sum } = result.summary;
  const { confirmed, mostConfirmed } = result.summary;
  const words = { n: confirmed, all: invoice.lines.length };
  // What a log bears out in part, such as a call that is billed too long, was compared as well.
  const compared = result.lines.some(({ entry }) => entry !== null);
  const known = result.lines.filter(({ reason }) => reason === "recalled").map(({ index }) => index);
  const foreign = isForeign(result);
  const [headline, level, mark] = foreign
    ? [t("match.foreign"), "cannot-check", "?"]
    : findings
      ? [t("match.some", { n: findings }), "invalid", "!"]
      : asked
        ? [t("ask.title", { n: openQuestions(bundle, result).length }), "cannot-check", "?"]
        : !compared && !known.length
          ? [t("match.nothing"), "cannot-check", "?"]
          : mostConfirmed
            ? [t("match.none", words), "valid", "✓"]
            : [t("match.few", words), "cannot-check", "?"];
  const counted = !foreign && !findings && !asked && (compared || known.length);
  const { uncompared: rest, unchecked } = result.summary;
  const key = hasTax(invoice) ? "match.atStakeNet" : "match.atStake";
  const banner = h(
    "header",
    { class: `verdict ${level}` },
    h("span", { class: "mark", "aria-hidden": "true" }, mark),
    h(
      "div",
      {},
      h("h3", {}, headline),
      findings ? h("p", { class: "stake" }, t(key, { money: roundMoney(stake, invoice.currency) })) : null,
      findings && asked ? h("p", {}, t("match.asked", { n: asked, money: roundMoney(sum, invoice.currency) })) : null,
      counted ? null : h("p", {}, t("match.confirmed", words)),
      known.length ? h("p", {}, t("match.known", { n: known.length, money: roundMoney(sumOf(invoice, known), invoice.currency) })) : null,
      rest && !foreign ? h("p", {}, t("match.rest", { n: rest, money: roundMoney(unchecked, invoice.currency) })) : null,
    ),
  );
  return [headline, banner];
}

function aboutLogs(result: MatchResult, logs: PhoneLog[], remove: (log: PhoneLog) => void): HTMLElement {
  const said = result.logs.map(({ name, entries, clock }, at) => {
    const rejects = logs[at]!.rejects.length;
    const parts = [t("match.read", { file: printable(name, 80), n: entries })];
    if (rejects) parts.push(t("match.rejects", { n: rejects }));
    if (!clock.known) parts.push(t("match.noClock"));
    else if (clock.offset) parts.push(t("match.clock", { span: span(clock.offset) }));
    const label = t("match.removeLog", { file: printable(name, 80) });
    const button = h("button", { type: "button", class: "quiet no-print", "aria-label": label, onclick: () => remove(logs[at]!) }, t("match.remove"));
    return h("li", {}, parts.join(". "), " ", button);
  });
  return h("ul", { class: "notes logs", "aria-label": t("match.given") }, ...said);
}

/** The lines with what became of them; a filter shows one class, findings at first, or what the reader last chose. */
function list(bundle: Bundle, invoice: Invoice, result: MatchResult & Told, prices: readonly PriceFinding[], checked: boolean, chosen?: string): HTMLElement {
  const { classes } = result.summary;
  const dear = new Map(prices.flatMap((found) => (found.index === null ? [] : [[found.index, found] as const])));
  const classOf = new Map(result.lines.map((line) => [line.index, line]));
  const language = currentLanguage();
  const remarks = new Map<number, Remark>();
  for (const line of result.lines) {
    if (line.class === "matched" && line.reason === "paired") continue; // nothing more to say
    const grave = isFinding(line);
    const sure = grave && line.confidence !== null ? ` (${t("match.sure", { n: line.confidence })})` : "";
    const stake = line.stake === "0" ? "" : money(line.stake, invoice.currency);
    remarks.set(line.index, { text: sentence(language, result, line, invoice) + sure, stake, grave });
  }
  for (const [index, found] of dear) {
    const before = remarks.get(index);
    const words = findingWords(bundle, found);
    const already = t("tariff.disputed", { money: money(found.already, invoice.currency) });
    const text = found.already ? `${words} (${already})` : words;
    const sum = BigInt(classOf.get(index)!.stake) + found.stake;
    const stake = sum ? money(sum, invoice.currency) : "";
    remarks.set(index, { text: before ? `${before.text} ${text}` : text, stake, grave: true });
  }
  const absent = prices.filter(({ index }) => index === null);
  const isKnown = ({ reason }: LineResult): boolean => reason === "recalled";
  const isShown = (line: LineResult): boolean => isFinding(line) || dear.has(line.index);
  const id = newId();
  const { questions: asked } = result.summary;
  const found = result.lines.filter(isShown).length;
  const recalled = result.lines.filter(isKnown).length;
  const names = Object.keys(classes) as LineClass[];
  const options: [value: string, text: string][] = [
    ...(found ? [["findings", `${t("match.findings")} (${found})`] as [string, string]] : []),
    ...(asked ? [["questions", `${t("match.questions")} (${asked})`] as [string, string]] : []),
    ...(recalled ? [["known", `${t("match.knownTitle")} (${recalled})`] as [string, string]] : []),
    ["all", `${t("match.all")} (${result.lines.length})`],
    ...names.map((name): [string, string] => [name, `${title(language, name)} (${classes[name]})`]),
  ];
  const select = h("select", { id }, ...options.map(([value, text]) => h("option", { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen!;
  const place = h("div");
  const shown = (line: LineResult, wanted: string): boolean => {
    if (wanted === "findings") return isShown(line);
    if (wanted === "known") return isKnown(line);
    return wanted === "all" || (wanted === "questions" ? isQuestion(line) : line.class === wanted);
  };
  const show = (): void => {
    const wanted = select.value;
    const picked = bundle.records.filter(({ index }) => shown(classOf.get(Number(index))!, wanted));
    if (wanted === "findings") {
      const atStake = (index: string): bigint => BigInt(classOf.get(Number(index))!.stake) + (dear.get(Number(index))?.stake ?? 0n);
      picked.sort((a, b) => Number(atStake(b.index) - atStake(a.index)) || Number(a.index) - Number(b.index));
    }
    fill(place, linesTable(picked, invoice.currency, options.find(([value]) => value === wanted)![1], remarks));
  };
  select.addEventListener("change", show);
  show();
  return h(
    "section",
    {},
    h("p", { class: "filter no-print" }, h("label", { for: id }, t("match.filter"), " "), select),
    place,
    absent.length ? h("ul", { class: "notes" }, ...absent.map((one) => h("li", {}, findingWords(bundle, one)))) : null,
    found && !checked ? h("p", { class: "small" }, t("match.estimate")) : null,
  );
}

/** Narrower than this, the picture is drawn for a phone's screen: nothing of it lies beside the screen, and its print stays readable. */
const NARROW = "(max-width: 52rem)";

/** The picture comes as SVG text of our own making, in which everything from files is escaped. */
function picture(invoice: Invoice, result: MatchResult, logs: PhoneLog[]): HTMLElement {
  const place = h("div", { class: "picture" });
  const screen = matchMedia(NARROW);
  const draw = (): void => {
    const text = timeline(currentLanguage(), result, invoice, logs, { id: newId(), narrow: screen.matches });
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    fill(place, document.importNode(parsed, true));
    place.classList.toggle("narrow", screen.matches);
  };
  draw();
  const again = (): void => (place.isConnected ? draw() : screen.removeEventListener("change", again));
  screen.addEventListener("change", again);
  return h("section", {}, h("h3", {}, t("picture.title")), h("p", { class: "small" }, t("picture.text")), place);
}

function phoneOnly(result: MatchResult): HTMLElement | null {
  const counts = new Map<string, number>();
  for (const entry of result.entries.flat()) if (entry.class !== "billed") counts.set(entry.class, (counts.get(entry.class) ?? 0) + 1);
  if (!counts.size) return null;
  const said = [...counts].map(([name, count]) => {
    const key = `entry.${name}`;
    return h("li", {}, `${count} × ${hasKey(key) ? t(key) : name}`);
  });
  return details(t("match.phoneOnly"), h("ul", {}, ...said));
}


/** A bill laid against phone logs: findings first, the picture, the lines, the letter. */

import { printable } from "../chain/errors";
import { type PhoneLog, PhoneLogError, readPhoneLog } from "../handset";
import { currentLanguage, hasKey, t } from "../i18n";
import { match } from "../matching";
import { letter } from "../matching/letter";
import { timeline } from "../matching/timeline";
import { answered } from "../matching/answers";
import { type Invoice, type InvoiceLine, isFinding, isQuestion, type LineClass, type LineResult, type MatchResult } from "../matching/types";
import { hasTax, sentence, title } from "../matching/wording";
import type { Bundle } from "../protocol/documents";
import type { Report } from "../verify";
import { append, details, fill, h, newId } from "./dom";
import { dropZone } from "./drop";
import { money, roundMoney, span } from "./format";
import { linesTable, type Remark } from "./lines";
import { type Answers, openQuestions, questions } from "./questions";
import { uncompared } from "./uncompared";

const ACCEPT = ".xml,.csv,.storedata,.html,.htm,.zip,.db,.sqlite,.txt";

/** `logs` and `answers` are what the reader gave so far; they stay while the page is open, whatever is checked anew. */
export function matchCard(report: Report, logs: PhoneLog[], answers: Answers): HTMLElement {
  const heading = newId();
  const status = h("p", { role: "status", "aria-live": "polite" });
  const result = h("div");
  const words = { title: t("match.lead"), hint: t("match.hint"), button: t("match.choose") };
  const show = (failures: HTMLElement[]): void => {
    const shown = logs.length ? outcome(report, logs, answers, status) : null;
    if (!shown) fill(status);
    fill(result, failures.length ? h("ul", { class: "notes" }, ...failures) : null, shown);
  };
  const take = async (files: File[]): Promise<void> => {
    status.classList.remove("hidden");
    fill(status, t("match.working"));
    const failures: HTMLElement[] = [];
    for (const file of files) {
      try {
        const log = await readPhoneLog(file.name, new Uint8Array(await file.arrayBuffer()));
        addLog(logs, log);
      } catch (error) {
        failures.push(h("li", { class: "invalid" }, t("match.failed", { file: printable(file.name, 80), detail: whyUnread(error, file.name) })));
      }
    }
    await new Promise((resolve) => setTimeout(resolve)); // lets the words above be painted
    show(failures);
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
function whyUnread(error: unknown, file: string): string {
  if (!(error instanceof PhoneLogError)) return t("log.unknown");
  const key = `log.${error.code}`;
  if (currentLanguage() !== "en") return t(hasKey(key) ? key : "log.unknown");
  const { detail } = error;
  return printable(detail.startsWith(file) ? detail.slice(file.length).replace(/^[:/ ]+/, "") : detail, 200);
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

function outcome(report: Report, logs: PhoneLog[], answers: Answers, status: HTMLElement): HTMLElement {
  const bundle = report.document as Bundle;
  const invoice = invoiceOf(bundle);
  const found = match(invoice, logs);
  const place = h("div", { class: "outcome" });
  const rest = h("div", { class: "matched" });
  // Answers change what is at stake, and with it everything but the questions, where the reader is just then.
  const show = (): void => {
    const result = answered(found, invoice, (index) => answers.get(bundle.records[index]!.hash));
    const [headline, banner] = bannerOf(bundle, invoice, result);
    const { findings, stake } = result.summary;
    const said = findings ? `${headline}, ${roundMoney(stake, invoice.currency)}` : headline;
    fill(status, t("verdict.short", { verdict: said }));
    const wanted = rest.querySelector<HTMLSelectElement>(".filter select")?.value;
    const open = rest.querySelector<HTMLDetailsElement>(".letter")?.open ?? false;
    const letterBox = findings && !isForeign(result) ? complaint(report, bundle, invoice, result) : null;
    if (letterBox) letterBox.open = open;
    fill(place, banner);
    fill(rest, list(bundle, invoice, result, wanted), picture(invoice, result, logs), letterBox, phoneOnly(result));
  };
  status.classList.add("hidden");
  show();
  return h(
    "div",
    { class: "matched" },
    place,
    questions(bundle, found, answers, show),
    uncompared(invoice, found),
    aboutLogs(found, logs),
    rest,
    h("p", { class: "no-print" }, h("button", { type: "button", class: "quiet", onclick: () => window.print() }, t("match.print"))),
  );
}

function isForeign(result: MatchResult): boolean {
  return result.lines.some(({ reason }) => reason === "foreign");
}

/** What is said first, and how: the headline, what is at stake, what is still to be answered, what the phone confirms. */
function bannerOf(bundle: Bundle, invoice: Invoice, result: MatchResult): [headline: string, banner: HTMLElement] {
  const { findings, stake, questions: asked, asked: sum } = result.summary;
  const confirmed = result.lines.filter(({ entry }) => entry !== null).length;
  const foreign = isForeign(result);
  const [headline, level, mark] = foreign
    ? [t("match.foreign"), "cannot-check", "?"]
    : findings
      ? [t("match.some", { n: findings }), "invalid", "!"]
      : asked
        ? [t("ask.title", { n: openQuestions(bundle, result).length }), "cannot-check", "?"]
        : confirmed
          ? [t("match.none"), "valid", "✓"]
          : [t("match.nothing"), "cannot-check", "?"];
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
      h("p", {}, t("match.confirmed", { n: confirmed, all: invoice.lines.length })),
    ),
  );
  return [headline, banner];
}

function aboutLogs(result: MatchResult, logs: PhoneLog[]): HTMLElement {
  const said = result.logs.map(({ name, entries, clock }, at) => {
    const rejects = logs[at]!.rejects.length;
    const parts = [t("match.read", { file: printable(name, 80), n: entries })];
    if (rejects) parts.push(t("match.rejects", { n: rejects }));
    if (!clock.known) parts.push(t("match.noClock"));
    else if (clock.offset) parts.push(t("match.clock", { span: span(clock.offset) }));
    return h("li", {}, parts.join(". "));
  });
  return h("ul", { class: "notes" }, ...said);
}

/** The lines with what became of them; a filter shows one class, findings at first, or what the reader last chose. */
function list(bundle: Bundle, invoice: Invoice, result: MatchResult, chosen?: string): HTMLElement {
  const { classes } = result.summary;
  const language = currentLanguage();
  const remarks = new Map<number, Remark>();
  for (const line of result.lines) {
    if (line.class === "matched" && line.reason === "paired") continue; // nothing more to say
    const grave = isFinding(line);
    const sure = grave && line.confidence !== null ? ` (${t("match.sure", { n: line.confidence })})` : "";
    const stake = line.stake === "0" ? "" : money(line.stake, invoice.currency);
    remarks.set(line.index, { text: sentence(language, result, line, invoice) + sure, stake, grave });
  }
  const classOf = new Map(result.lines.map((line) => [line.index, line]));
  const id = newId();
  const { findings: found, questions: asked } = result.summary;
  const names = Object.keys(classes) as LineClass[];
  const options: [value: string, text: string][] = [
    ...(found ? [["findings", `${t("match.findings")} (${found})`] as [string, string]] : []),
    ...(asked ? [["questions", `${t("match.questions")} (${asked})`] as [string, string]] : []),
    ["all", `${t("match.all")} (${result.lines.length})`],
    ...names.map((name): [string, string] => [name, `${title(language, name)} (${classes[name]})`]),
  ];
  const select = h("select", { id }, ...options.map(([value, text]) => h("option", { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen!;
  const place = h("div");
  const shown = (line: LineResult, wanted: string): boolean => {
    if (wanted === "findings") return isFinding(line);
    return wanted === "all" || (wanted === "questions" ? isQuestion(line) : line.class === wanted);
  };
  const show = (): void => {
    const wanted = select.value;
    const picked = bundle.records.filter(({ index }) => shown(classOf.get(Number(index))!, wanted));
    if (wanted === "findings") {
      const stakeOf = (index: string): bigint => BigInt(classOf.get(Number(index))!.stake);
      picked.sort((a, b) => Number(stakeOf(b.index) - stakeOf(a.index)) || Number(a.index) - Number(b.index));
    }
    fill(place, linesTable(picked, invoice.currency, t("match.findings"), remarks));
  };
  select.addEventListener("change", show);
  show();
  return h(
    "section",
    {},
    h("p", { class: "filter no-print" }, h("label", { for: id }, t("match.filter"), " "), select),
    place,
    found ? h("p", { class: "small" }, t("match.estimate")) : null,
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

/** The matcher's letter, with the hash of each disputed line, so that both sides mean the same one. */
export function letterText(report: Report, bundle: Bundle, invoice: Invoice, result: MatchResult): string {
  const { chainId, ledger, operatorId, period, region, sequence } = bundle.batch;
  const operator = report.identity?.name ? { operator: printable(report.identity.name, 200) } : {};
  const body = letter(currentLanguage(), result, invoice, {
    ...operator,
    customer: printable(bundle.account.accountId, 256),
    invoiceNumber: `${period}/${region}-${sequence}`,
    writtenAt: Math.floor(Date.now() / 1000),
  });
  const names = t("letter.names", {
    chain: chainId,
    ledger,
    operator: operatorId,
    period,
    batch: `${region}-${sequence}`,
    account: bundle.statement.account,
  });
  const hashes = result.lines
    .filter(isFinding)
    .map(({ index }) => t("letter.hash", { line: String(index + 1), hash: bundle.records[index]!.hash }));
  return `${body.trimEnd()}\n\n--\n${names}\n${hashes.join("\n")}\n`;
}

function complaint(report: Report, bundle: Bundle, invoice: Invoice, result: MatchResult): HTMLDetailsElement {
  const text = letterText(report, bundle, invoice, result);
  const id = newId();
  const area = h("textarea", { id, rows: 18, spellcheck: "false", "aria-label": t("letter.title") });
  area.value = text;
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
    h("a", { href: url, download: `letter-${bundle.batch.period}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  const box = details(t("letter.title"));
  box.className = "letter";
  append(box, [
    h("p", { class: "small no-print" }, t("letter.hint")),
    area,
    h("pre", { class: "print-only" }, text),
    h(
      "div",
      { class: "row no-print" },
      h("button", { type: "button", onclick: () => void copy() }, t("letter.copy")),
      h("button", { type: "button", class: "quiet", onclick: save }, t("letter.save")),
      copied,
    ),
  ]);
  return box;
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


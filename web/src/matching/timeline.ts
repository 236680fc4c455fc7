/**
 * Bill and phone laid over each other, a row for each day, as an SVG text.
 *
 * The bill's lines lie in the upper half of a row, the phone's entries in the lower. Looks come from attributes and classes
 * (`match-pair`, `match-finding`, `match-question`, `match-uncovered`, `match-other`, `match-entry`), never from styles, which a content security policy
 * may forbid; what is neither finding, question nor heading takes the colour of the text around it.
 */

import { localTimesOf } from "./entries";
import { clockTime, day, type Language, shortDay } from "./formatting";
import { localTime } from "./cycle";
import { type Invoice, isFinding, isQuestion, type LineResult, type MatchResult, type PhoneLog } from "./types";
import { entrySentence, sentence } from "./wording";

const DAY = 86_400;
const ROW = 26;
const HALF = 10;
/** A call that is said to be longer is not drawn to its end. */
const MOST_DAYS = 400;
const FINDING = "#d0342c";
const QUESTION = "#c27c0e";

const TEXTS: Record<Language, { title: string; desc: string; bill: string; phone: string }> = {
  en: {
    title: "Bill and phone, day by day",
    desc: "{days} days. Of {lines} lines of the bill {paired} are also in the phone, {findings} are findings, {questions} are questions to you and {uncovered} cannot be checked. The phone has {entries} entries. The same is in the table.",
    bill: "above: bill",
    phone: "below: phone",
  },
  de: {
    title: "Rechnung und Telefon, Tag für Tag",
    desc: "{days} Tage. Von {lines} Zeilen der Rechnung stehen {paired} auch im Telefon, {findings} sind auffällig, {questions} Fragen an Sie, {uncovered} nicht prüfbar. Das Telefon hat {entries} Einträge. Dasselbe steht in der Tabelle.",
    bill: "oben: Rechnung",
    phone: "unten: Telefon",
  },
  fr: {
    title: "Facture et téléphone, jour par jour",
    desc: "{days} jours. Sur {lines} lignes de la facture, {paired} figurent aussi dans le téléphone, {findings} sont contestables, {questions} sont des questions pour vous et {uncovered} sont impossibles à vérifier. Le téléphone a {entries} entrées. Le tableau dit la même chose.",
    bill: "haut : facture",
    phone: "bas : téléphone",
  },
};

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text safe inside XML; control characters, which XML forbids, are dropped. */
function escape(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "").replace(/[&<>"']/g, (c) => ESCAPES[c]!);
}

interface Mark {
  local: number;
  length: number;
  looks: string;
  name: string;
  says: string;
}

function looksOf(line: LineResult, hatch: string): { looks: string; name: string } {
  if (isFinding(line)) return { looks: `fill="${FINDING}"`, name: "match-finding" };
  if (isQuestion(line)) return { looks: `fill="${QUESTION}"`, name: "match-question" };
  if (line.entry !== null) return { looks: 'fill="currentColor" fill-opacity="0.4"', name: "match-pair" };
  if (line.class === "not-covered" || line.class === "late") {
    return { looks: `fill="url(#${hatch})" stroke="currentColor" stroke-width="0.5"`, name: "match-uncovered" };
  }
  return { looks: 'fill="none" stroke="currentColor" stroke-opacity="0.4"', name: "match-other" };
}

/** So that nothing is drawn over a finding, and little over a question. */
function findingsLast(marks: readonly Mark[]): Mark[] {
  const order = (mark: Mark): number => ["match-question", "match-finding"].indexOf(mark.name);
  return [...marks].sort((a, b) => order(a) - order(b));
}

/** How much room there is: in the wide picture for whole dates beside a day, in the narrow one, of a phone's screen, for little of either. */
interface Room {
  label: number;
  width: number;
  head: number;
  font: number;
}
const WIDE: Room = { label: 104, width: 720, head: 22, font: 10 };
const NARROW: Room = { label: 50, width: 236, head: 34, font: 11 };

const heading = (text: string, y: number, size: number): string => `<text x="0" y="${y}" font-size="${size}" fill="currentColor">${escape(text)}</text>`;
const fixed = (value: number): string => String(Math.round(value * 10) / 10);

export interface TimelineOptions {
  /** Prefix of the ids, for pages with several pictures. */
  id?: string;
  /** For a phone's screen: no wider than that, and no smaller print. */
  narrow?: boolean;
}

export function timeline(lang: Language, result: MatchResult, invoice: Invoice, logs: readonly PhoneLog[], options: TimelineOptions = {}): string {
  const id = (options.id ?? "match-timeline").replace(/[^\w-]/g, "");
  const hatch = `${id}-hatch`;
  const room = options.narrow ? NARROW : WIDE;
  const right = room.label + room.width;
  const x = (local: number): number => room.label + ((((local % DAY) + DAY) % DAY) / DAY) * room.width;
  const lineOf = new Map(invoice.lines.map((line) => [line.index, line]));
  const verdictOf = new Map(result.lines.map((line) => [line.index, line]));
  const bill = result.lines
    .filter((line) => line.class !== "not-comparable")
    .map((line): Mark => {
      const source = lineOf.get(line.index)!;
      const length = source.service <= 3 ? source.usage : 0;
      return { local: localTime(source), length, ...looksOf(line, hatch), says: sentence(lang, result, line, invoice) };
    });

  const phone: Mark[] = [];
  const links: { from: number; to: number }[] = [];
  logs.forEach((log, index) => {
    const times = localTimesOf(log, result.logs[index]!.clock.offset, invoice.lines);
    log.entries.forEach((entry, place) => {
      const verdict = result.entries[index]![place]!;
      const line = verdict.line === null ? undefined : verdictOf.get(verdict.line);
      const looks = line ? looksOf(line, hatch) : { looks: 'fill="none" stroke="currentColor" stroke-opacity="0.5"', name: "match-entry" };
      const says = `${clockTime(times[place]!)} ${entry.number} ${entrySentence(lang, verdict, entry)}`;
      phone.push({ local: times[place]!, length: entry.kind === "call" ? Math.max(0, entry.duration) : 0, ...looks, says });
      if (line) links.push({ from: localTime(lineOf.get(line.index)!), to: times[place]! });
    });
  });

  const dayOf = (local: number): number => Math.floor(local / DAY);
  const days = new Set(bill.map((mark) => dayOf(mark.local)));
  for (let each = dayOf(result.cycle[0]); each < dayOf(result.cycle[1] - 1) + 1; each += 1) days.add(each);
  const rows = new Map([...days].sort((a, b) => a - b).map((each, row) => [each, room.head + ROW * row]));

  const draw = (mark: Mark, below: number): string => {
    const end = mark.local + mark.length;
    const parts = [drawPart(mark, below, mark.local, mark.length)];
    for (let midnight = (dayOf(mark.local) + 1) * DAY; midnight < end && parts.length < MOST_DAYS; midnight += DAY) {
      parts.push(drawPart(mark, below, midnight, end - midnight));
    }
    return parts.join("");
  };
  /** What of a mark lies in the row of the day of `from`. */
  const drawPart = (mark: Mark, below: number, from: number, length: number): string => {
    const top = rows.get(dayOf(from));
    if (top === undefined) return "";
    const left = x(from);
    const width = Math.min(Math.max(3, (length / DAY) * room.width), right - left);
    return `<rect class="${mark.name}" x="${fixed(left)}" y="${top + 2 + below}" width="${fixed(width)}" height="${HALF}" ${mark.looks}><title>${escape(mark.says)}</title></rect>`;
  };
  const link = ({ from, to }: { from: number; to: number }): string => {
    const top = rows.get(dayOf(from));
    if (top === undefined || dayOf(from) !== dayOf(to)) return "";
    return `<line class="match-pair" x1="${fixed(x(from) + 1)}" x2="${fixed(x(to) + 1)}" y1="${top + 2 + HALF}" y2="${top + 4 + HALF}" stroke="currentColor" stroke-opacity="0.4"/>`;
  };
  const label = ([each, top]: [number, number]): string =>
    `<line x1="0" x2="${right}" y1="${top}" y2="${top}" stroke="currentColor" stroke-opacity="0.15"/>` +
    `<text x="0" y="${top + 17}" font-size="${room.font}" fill="currentColor">${escape((options.narrow ? shortDay : day)(lang, each * DAY))}</text>`;
  const hours = [0, 6, 12, 18].map(
    (hour) => `<text x="${fixed(x(hour * 3600))}" y="${room.head - 12}" font-size="${room.font}" fill="currentColor">${String(hour).padStart(2, "0")}:00</text>`,
  );

  const text = TEXTS[lang];
  const counts: Record<string, number> = {
    days: rows.size,
    lines: result.lines.length,
    paired: result.lines.filter((line) => line.entry !== null).length,
    findings: result.summary.findings,
    questions: result.summary.questions,
    uncovered: result.lines.filter((line) => line.class === "not-covered").length,
    entries: phone.length,
  };
  const height = room.head + ROW * rows.size + 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="match-timeline" viewBox="0 0 ${right} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc" font-family="sans-serif">`,
    `<title id="${id}-title">${escape(text.title)}</title>`,
    `<desc id="${id}-desc">${escape(text.desc.replace(/\{(\w+)\}/g, (_, name: string) => String(counts[name])))}</desc>`,
    `<defs><pattern id="${hatch}" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="4" stroke="currentColor" stroke-width="1.5"/></pattern></defs>`,
    ...(options.narrow ? [heading(`${text.bill}, ${text.phone}`, 9, room.font)] : [heading(text.bill, 9, 9), heading(text.phone, 19, 9)]),
    ...hours,
    ...[...rows].map(label),
    ...links.map(link),
    ...findingsLast(bill).map((mark) => draw(mark, 0)),
    ...findingsLast(phone).map((mark) => draw(mark, HALF + 2)),
    "</svg>",
  ].filter((part) => part !== "").join("\n");
}

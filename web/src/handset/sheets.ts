/** Character-separated files: their separator, their rows with line numbers. Quotes as RFC 4180 has them, leniently. */

import { RowError } from "./problems";
import { PhoneLogError } from "./types";
import { strip } from "./values";

const SEPARATORS = ",;\t|";
const MAX_COLUMNS = 1000;
const MAX_FIELD = 131_072;

export interface SheetRow {
  line: number;
  cells: string[];
}

export interface Sheet {
  name: string;
  /** Names of the columns, in lower case, without spaces around them. */
  header: string[];
  separator: string;
  /** The rows after the header that are not blank. */
  rows: SheetRow[];
}

/** Raises RowError when the row has fewer columns. */
export function checkWidth(cells: string[], width: number): void {
  if (cells.length < width) throw new RowError("", `has ${cells.length} columns, not ${width}`);
}

/** The sheet, when the first line that is not blank (nor `sep=`) has two columns or more; else null. */
export function openSheet(name: string, text: string): Sheet | null {
  let separator = "";
  let at = text.startsWith("\ufeff") ? 1 : 0;
  for (let number = 1; at < text.length; number++) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end);
    at = end < 0 ? text.length : end + 1;
    if (line.length === 5 && line.startsWith("sep=") && SEPARATORS.includes(line[4]!)) {
      separator = line[4]!;
      continue;
    }
    if (strip(line) === "") {
      if (number > 20) return null;
      continue;
    }
    if (line.length > MAX_FIELD) return null;
    separator ||= mostFrequent(line);
    if (!line.includes(separator)) return null;
    const header = [...split(name, line, separator)][0]!.cells;
    if (header.length > MAX_COLUMNS) return null;
    const names = header.map((cell) => strip(cell).toLowerCase());
    return { name, header: names, separator, rows: rowsAfter(name, text, separator, number) };
  }
  return null;
}

function mostFrequent(line: string): string {
  let best = SEPARATORS[0]!;
  let most = -1;
  for (const separator of SEPARATORS) {
    const count = line.split(separator).length - 1;
    if (count > most) [best, most] = [separator, count];
  }
  return best;
}

function rowsAfter(name: string, text: string, separator: string, headerLine: number): SheetRow[] {
  const rows: SheetRow[] = [];
  for (const row of split(name, text, separator)) {
    const { cells, line } = row;
    if (line > headerLine && (cells.length > 1 || (cells.length === 1 && strip(cells[0]!) !== ""))) rows.push(row);
  }
  return rows;
}

function* split(name: string, text: string, separator: string): Generator<SheetRow> {
  let at = 0;
  let line = 1;
  const tooLong = (began: number) =>
    new PhoneLogError("malformed", `${name}:${began}: a field is longer than ${MAX_FIELD} characters`);
  while (at < text.length) {
    const began = line;
    const cells: string[] = [];
    if (text[at] === "\n") {
      at++;
      line++;
      yield { line: began, cells };
      continue;
    }
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        at++;
        for (;;) {
          const quote = text.indexOf('"', at);
          const end = quote < 0 ? text.length : quote;
          cell += text.slice(at, end);
          if (cell.length > MAX_FIELD) throw tooLong(began);
          at = end + 1;
          if (quote < 0 || text[at] !== '"') break;
          cell += '"';
          at++;
        }
        line += cell.split("\n").length - 1;
      }
      const start = at;
      while (at < text.length && text[at] !== separator && text[at] !== "\n") at++;
      cell += text.slice(start, at);
      if (cell.length > MAX_FIELD) throw tooLong(began);
      cells.push(cell);
      if (text[at] !== separator) break;
      at++;
    }
    at++;
    line++;
    yield { line: began, cells };
  }
}

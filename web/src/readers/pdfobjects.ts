/**
 * The objects of the PDF files that Billproof writes: one cross-reference table, nothing appended, no object
 * streams, no encryption. Everything else is refused with a `PdfError`, which is safe: the operator has the
 * original. Nothing is read further than the file is long.
 */

export type PdfCode =
  | "not-pdf"
  | "damaged"
  | "changed" // appended to, or saved by another program
  | "encrypted"
  | "no-attachment"
  | "several-attachments"
  | "too-large";

export class PdfError extends Error {
  constructor(readonly code: PdfCode, reason: string) {
    super(reason);
    this.name = "PdfError";
  }
}

export class PdfName {
  constructor(readonly text: string) {}
}

export class PdfOperator {
  constructor(readonly text: string) {}
}

export class PdfReference {
  constructor(readonly number: number, readonly generation: number) {}
}

export class PdfStream {
  constructor(readonly facts: PdfDictionary, readonly packed: Uint8Array<ArrayBuffer>) {}
}

export type PdfDictionary = Map<string, PdfValue>;
export type PdfValue =
  | number
  | boolean
  | null
  | Uint8Array // a text, as its bytes
  | PdfName
  | PdfOperator
  | PdfReference
  | PdfStream
  | PdfDictionary
  | PdfValue[];

const MAX_BYTES = 64 << 20;
/** Bytes of an entry of the cross-reference table. */
const ENTRY = 20;
const MAX_OBJECTS = 1 << 20;
const MAX_DEPTH = 24;
const MAX_TEXT = 1 << 14;
const SPACE = new Set([0, 9, 10, 12, 13, 32]);
const DELIMITERS = new Set([..."()<>[]{}/%"].map((character) => character.charCodeAt(0)));
const ESCAPES: Record<string, number> = { n: 10, r: 13, t: 9, b: 8, f: 12 };

const damaged = (reason: string): PdfError => new PdfError("damaged", reason);

/** Reads objects one after the other. */
export class Scanner {
  constructor(readonly bytes: Uint8Array<ArrayBuffer>, public at = 0) {}

  ended(): boolean {
    this.#skip();
    return this.at >= this.bytes.length;
  }

  /** Whether this word is next; if so, it is passed. */
  keyword(word: string): boolean {
    this.#skip();
    for (let i = 0; i < word.length; i++) if (this.bytes[this.at + i] !== word.charCodeAt(i)) return false;
    this.at += word.length;
    return true;
  }

  integer(): number {
    const value = this.value();
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw damaged("a number is missing");
    return value;
  }

  value(depth = 0): PdfValue {
    if (depth > MAX_DEPTH) throw damaged("nested too deeply");
    this.#skip();
    switch (this.#peek()) {
      case "/":
        this.at++;
        return new PdfName(unescaped(this.#word()));
      case "(":
        return this.#text();
      case "<":
        return this.bytes[this.at + 1] === 60 ? this.#dictionary(depth) : this.#hexadecimal();
      case "[": {
        this.at++;
        const items: PdfValue[] = [];
        while (!this.keyword("]")) items.push(this.value(depth + 1));
        return items;
      }
    }
    const word = this.#word();
    return this.#reference(word) ?? atom(word);
  }

  #peek(): string {
    const byte = this.bytes[this.at];
    return byte === undefined ? "" : String.fromCharCode(byte);
  }

  #skip(): void {
    for (; this.at < this.bytes.length; this.at++) {
      const byte = this.bytes[this.at]!;
      if (byte === 37) while (this.at < this.bytes.length && ![10, 13].includes(this.bytes[this.at]!)) this.at++;
      else if (!SPACE.has(byte)) return;
    }
  }

  #word(): string {
    const start = this.at;
    while (this.at < this.bytes.length && !SPACE.has(this.bytes[this.at]!) && !DELIMITERS.has(this.bytes[this.at]!)) this.at++;
    if (this.at === start || this.at - start > 4096) throw damaged("cut off");
    return String.fromCharCode(...this.bytes.subarray(start, this.at));
  }

  #reference(word: string): PdfReference | null {
    if (!/^\d{1,7}$/.test(word)) return null;
    const back = this.at;
    const ahead = String.fromCharCode(...this.bytes.subarray(back, back + 12));
    const found = /^[\0\t\n\f\r ]+(\d{1,5})[\0\t\n\f\r ]+R(?![^\0\t\n\f\r ()<>[\]{}/%])/.exec(ahead);
    if (!found) return null;
    this.at = back + found[0].length;
    return new PdfReference(Number(word), Number(found[1]));
  }

  #dictionary(depth: number): PdfDictionary {
    this.at += 2;
    const found: PdfDictionary = new Map();
    while (!this.keyword(">>")) {
      const key = this.value(depth + 1);
      if (!(key instanceof PdfName) || found.has(key.text)) throw damaged("a dictionary");
      found.set(key.text, this.value(depth + 1));
    }
    return found;
  }

  #hexadecimal(): Uint8Array {
    const end = this.bytes.indexOf(62, this.at);
    if (end < 0) throw damaged("cut off");
    if (end - this.at > MAX_TEXT) throw damaged("a text");
    const digits = [...this.bytes.subarray(this.at + 1, end)].filter((byte) => !SPACE.has(byte));
    this.at = end + 1;
    const text = String.fromCharCode(...digits) + (digits.length % 2 ? "0" : "");
    if (!/^[0-9a-fA-F]*$/.test(text)) throw damaged("a text");
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }

  #text(): Uint8Array {
    const out: number[] = [];
    let depth = 1;
    for (this.at++; this.at < this.bytes.length; ) {
      const byte = this.bytes[this.at++]!;
      if (byte === 92) {
        this.#escaped(out);
        continue;
      }
      if (byte === 40) depth++;
      if (byte === 41 && --depth === 0) return Uint8Array.from(out);
      out.push(byte);
      if (out.length > MAX_TEXT) break;
    }
    throw damaged("a text is cut off, or longer than ours");
  }

  #escaped(out: number[]): void {
    const next = this.#peek();
    if (/^[0-7]$/.test(next)) {
      let code = 0;
      for (let i = 0; i < 3 && /^[0-7]$/.test(this.#peek()); i++) code = code * 8 + this.bytes[this.at++]! - 48;
      out.push(code & 255);
      return;
    }
    this.at++;
    if (next === "\r" && this.#peek() === "\n") this.at++;
    if (next !== "\r" && next !== "\n" && next !== "") out.push(ESCAPES[next] ?? next.charCodeAt(0));
  }
}

function unescaped(word: string): string {
  return word.replace(/#([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function atom(word: string): PdfValue {
  if (word === "true" || word === "false") return word === "true";
  if (word === "null") return null;
  return /^[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$/.test(word) ? Number(word) : new PdfOperator(word);
}

/** All objects of a file. */
export class PdfFile {
  readonly objects = new Map<number, PdfValue>();
  readonly root: PdfDictionary;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {
    if (latin(bytes.subarray(0, 7)) !== "%PDF-1.") throw new PdfError("not-pdf", "this does not begin like a PDF");
    if (bytes.length > MAX_BYTES) throw new PdfError("too-large", "this is larger than any invoice");
    const end = /startxref\s+(\d{1,10})\s+%%EOF\s*$/.exec(latin(bytes.subarray(-64)));
    if (!end) throw damaged("the end is missing, or something was appended");
    const table = Number(end[1]);
    const { offsets, trailer } = this.#table(table);
    if (trailer.has("Encrypt")) throw new PdfError("encrypted", "this PDF is encrypted");
    if (trailer.has("Prev") || trailer.has("XRefStm")) throw new PdfError("changed", "this PDF was changed later");
    // One after the other, so that nothing lies between or beside them: viewers may find their own way through a file.
    let at = /^%PDF-1\.\d\n(?:%[^\r\n]*\n)?/.exec(latin(bytes.subarray(0, 64)))?.[0].length ?? 0;
    for (const [index, offset] of offsets.entries()) {
      if (offset !== at) throw new PdfError("changed", "objects are not where the table says");
      const [value, next] = this.#object(index + 1, at);
      this.objects.set(index + 1, value);
      at = next;
    }
    if (at !== table) throw new PdfError("changed", "something is hidden in this PDF");
    if (!(trailer.get("Root") instanceof PdfReference)) throw new PdfError("changed", "the catalog is in the trailer");
    this.root = this.dictionary(trailer.get("Root"));
  }

  /** What a reference leads to, or the value itself. */
  get(value: PdfValue | undefined): PdfValue | undefined {
    for (let i = 0; i < 4; i++) {
      if (!(value instanceof PdfReference)) return value;
      value = value.generation === 0 ? this.objects.get(value.number) : undefined;
    }
    throw damaged("references lead nowhere");
  }

  dictionary(value: PdfValue | undefined): PdfDictionary {
    const found = this.get(value);
    if (!(found instanceof Map)) throw damaged("something is missing");
    return found;
  }

  stream(value: PdfValue | undefined): PdfStream {
    const found = this.get(value);
    if (!(found instanceof PdfStream)) throw damaged("something is missing");
    return found;
  }

  array(value: PdfValue | undefined): PdfValue[] {
    const found = this.get(value);
    if (!Array.isArray(found)) throw damaged("something is missing");
    return found;
  }

  /** Where objects 1, 2, … are, and the trailer. */
  #table(at: number): { offsets: number[]; trailer: PdfDictionary } {
    const start = /^xref\n0 (\d{1,7})\n/.exec(latin(this.bytes.subarray(at, at + 16)));
    if (!start) throw new PdfError("changed", "another program saved this PDF");
    const count = Number(start[1]);
    if (count > MAX_OBJECTS) throw damaged("too many objects");
    const offsets: number[] = [];
    for (let number = 0, place = at + start[0].length; number < count; number++, place += ENTRY) {
      const entry = /^(\d{10}) (\d{5}) ([nf]) \n$/.exec(latin(this.bytes.subarray(place, place + ENTRY)));
      if (!entry || (entry[3] === "f") !== (number === 0)) throw damaged("the cross-reference table");
      if (number && Number(entry[2])) throw new PdfError("changed", "this PDF was changed later");
      if (number) offsets.push(Number(entry[1]));
    }
    const scanner = new Scanner(this.bytes, at + start[0].length + ENTRY * count);
    if (!scanner.keyword("trailer")) throw damaged("the trailer");
    const trailer = scanner.value();
    if (!(trailer instanceof Map)) throw damaged("the trailer");
    return { offsets, trailer };
  }

  /** An object, and where it ends. */
  #object(number: number, at: number): [PdfValue, number] {
    const start = `${number} 0 obj\n`;
    if (!this.#says(start, at)) throw damaged("the table");
    const scanner = new Scanner(this.bytes, at + start.length);
    let value = scanner.value();
    let end = scanner.at;
    if (value instanceof Map && this.#says("\nstream\n", end)) {
      const begin = end + "\nstream\n".length;
      const length = value.get("Length");
      if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) throw damaged("a stream");
      end = begin + length;
      if (this.#says("\n", end)) end++;
      if (!this.#says("endstream", end)) throw damaged("a stream");
      value = new PdfStream(value, this.bytes.subarray(begin, begin + length));
      end += "endstream".length;
    }
    if (!this.#says("\nendobj\n", end)) throw damaged("an object");
    return [value, end + "\nendobj\n".length];
  }

  #says(text: string, at: number): boolean {
    return latin(this.bytes.subarray(at, at + text.length)) === text;
  }
}

export function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

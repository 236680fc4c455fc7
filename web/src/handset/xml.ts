/**
 * XML as a stream of start and end tags, bounded and without document types, so that a file cannot make the reader do
 * more than read it. Two references that are the halves of one surrogate pair, as SMS Backup & Restore writes emoji,
 * are read as that character, and references to characters that XML forbids as U+FFFD.
 */

import { PhoneLogError } from "./types";

const MAX_DEPTH = 32;
const LETTERS =
  "A-Za-z_:\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f" +
  "\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd";
const NAME = new RegExp(`[${LETTERS}][${LETTERS}0-9.\\-\\u00b7\\u0300-\\u036f\\u203f\\u2040]*`, "y");
const DECLARATION =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.[0-9]+\1([ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])[A-Za-z][A-Za-z0-9._-]*\3)?([ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(yes|no)\5)?[ \t\n]*\?>$/;
const SPACE = /[ \t\n]*/y;
const REFERENCE = /&(?:#(?:([0-9]+)|[xX]([0-9a-fA-F]+))|(amp|lt|gt|quot|apos));|&/g;
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const BLANK = /^[ \t\n]*$/;

export interface Handler {
  start(name: string, attributes: Map<string, string>, line: number): void;
  end(name: string): void;
}

export function parseXml(file: string, text: string, handler: Handler): void {
  new Scanner(file, text, handler).run();
}

class Scanner {
  private at = 0;
  private line = 1;
  private counted = 0;
  private readonly open: string[] = [];
  private rooted = false;
  private readonly file: string;
  private readonly text: string;
  private readonly handler: Handler;

  constructor(file: string, text: string, handler: Handler) {
    this.file = file;
    this.text = text;
    this.handler = handler;
  }

  run(): void {
    const bad = FORBIDDEN.exec(this.text);
    for (;;) {
      const tag = this.text.indexOf("<", this.at);
      this.content(this.at, tag < 0 ? this.text.length : tag);
      if (tag < 0) break;
      this.at = tag;
      if (bad && bad.index < tag) throw this.problem("malformed", "has a character that XML forbids");
      this.markup();
    }
    if (bad) throw this.problem("malformed", "has a character that XML forbids");
    if (!this.rooted || this.open.length > 0) {
      this.at = this.text.length;
      throw this.problem("malformed", "ends in the middle: the file is cut off");
    }
  }

  private markup(): void {
    const { text, at } = this;
    const next = text[at + 1];
    if (next === "?") this.instruction();
    else if (text.startsWith("<!--", at)) this.comment();
    else if (text.startsWith("<![CDATA[", at)) {
      if (this.open.length === 0) throw this.problem("malformed", "has text outside its tags");
      this.at = this.past("]]>", at + 9);
    } else if (text.startsWith("<!DOCTYPE", at)) {
      if (this.rooted) throw this.problem("malformed", "has a document type in the middle");
      throw this.problem("entities", "has a document type, which no export of this app has");
    } else if (next === "/") this.endTag();
    else this.startTag();
  }

  private instruction(): void {
    const end = this.past("?>", this.at + 2);
    const target = this.nameAt(this.at + 2);
    const after = this.text[this.at + 2 + target.length]!;
    if (!" \t\n?".includes(after)) throw this.problem("malformed", "has an instruction without a name");
    if (target.toLowerCase() === "xml" && (this.at !== 0 || !DECLARATION.test(this.text.slice(0, end)))) {
      throw this.problem("malformed", "has an XML declaration that is wrong, or in the middle");
    }
    this.at = end;
  }

  private comment(): void {
    const end = this.past("--", this.at + 4);
    if (this.text[end] !== ">") throw this.problem("malformed", "has a comment with -- in it");
    this.at = end + 1;
  }

  private startTag(): void {
    const { text } = this;
    const begin = this.at;
    const name = this.nameAt(begin + 1);
    if (this.rooted && this.open.length === 0) throw this.problem("malformed", "goes on after its end");
    let at = begin + 1 + name.length;
    const attributes = new Map<string, string>();
    for (;;) {
      const spaced = this.skip(at);
      const letter = text[spaced];
      if (letter === ">" || letter === "/") {
        at = spaced;
        break;
      }
      if (spaced === at) throw this.problem("malformed", "has a tag that is not closed");
      const key = this.nameAt(spaced);
      at = this.skip(spaced + key.length);
      if (text[at] !== "=") throw this.problem("malformed", "has an attribute without a value");
      at = this.skip(at + 1);
      const quote = text[at];
      if (quote !== '"' && quote !== "'") throw this.problem("malformed", "has an attribute without quotes");
      const end = text.indexOf(quote, at + 1);
      if (end < 0) throw this.problem("malformed", "ends in the middle: the file is cut off");
      if (attributes.has(key)) throw this.problem("malformed", "has a tag with the same attribute twice");
      attributes.set(key, this.value(text.slice(at + 1, end)));
      at = end + 1;
    }
    const empty = text[at] === "/";
    if (empty && text[at + 1] !== ">") throw this.problem("malformed", "has a tag that is not closed");
    if (this.open.length >= MAX_DEPTH) throw this.problem("nested", `tags are nested more than ${MAX_DEPTH} deep`);
    this.rooted = true;
    this.handler.start(name, attributes, this.lineAt(begin));
    if (empty) this.handler.end(name);
    else this.open.push(name);
    this.at = at + (empty ? 2 : 1);
  }

  private endTag(): void {
    const name = this.nameAt(this.at + 2);
    const end = this.skip(this.at + 2 + name.length);
    if (this.text[end] !== ">") throw this.problem("malformed", "has a tag that is not closed");
    if (this.open.pop() !== name) throw this.problem("malformed", `closes <${name.slice(0, 40)}>, which is not open`);
    this.handler.end(name);
    this.at = end + 1;
  }

  private content(start: number, end: number): void {
    if (start === end) return;
    const text = this.text.slice(start === 0 && this.text[0] === "\ufeff" ? 1 : start, end);
    if (this.open.length === 0) {
      if (!BLANK.test(text)) throw this.problem("malformed", "has text outside its tags");
    } else if (text.includes("&")) this.value(text);
    else if (text.includes("]]>")) throw this.problem("malformed", "has a ]]> in its text");
  }

  private value(raw: string): string {
    if (raw.includes("<")) throw this.problem("malformed", "has a < within quotes");
    const spaced = /[\t\n]/.test(raw) ? raw.replace(/[\t\n]/g, " ") : raw;
    if (!spaced.includes("&")) return spaced;
    const codes = spaced.replace(REFERENCE, (_, decimal?: string, hex?: string, named?: string) => {
      if (named !== undefined) return NAMED[named]!;
      const digits = decimal ?? hex;
      if (digits === undefined) throw this.problem("malformed", "has an & that begins nothing");
      const code = decimal !== undefined ? Number.parseInt(decimal, 10) : Number.parseInt(digits, 16);
      const short = digits.length <= (decimal !== undefined ? 7 : 6);
      if (code >= 0xd800 && code < 0xe000 && short) return String.fromCharCode(code);
      if (allowed(code)) return String.fromCodePoint(code);
      if (short) return "\ufffd";
      throw this.problem("malformed", "refers to a character that does not exist");
    });
    return codes.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
  }

  private nameAt(at: number): string {
    NAME.lastIndex = at;
    const match = NAME.exec(this.text);
    if (!match) throw this.problem("malformed", "has a tag without a name, or is cut off");
    return match[0];
  }

  private skip(at: number): number {
    SPACE.lastIndex = at;
    SPACE.exec(this.text);
    return SPACE.lastIndex;
  }

  private past(mark: string, from: number): number {
    const found = this.text.indexOf(mark, from);
    if (found < 0) throw this.problem("malformed", "ends in the middle: the file is cut off");
    return found + mark.length;
  }

  private lineAt(at: number): number {
    for (let found = this.text.indexOf("\n", this.counted); found >= 0 && found < at; ) {
      this.line++;
      this.counted = found + 1;
      found = this.text.indexOf("\n", this.counted);
    }
    return this.line;
  }

  private problem(code: string, message: string): PhoneLogError {
    return new PhoneLogError(code, `${this.file}:${this.lineAt(this.at)}: ${message}; export it again`);
  }
}

function allowed(code: number): boolean {
  return (
    code === 9 || code === 10 || code === 13 || (code >= 32 && code < 0xd800) ||
    (code >= 0xe000 && code < 0xfffe) || (code >= 0x10000 && code < 0x110000)
  );
}

/**
 * JSON as RFC 8259 has it, read by hand: `JSON.parse` hides repeated keys and lone surrogates, and recurses
 * as deep as a stranger likes. What our formats refuse but JSON readers accept is collected as faults.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The text is no JSON at all; `at` is the place in it. */
export class NotJson extends Error {
  constructor(
    readonly at: number,
    what: string,
  ) {
    super(`${what} at character ${at}`);
  }
}

/** More levels than allowed. */
export class TooDeep extends Error {}

export interface Parsed {
  value: Json;
  /** Repeated keys, nulls, lone surrogates, numbers that JSON does not know; in order. */
  faults: { code: "repeated" | "null" | "surrogate" | "number"; key: string }[];
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const WORD = /true|false|null|NaN|-?Infinity/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const ESCAPES: Record<string, string> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Reads one value and nothing after it. Raises `NotJson` or `TooDeep`. */
export function parseJson(text: string, maxDepth: number): Parsed {
  return new Scanner(text, maxDepth).document();
}

class Scanner {
  private at = 0;
  private depth = 0;
  private readonly faults: Parsed["faults"] = [];

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
  ) {}

  document(): Parsed {
    const value = this.value("");
    this.space();
    if (this.at < this.text.length) throw new NotJson(this.at, "something follows");
    return { value, faults: this.faults };
  }

  private value(key: string): Json {
    this.space();
    const first = this.text[this.at];
    if (first === "{") return this.inside(() => this.object());
    if (first === "[") return this.inside(() => this.array(key));
    if (first === '"') return this.string(key);
    const word = this.match(WORD);
    if (word === "true") return true;
    if (word === "false") return false;
    if (word !== undefined) {
      this.faults.push({ code: word === "null" ? "null" : "number", key });
      return word === "null" ? null : Number(word);
    }
    const number = this.match(NUMBER);
    if (number === undefined) throw new NotJson(this.at, "no value");
    return Number(number);
  }

  private inside<T>(read: () => T): T {
    if (++this.depth > this.maxDepth) throw new TooDeep();
    this.at++;
    const value = read();
    this.depth--;
    return value;
  }

  private object(): Json {
    // Without a prototype: "__proto__" is a key like any other.
    const found = Object.create(null) as { [key: string]: Json };
    if (this.closes("}")) return found;
    do {
      this.space();
      if (this.text[this.at] !== '"') throw new NotJson(this.at, "no key");
      const key = this.string("");
      if (!this.closes(":")) throw new NotJson(this.at, "no colon");
      if (key in found) this.faults.push({ code: "repeated", key });
      found[key] = this.value(key);
    } while (this.closes(","));
    if (!this.closes("}")) throw new NotJson(this.at, "an object without end");
    return found;
  }

  private array(key: string): Json {
    const found: Json[] = [];
    if (this.closes("]")) return found;
    do found.push(this.value(key));
    while (this.closes(","));
    if (!this.closes("]")) throw new NotJson(this.at, "a list without end");
    return found;
  }

  private string(key: string): string {
    this.at++;
    let value = this.match(PLAIN) ?? "";
    for (;;) {
      const mark = this.text[this.at];
      if (mark === '"') break;
      if (mark !== "\\") throw new NotJson(this.at, "a text without end");
      value += this.escape() + (this.match(PLAIN) ?? "");
    }
    this.at++;
    if (LONE.test(value)) this.faults.push({ code: "surrogate", key });
    return value;
  }

  private escape(): string {
    const kind = this.text[this.at + 1] ?? "";
    if (kind === "u") {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new NotJson(this.at, "no escape");
      this.at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const plain = ESCAPES[kind];
    if (plain === undefined) throw new NotJson(this.at, "no escape");
    this.at += 2;
    return plain;
  }

  /** Whether the next mark is this one; it is taken then. */
  private closes(mark: string): boolean {
    this.space();
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }
}

/** A tariff's bytes → tables, lists, texts, whole numbers and truth values: TOML 1.0, or JSON where the file begins with `{`. */

import { parse } from "smol-toml";
import { type Json, NotJson, parseJson, TooDeep } from "../protocol/json";
import { TariffFault } from "./fault";
import { item } from "./table";

export type Tree = string | boolean | bigint | Tree[] | { [key: string]: Tree };

/** Larger files are no tariffs. */
export const MAX_TARIFF = 16 * 1024 * 1024;
const MAX_DEPTH = 16;

export function readTree(content: Uint8Array): Tree {
  if (content.length > MAX_TARIFF) throw syntax("the file is too large");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw syntax("the file is not UTF-8");
  }
  if (text.startsWith("\ufeff")) throw syntax("the file begins with a byte order mark");
  return /^[ \t\r\n]*\{/.test(text) ? fromJson(text) : fromToml(text);
}

function fromJson(text: string): Tree {
  try {
    const { value, faults } = parseJson(text, MAX_DEPTH);
    const fault = faults[0];
    if (fault) throw new TariffFault(fault.code === "repeated" ? "repeated" : "type", fault.key, `no value of ours (${fault.code})`);
    if (/[0-9][.eE]/.test(text.replace(/"(?:[^"\\]|\\.)*"/gs, '""'))) throw syntax("a number that is not whole: write it as a text");
    return jsonTree(value);
  } catch (error) {
    if (error instanceof NotJson) throw syntax(error.message);
    if (error instanceof TooDeep) throw syntax("too deep");
    throw error;
  }
}

function jsonTree(value: Json): Tree {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw syntax("a number without end");
    return BigInt(value);
  }
  if (Array.isArray(value)) return value.map(jsonTree);
  if (typeof value !== "object" || value === null) return value as string | boolean;
  return table(Object.entries(value).map(([key, inner]) => [key, jsonTree(inner)]));
}

function fromToml(text: string): Tree {
  let found: unknown;
  try {
    found = parse(text, { integersAsBigInt: true });
  } catch (error) {
    throw syntax(String(error instanceof Error ? error.message.split("\n")[0] : error));
  }
  refuseNewer(text);
  return tomlTree(found, "", 0);
}

function tomlTree(value: unknown, place: string, depth: number): Tree {
  if (depth > MAX_DEPTH) throw syntax("too deep");
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "bigint") return value;
  if (Array.isArray(value)) return value.map((one, at) => tomlTree(one, item(place, at), depth + 1));
  if (typeof value !== "object" || value === null || value instanceof Date)
    throw new TariffFault("type", place, "dates and numbers that are not whole are written as texts");
  return table(Object.entries(value).map(([key, inner]) => [key, tomlTree(inner, place ? `${place}.${key}` : key, depth + 1)]));
}

/** Without a prototype: "__proto__" is a key like any other. */
function table(entries: [string, Tree][]): { [key: string]: Tree } {
  const found = Object.create(null) as { [key: string]: Tree };
  for (const [key, value] of entries) found[key] = value;
  return found;
}

const TOKEN = /"""(?:\\[^]|[^\\])*?"{3,5}|'''[^]*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|,\s*\}|[{}[\]\n]/g;

/** What TOML 1.1 has and 1.0 has not, in a text that is TOML: lines and last commas within `{ }`, two more escapes. */
function refuseNewer(text: string): void {
  const open: string[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    const first = token[0]!;
    if (first === "{" || first === "[") open.push(first);
    else if (first === "}" || first === "]") open.pop();
    else if (first === "," || (first === "\n" && open.at(-1) === "{")) throw syntax("a line ends, or a comma stands last, within { }");
    else if (first === '"' && /(?<!\\)(?:\\\\)*\\[ex]/.test(token)) throw syntax("an escape that TOML 1.0 has not");
  }
}

const syntax = (detail: string): TariffFault => new TariffFault("syntax", "", detail);

/** A table of the file whose keys are asked for one by one; what is not asked for by name is refused. */

import type { Tree } from "./document";
import { TariffFault } from "./fault";

export type Entries = { [key: string]: Tree };

export class Table {
  private readonly entries: Entries;

  constructor(
    value: Tree | undefined,
    readonly place: string,
    /** The keys that it may have; null: any. */
    keys: readonly string[] | null,
  ) {
    if (typeof value !== "object" || Array.isArray(value)) throw new TariffFault("type", place, "a table is expected");
    this.entries = value;
    for (const key of Object.keys(value)) if (keys && !keys.includes(key)) throw new TariffFault("unknown", this.at(key), "no key of ours");
  }

  at(key: string): string {
    return this.place ? `${this.place}.${key}` : key;
  }

  has(key: string): boolean {
    return this.entries[key] !== undefined;
  }

  names(): string[] {
    return Object.keys(this.entries);
  }

  get(key: string): Tree {
    const value = this.entries[key];
    if (value === undefined) throw new TariffFault("missing", this.at(key), "this key is needed");
    return value;
  }

  text(key: string): string {
    return asText(this.get(key), this.at(key));
  }

  /** A text, read by `read`, which gives null for what it cannot read. */
  read<T>(key: string, read: (text: string) => T | null, expected: string): T {
    const found = read(this.text(key));
    if (found === null) throw new TariffFault("value", this.at(key), expected);
    return found;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    return this.read(key, (text) => allowed.find((one) => one === text) ?? null, `one of ${allowed.join(", ")}`);
  }

  whole(key: string, least: bigint, most: bigint): bigint {
    const value = this.get(key);
    if (typeof value !== "bigint") throw new TariffFault("type", this.at(key), "a whole number is expected");
    if (value < least || value > most) throw new TariffFault("value", this.at(key), `from ${least} to ${most}`);
    return value;
  }

  truth(key: string): boolean {
    const value = this.get(key);
    if (typeof value !== "boolean") throw new TariffFault("type", this.at(key), "true or false");
    return value;
  }

  texts(key: string, least = 1): string[] {
    const place = this.at(key);
    const found = asList(this.get(key), place).map((value, at) => asText(value, item(place, at)));
    if (found.length < least) throw new TariffFault("value", place, "at least one is needed");
    return found;
  }

  /** The tables of a list, none where the key is missing. */
  tables(key: string, keys: readonly string[]): Table[] {
    if (!this.has(key)) return [];
    const place = this.at(key);
    return asList(this.get(key), place).map((value, at) => new Table(value, item(place, at), keys));
  }

  /** A table below this one; empty where the key is missing. */
  table(key: string, keys: readonly string[] | null): Table {
    return new Table(this.has(key) ? this.get(key) : {}, this.at(key), keys);
  }
}

/** The place of an item of a list; people count from 1. */
export const item = (place: string, at: number): string => `${place}[${at + 1}]`;

export function asText(value: Tree, place: string): string {
  if (typeof value !== "string") throw new TariffFault("type", place, "a text is expected");
  return value;
}

export function asList(value: Tree, place: string): Tree[] {
  if (!Array.isArray(value)) throw new TariffFault("type", place, "a list is expected");
  return value;
}

export function unique(items: readonly { name: string }[], place: string): void {
  const seen = new Set<string>();
  for (const { name } of items) {
    if (seen.has(name)) throw new TariffFault("repeated", place, `${JSON.stringify(name)} is there twice`);
    seen.add(name);
  }
}

/**
 * Just enough of the SQLite file format (sqlite.org/fileformat2.html) to read one table's rows in order of rowid:
 * table b-trees, overflow pages, records. Every page is visited once at most, whatever the file says.
 */

export type Value = null | number | string | Uint8Array;

export class DatabaseError extends Error {}

const INTERIOR = 5;
const LEAF = 13;
const MAX_DEPTH = 24;
const MAX_PAYLOAD = 1 << 20;
const MAX_COLUMNS = 2000;

export class Database {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly pageSize: number;
  private readonly usable: number;
  private readonly text: TextDecoder;

  constructor(bytes: Uint8Array) {
    if (bytes.length < 512) throw new DatabaseError("is cut off");
    const size = bytes[16]! * 256 + bytes[17]!;
    this.pageSize = size === 1 ? 65_536 : size;
    this.bytes = wholePages(bytes, this.pageSize);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.usable = this.pageSize - bytes[20]!;
    if (this.pageSize < 512 || (this.pageSize & (this.pageSize - 1)) !== 0 || this.usable < 480) {
      throw new DatabaseError("has no such page size");
    }
    const encoding = [undefined, "utf-8", "utf-16le", "utf-16be"][this.view.getUint32(56) || 1];
    if (encoding === undefined) throw new DatabaseError("has no such encoding");
    this.text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  }

  /** The table's root page and columns; null when there is none of that name, or it is no table. */
  table(name: string): { root: number; columns: string[] } | null {
    for (const [type, entry, , root, sql] of this.rows(1)) {
      if (this.words(entry) !== name) continue;
      if (this.words(type) !== "table" || typeof root !== "number") return null;
      return { root, columns: columnsOf(this.words(sql) ?? "") };
    }
    return null;
  }

  /** Each row's values, as the record has them. */
  *rows(root: number): Generator<Value[]> {
    const seen = new Set<number>();
    yield* this.walk(root, 0, seen);
  }

  /** A text, or the text in a blob; null for anything else. */
  words(value: Value | undefined): string | null {
    return typeof value === "string" ? value : null;
  }

  private *walk(page: number, depth: number, seen: Set<number>): Generator<Value[]> {
    const start = this.visit(page, seen);
    if (depth > MAX_DEPTH) throw new DatabaseError("has a tree that is too deep");
    const header = page === 1 ? 100 : 0;
    const kind = this.bytes[start + header]!;
    const count = this.view.getUint16(start + header + 3);
    if (kind !== LEAF && kind !== INTERIOR) throw new DatabaseError("has a page of another kind");
    const pointers = header + (kind === LEAF ? 8 : 12);
    if (pointers + 2 * count > this.usable) throw new DatabaseError("has a page with too many cells");
    for (let cell = 0; cell < count; cell++) {
      const at = this.view.getUint16(start + pointers + 2 * cell);
      if (at + 4 > this.usable) throw new DatabaseError("has a cell outside its page");
      if (kind === INTERIOR) yield* this.walk(this.view.getUint32(start + at), depth + 1, seen);
      else yield this.record(this.payload(start, at, seen));
    }
    if (kind === INTERIOR) yield* this.walk(this.view.getUint32(start + header + 8), depth + 1, seen);
  }

  private visit(page: number, seen: Set<number>): number {
    const start = (page - 1) * this.pageSize;
    if (page < 1 || start + this.pageSize > this.bytes.length) throw new DatabaseError("is cut off");
    if (seen.has(page)) throw new DatabaseError("has a page in two places");
    seen.add(page);
    return start;
  }

  private payload(page: number, cell: number, seen: Set<number>): Uint8Array {
    const [size, afterSize] = varint(this.bytes, page + cell, page + this.usable);
    const [, begin] = varint(this.bytes, afterSize, page + this.usable);
    if (size > MAX_PAYLOAD) throw new DatabaseError("has a row that is too long");
    const most = this.usable - 35;
    const least = Math.floor(((this.usable - 12) * 32) / 255) - 23;
    const spill = least + ((size - least) % (this.usable - 4));
    const local = size <= most ? size : spill <= most ? spill : least;
    const end = begin + local;
    if (end + (local < size ? 4 : 0) > page + this.usable) throw new DatabaseError("has a cell outside its page");
    if (local === size) return this.bytes.subarray(begin, end);
    const whole = new Uint8Array(size);
    whole.set(this.bytes.subarray(begin, end));
    let filled = local;
    let next = this.view.getUint32(end);
    while (filled < size) {
      const start = this.visit(next, seen);
      const part = Math.min(size - filled, this.usable - 4);
      whole.set(this.bytes.subarray(start + 4, start + 4 + part), filled);
      filled += part;
      next = this.view.getUint32(start);
    }
    return whole;
  }

  private record(payload: Uint8Array): Value[] {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const [headerSize, first] = varint(payload, 0, payload.length);
    if (headerSize > payload.length) throw new DatabaseError("has a broken row");
    const values: Value[] = [];
    let body = headerSize;
    for (let at = first; at < headerSize; ) {
      const [type, next] = varint(payload, at, headerSize);
      at = next;
      const size = sizeOf(type);
      if (body + size > payload.length || values.length >= MAX_COLUMNS) throw new DatabaseError("has a broken row");
      values.push(this.value(view, payload, type, body, size));
      body += size;
    }
    return values;
  }

  private value(view: DataView, payload: Uint8Array, type: number, at: number, size: number): Value {
    switch (type) {
      case 0:
        return null;
      case 1:
        return view.getInt8(at);
      case 2:
        return view.getInt16(at);
      case 3:
        return view.getInt8(at) * 65_536 + view.getUint16(at + 1);
      case 4:
        return view.getInt32(at);
      case 5:
        return view.getInt16(at) * 4_294_967_296 + view.getUint32(at + 2);
      case 6:
        return Number(view.getBigInt64(at));
      case 7:
        return view.getFloat64(at);
      case 8:
        return 0;
      case 9:
        return 1;
      case 10:
      case 11:
        throw new DatabaseError("has a value of no kind");
      default: {
        const bytes = payload.subarray(at, at + size);
        if (type % 2 === 0) return bytes;
        try {
          return this.text.decode(bytes);
        } catch {
          return bytes;
        }
      }
    }
  }
}

/** As SQLite reads it, what is missing of the last page is zero. */
function wholePages(bytes: Uint8Array, pageSize: number): Uint8Array {
  const rest = pageSize > 0 ? bytes.length % pageSize : 0;
  if (rest === 0) return bytes;
  const padded = new Uint8Array(bytes.length - rest + pageSize);
  padded.set(bytes);
  return padded;
}

function sizeOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type]!;
}

/** The number, and where it ends. Beyond 2^53 it is only known to be large. */
function varint(bytes: Uint8Array, at: number, end: number): [number, number] {
  let value = 0;
  for (let count = 0; count < 9; count++) {
    if (at >= end) throw new DatabaseError("has a broken row");
    const byte = bytes[at++]!;
    if (count === 8) return [value * 256 + byte, at];
    value = value * 128 + (byte & 127);
    if (byte < 128) return [value, at];
  }
  return [value, at];
}

/** The names of the columns in a CREATE TABLE statement, in order. */
export function columnsOf(sql: string): string[] {
  const columns: string[] = [];
  let depth = 0;
  let fresh = false;
  const tokens = /"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|'(?:[^']|'')*'|([A-Za-z_][A-Za-z0-9_$]*)|[(),]|[^\s]/g;
  for (const match of sql.slice(0, 100_000).matchAll(tokens)) {
    if (match[0] === "(") {
      depth++;
      if (depth === 1) fresh = true;
    } else if (match[0] === ")") {
      depth--;
      if (depth === 0) break;
    } else if (match[0] === "," && depth === 1) fresh = true;
    else if (fresh && depth === 1) {
      fresh = false;
      const constraint = /^(constraint|primary|unique|check|foreign)$/i.test(match[4] ?? "");
      if (!constraint) columns.push(match[1] ?? match[2] ?? match[3] ?? match[4] ?? "");
    }
  }
  return columns;
}

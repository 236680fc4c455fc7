/** ZIP archives, bounded whatever they claim of themselves: stored and deflated files, no passwords, no ZIP64. */

import { latin1 } from "./text";
import { PhoneLogError } from "./types";

const MAX_FILES = 500_000;
const MAX_TOTAL = 1 << 30;
const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const ENCRYPTED = 1;
const UTF8 = 0x800;

interface Member {
  name: string;
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
  local: number;
}

export class Archive {
  readonly members: Member[] = [];
  private total = 0;
  private readonly name: string;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      this.list();
    } catch (problem) {
      if (problem instanceof RangeError) throw this.damaged();
      throw problem;
    }
    this.members.sort((a, b) => compare(a.name, b.name));
  }

  /** The members whose names end in one of `endings`, in order of their names; of equal ones, the last. */
  named(endings: string[]): Member[] {
    const all = this.members.filter(({ name }) => endings.some((ending) => name.toLowerCase().endsWith(ending)));
    return all.filter(({ name }, place) => name !== all[place + 1]?.name);
  }

  async read(member: Member, limit: number): Promise<Uint8Array> {
    const name = `${this.name}/${member.name}`;
    if (member.flags & ENCRYPTED) throw new PhoneLogError("archive", `${name}: is protected by a password; unpack it yourself`);
    if (member.method !== 0 && member.method !== 8) {
      throw new PhoneLogError("archive", `${name}: is packed in an unusual way; unpack it yourself`);
    }
    const { local } = member;
    if (local + 30 > this.bytes.length || this.view.getUint32(local, true) !== LOCAL) throw this.damaged();
    const begin = local + 30 + this.view.getUint16(local + 26, true) + this.view.getUint16(local + 28, true);
    if (begin + member.packed > this.bytes.length) throw this.damaged();
    const packed = this.bytes.subarray(begin, begin + member.packed);
    const data = member.method === 0 ? packed : await inflate(packed, Math.min(limit, MAX_TOTAL - this.total));
    if (data === null || data.length > limit || this.total + data.length > MAX_TOTAL) {
      throw new PhoneLogError("too-large", `${name}: is too large; export a shorter time`);
    }
    if (data === "damaged" || data.length !== member.size || crc32(data) !== member.crc) throw this.damaged();
    this.total += data.length;
    return data;
  }

  private list(): void {
    const { view } = this;
    let end = this.bytes.length - 22;
    const last = Math.max(0, end - 65_535);
    while (end >= last && view.getUint32(end, true) !== END) end--;
    if (end < last || end < 0) throw this.damaged();
    const count = view.getUint16(end + 10, true);
    const claimed = view.getUint32(end + 16, true);
    if (count === 0xffff || claimed === 0xffff_ffff) {
      throw new PhoneLogError("archive", `${this.name}: is a very large archive; unpack it yourself`);
    }
    if (count > MAX_FILES) throw new PhoneLogError("too-large", `${this.name}: more than ${MAX_FILES} files`);
    /** Whatever stands before the archive in its file moves all that the archive says of places. */
    let at = end - view.getUint32(end + 12, true);
    const moved = at - claimed;
    if (at < 0 || moved < 0) throw this.damaged();
    for (let number = 0; number < count; number++) {
      if (view.getUint32(at, true) !== ENTRY) throw this.damaged();
      const length = view.getUint16(at + 28, true);
      const raw = this.bytes.subarray(at + 46, at + 46 + length);
      const flags = view.getUint16(at + 8, true);
      const name = flags & UTF8 ? new TextDecoder().decode(raw) : latin1(raw);
      const [method, crc] = [view.getUint16(at + 10, true), view.getUint32(at + 16, true)];
      const [packed, size] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
      const local = moved + view.getUint32(at + 42, true);
      if (!name.endsWith("/")) this.members.push({ name, flags, method, crc, packed, size, local });
      at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
  }

  private damaged(): PhoneLogError {
    return new PhoneLogError("archive", `${this.name}: is a damaged ZIP archive; unpack it yourself`);
  }
}

/** The unpacked bytes; null when they are more than the limit. */
async function inflate(packed: Uint8Array, limit: number): Promise<Uint8Array | null | "damaged"> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > limit) {
        await reader.cancel();
        return null;
      }
      pieces.push(value);
    }
  } catch {
    return "damaged";
  }
  const data = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return data;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(data: Uint8Array): number {
  let value = 0xffff_ffff;
  for (let at = 0; at < data.length; at++) value = CRC_TABLE[(value ^ data[at]!) & 255]! ^ (value >>> 8);
  return (value ^ 0xffff_ffff) >>> 0;
}

/** By code points, not by UTF-16 units or a language's order: the same everywhere. */
function compare(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const difference = rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;
}

/**
 * A receipt from the text of its QR code: `BP1:`, base45 (RFC 9285), raw deflate, deterministic CBOR. What the
 * array holds, and which encodings are refused, is in docs/invoice.md. The receipt is not checked here.
 */

import { unpack } from "./unpack";

export class ReceiptCodeError extends Error {
  constructor(readonly reason: string) {
    super(`this code cannot be used: ${reason}`);
    this.name = "ReceiptCodeError";
  }
}

export const PREFIX = "BP1:";

type Cbor = bigint | string | Uint8Array | Cbor[];

const MAX_CODE = 4296;
const MAX_CBOR = 1 << 14;
const MAX_DEPTH = 4;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const RECORD = "index service startedAt utcOffset usage billedUsage peer network amount rate corrects number salt".split(" ");
const TEXTS = new Set(["network", "rate", "number"]);
const HASHES = new Set(["peer", "salt"]);

/** The receipt as its JSON file has it, for the same strict reading as a file's. */
export async function readReceiptCode(text: string): Promise<object> {
  const code = text.replace(/^[\r\n\t ]+|[\r\n\t ]+$/g, "");
  if (!code.startsWith(PREFIX)) throw new ReceiptCodeError(`it does not begin with ${PREFIX}`);
  if (code.length > MAX_CODE) throw new ReceiptCodeError("it is longer than any QR code");
  const content = await unpack(fromBase45(code.slice(PREFIX.length)), "deflate-raw", MAX_CBOR);
  if (!content) throw new ReceiptCodeError("it is damaged");
  return receipt(decode(content));
}

function fromBase45(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 3 === 1) throw new ReceiptCodeError("it is damaged");
  const out = new Uint8Array(Math.floor((text.length * 2) / 3));
  for (let at = 0, end = 0; at < text.length; at += 3) {
    const digits = [...text.slice(at, at + 3)].map((character) => ALPHABET.indexOf(character));
    if (digits.includes(-1)) throw new ReceiptCodeError("it holds characters that no code has");
    const value = digits.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (value >= (digits.length === 3 ? 65_536 : 256)) throw new ReceiptCodeError("it is damaged");
    if (digits.length === 3) out[end++] = value >> 8;
    out[end++] = value & 255;
  }
  return out;
}

/** The value that the bytes encode, all of them. */
function decode(bytes: Uint8Array): Cbor {
  let at = 0;
  const fail = (reason: string): never => {
    throw new ReceiptCodeError(reason);
  };
  const argument = (short: number): bigint => {
    if (short < 24) return BigInt(short);
    if (short > 27) return fail("it holds a kind of value that receipts do not have");
    const length = 1 << (short - 24);
    if (at + length > bytes.length) return fail("it is cut off");
    let value = 0n;
    for (let i = 0; i < length; i++) value = (value << 8n) | BigInt(bytes[at++]!);
    if (value < (length === 1 ? 24n : 1n << BigInt(4 * length))) fail("a number is written in another way than ours");
    return value;
  };
  const read = (depth: number): Cbor => {
    if (at >= bytes.length || depth > MAX_DEPTH) return fail("it is cut off or nested too deeply");
    const head = bytes[at++]!;
    const value = argument(head & 31);
    switch (head >> 5) {
      case 0:
        return value;
      case 1:
        return -1n - value;
      case 2:
      case 3: {
        if (value > BigInt(bytes.length - at)) return fail("it is cut off");
        const part = bytes.slice(at, (at += Number(value)));
        return head >> 5 === 2 ? part : utf8(part);
      }
      case 4: {
        const items: Cbor[] = [];
        for (let i = 0n; i < value; i++) items.push(read(depth + 1));
        return items;
      }
      default:
        return fail("it holds a kind of value that receipts do not have");
    }
  };
  const found = read(0);
  return at === bytes.length ? found : fail("something follows its end");
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ReceiptCodeError("a text is damaged");
  }
}

function receipt(fields: Cbor): object {
  if (!Array.isArray(fields) || fields.length !== 15) throw new ReceiptCodeError("it is no receipt");
  const values = fields[11];
  if (!Array.isArray(values) || (values.length !== 11 && values.length !== 13)) {
    throw new ReceiptCodeError("it is no receipt");
  }
  return {
    schema: "billproof/receipt/1",
    batch: {
      chainId: chainId(fields[0]),
      ledger: hex(fields[1], 20),
      operatorId: decimal(fields[2]),
      period: decimal(fields[3]),
      region: decimal(fields[4]),
      sequence: decimal(fields[5]),
    },
    statement: {
      account: hex(fields[6]),
      recordCount: decimal(fields[7]),
      currency: plain(fields[8]),
      tariff: orZeros(fields[9]),
      totals: hex(fields[10]),
    },
    record: Object.fromEntries(values.map((value, at) => [RECORD[at]!, field(RECORD[at]!, value)])),
    recordProof: hashes(fields[12]),
    entry: { nextAccount: hex(fields[13]), proof: hashes(fields[14]) },
  };
}

function field(name: string, value: Cbor): string {
  if (TEXTS.has(name)) return plain(value);
  if (name === "corrects") return orZeros(value);
  return HASHES.has(name) ? hex(value) : decimal(value);
}

function chainId(value: Cbor | undefined): string {
  if (!(value instanceof Uint8Array)) return decimal(value);
  if (value.length < 9 || value[0] === 0) throw new ReceiptCodeError("its chain id is written in another way than ours");
  return value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n).toString();
}

function decimal(value: Cbor | undefined): string {
  if (typeof value !== "bigint") throw new ReceiptCodeError("a number is missing");
  return value.toString();
}

function plain(value: Cbor | undefined): string {
  if (typeof value !== "string") throw new ReceiptCodeError("a text is missing");
  return value;
}

function hex(value: Cbor | undefined, length = 32): string {
  if (!(value instanceof Uint8Array) || value.length !== length) {
    throw new ReceiptCodeError("a hash or an address has another length");
  }
  return `0x${[...value].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function orZeros(value: Cbor | undefined): string {
  if (value instanceof Uint8Array && value.length === 0) return `0x${"0".repeat(64)}`;
  const text = hex(value);
  if (/^0x0*$/.test(text)) throw new ReceiptCodeError("zeros are written in another way than ours");
  return text;
}

function hashes(value: Cbor | undefined): string[] {
  if (!(value instanceof Uint8Array) || value.length % 32) throw new ReceiptCodeError("a proof has another length");
  return Array.from({ length: value.length / 32 }, (_, at) => hex(value.slice(32 * at, 32 * at + 32)));
}

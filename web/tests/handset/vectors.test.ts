/** Every sample gives what is written beside it: the same as the Python package. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { PhoneLogError, readPhoneLog } from "../../src/handset/index";

const VECTORS = fileURLToPath(new URL("../../../tests/vectors/handset/", import.meta.url));
const NAMES = readdirSync(VECTORS).filter((name) => !name.endsWith(".expected.json"));

const bytesOf = (name: string) => new Uint8Array(readFileSync(VECTORS + name));

describe("samples", () => {
  test.each(NAMES)("%s", async (name) => {
    const expected = JSON.parse(readFileSync(`${VECTORS}${name}.expected.json`, "utf-8"));
    if (expected.error !== undefined) {
      const error = await readPhoneLog(name, bytesOf(name)).catch((problem: unknown) => problem);
      expect(error).toBeInstanceOf(PhoneLogError);
      expect((error as PhoneLogError).code).toBe(expected.error);
      expect((error as PhoneLogError).detail).toContain(name);
    } else expect(await readPhoneLog(name, bytesOf(name))).toEqual(expected);
  });
});

/** A small generator of numbers that depend on the seed alone (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function damaged(bytes: Uint8Array, seed: number): Uint8Array {
  const draw = generator(seed);
  const data = [...bytes];
  const below = (limit: number) => Math.floor(draw() * limit);
  for (let count = 1 + below(8); count > 0; count--) {
    const at = below(data.length + 1);
    const kind = below(4);
    if (kind === 0 && at < data.length) data[at] = below(256);
    else if (kind === 1) data.splice(at, below(40));
    else if (kind === 2) data.splice(at, 0, ...data.slice(0, below(40)));
    else data.splice(at + below(2000));
  }
  return Uint8Array.from(data);
}

describe("damaged samples", () => {
  test.each(NAMES)("%s gives nothing but a log or a PhoneLogError", async (name) => {
    const bytes = bytesOf(name);
    for (let seed = 0; seed < 150; seed++) {
      try {
        const log = await readPhoneLog("file", damaged(bytes, seed));
        for (const entry of log.entries) expect(Number.isSafeInteger(entry.at) && entry.duration >= -1).toBe(true);
      } catch (problem) {
        if (!(problem instanceof PhoneLogError)) throw new Error(`seed ${seed}`, { cause: problem });
      }
    }
  });
});

describe("hostile files", () => {
  const codeOf = async (bytes: Uint8Array | string) => {
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    return readPhoneLog("file", data).then(
      () => "read",
      (problem: unknown) => (problem instanceof PhoneLogError ? problem.code : String(problem)),
    );
  };

  test("entities are refused before they grow", async () => {
    expect(await codeOf('<!DOCTYPE calls SYSTEM "file:///etc/passwd"><calls/>')).toBe("entities");
  });

  test("nesting is bounded", async () => {
    expect(await codeOf(`<calls>${"<a>".repeat(1_000_000)}`)).toBe("nested");
  });

  test.each(["<a ", "<a<", "<!--", '<a "', "<a '\"", "</", "<style>", "&#", "<div class=", "<![CDATA["])(
    "a page of nothing but %s is read in one pass",
    async (piece) => {
      const page = `<html>haudio${piece.repeat(1_000_000 / piece.length)}>`;
      const began = performance.now();
      await codeOf(page);
      expect(performance.now() - began).toBeLessThan(5000);
    },
  );

  test("a bomb in an archive is refused", async () => {
    const zeros = new Blob([new Uint8Array(20 << 20)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const packed = new Uint8Array(await new Response(zeros).arrayBuffer());
    const name = new TextEncoder().encode("a.html");
    const entry = new DataView(new ArrayBuffer(46));
    const local = new DataView(new ArrayBuffer(30));
    const end = new DataView(new ArrayBuffer(22));
    local.setUint32(0, 0x04034b50, true);
    local.setUint16(26, name.length, true);
    entry.setUint32(0, 0x02014b50, true);
    entry.setUint16(10, 8, true);
    entry.setUint32(20, packed.length, true);
    entry.setUint16(28, name.length, true);
    end.setUint32(0, 0x06054b50, true);
    end.setUint16(10, 1, true);
    end.setUint32(12, 46 + name.length, true);
    end.setUint32(16, 30 + name.length + packed.length, true);
    const parts = [local, name, packed, entry, name, end] as BlobPart[];
    expect(await codeOf(new Uint8Array(await new Blob(parts).arrayBuffer()))).toBe("too-large");
  });

  test("a cut file says where", async () => {
    const cut = bytesOf("calls.xml").slice(0, -200);
    await expect(readPhoneLog("calls.xml", cut)).rejects.toThrow(/calls\.xml:1\d: .*cut off/);
  });

  test("a hundred thousand calls take no long time", async () => {
    const call = '<call number="+353201234567" duration="3" date="1790845200000" type="2" presentation="1"/>\n';
    const log = await readPhoneLog("calls.xml", new TextEncoder().encode(`<calls>\n${call.repeat(100_000)}</calls>`));
    expect(log.entries.length).toBe(100_000);
  });
});

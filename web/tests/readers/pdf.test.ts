import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { PdfError, readAttachment } from "../../src/readers/pdf";
import { vectors } from "../protocol/vectors";

const INVOICE = new Uint8Array(readFileSync(new URL("../../../tests/vectors/invoice.pdf", import.meta.url)));
const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

/** A plain PDF of some objects, in which `objects[0]` is the catalog. */
function pdf(objects: string[], trailer = ""): Uint8Array {
  let text = "%PDF-1.7\n";
  const offsets = objects.map((object, at) => {
    const offset = text.length;
    text += `${at + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const start = text.length;
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join("")}`;
  return bytes(`${text}${table}trailer\n<< /Root 1 0 R ${trailer}>>\nstartxref\n${start}\n%%EOF\n`);
}

function attached(packed: Uint8Array, facts = "/Filter /FlateDecode"): string[] {
  return [
    "<< /Names << /EmbeddedFiles << /Names [(b) 2 0 R] >> >> /Pages << /Kids [4 0 R] >> >>",
    "<< /EF << /F 3 0 R >> >>",
    `<< /Type /EmbeddedFile ${facts} /Length ${packed.length} >>\nstream\n${latin(packed)}\nendstream`,
    "<< /Type /Page /Contents 5 0 R /Resources << /Font << /F1 6 0 R >> >> >>",
    (() => {
      const drawing = latin(deflateSync("BT /F1 9 Tf 1 0 0 1 9 9 Tm (a\\(b\\)) Tj (c) Tj 1 0 0 1 9 8 Tm (\\101) Tj ET"));
      return `<< /Filter [/FlateDecode] /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`;
    })(),
    "<< /Type /Font >>",
  ];
}

const code = (content: Uint8Array): Promise<unknown> =>
  readAttachment(content).then(
    () => "read",
    (error: unknown) => (error instanceof PdfError ? error.code : error),
  );

describe("invoices", () => {
  it("reads the bundle and the texts of ours", async () => {
    const { bundle, text } = await readAttachment(INVOICE);
    expect(JSON.parse(new TextDecoder().decode(bundle))).toEqual(vectors("batch").bundles["1001"]);
    expect(text).toEqual(vectors("invoice").text);
    expect(text).toContain("Μέριδιαν Телеком");
  });

  it("reads a file in one way only", async () => {
    const text = latin(INVOICE);
    const table = text.lastIndexOf("xref\n0 ", text.lastIndexOf("startxref") - 1);
    const hidden = "4 0 obj\n<< /Type /Page >>\nendobj\n";
    const moved = (content: string): Uint8Array => bytes(content.replace(`startxref\n${table}\n`, `startxref\n${table + hidden.length}\n`));
    const changed = [
      moved(text.slice(0, table) + hidden + text.slice(table)),
      bytes(text.replace("xref\n0 ", "xref0 ")),
      pdf(attached(deflateSync("{}")).map((object) => object.replace("/Kids [4 0 R]", "/Kids [4 0 R 4 0 R]"))),
      pdf(attached(deflateSync("{}")).map((object) => object.replace("/Kids [4 0 R]", "/Kids [<< /Type /Page >>]"))),
      bytes(latin(pdf(attached(deflateSync("{}")))).replace("/Root 1 0 R", "/Root << /Type /Catalog >>")),
    ];
    for (const content of changed) expect(["changed", "damaged"]).toContain(await code(content));
  });

  it("reads one made by hand", async () => {
    const { bundle, text } = await readAttachment(pdf(attached(deflateSync("{}"))));
    expect(latin(bundle)).toBe("{}");
    expect(text).toEqual(["a(b)c", "A"]);
  });

  it("refuses everything else, and says why", async () => {
    const good = attached(deflateSync("{}"));
    expect(await code(bytes("{}"))).toBe("not-pdf");
    expect(await code(pdf(good, "/Encrypt << >> "))).toBe("encrypted");
    expect(await code(pdf(good, "/Prev 10 "))).toBe("changed");
    expect(await code(bytes(`${latin(INVOICE)}${"x".repeat(99)}`))).toBe("damaged");
    expect(await code(pdf(["<< >>"]))).toBe("no-attachment");
    expect(await code(pdf([...good, "<< /EF << /F 3 0 R >> >>"]))).toBe("several-attachments");
    expect(await code(pdf([...good, good[2]!]))).toBe("several-attachments");
    expect(await code(pdf(attached(bytes("{}"), "")))).toBe("changed");
    expect(await code(pdf(attached(deflateSync("{}"), "/Filter /LZWDecode")))).toBe("changed");
    expect(await code(pdf(attached(deflateSync("{}").subarray(0, 6))))).toBe("damaged");
    expect(await code(bytes(latin(pdf(good)).replace("xref\n0", "yref\n0")))).toBe("changed");
    expect(await code(pdf(["[".repeat(99)]))).toBe("damaged");
  });

  it("does not unpack what grows beyond all invoices", async () => {
    expect(await code(pdf(attached(deflateSync(new Uint8Array(64 << 20)))))).toBe("damaged");
  });

  it("refuses a file that is cut off anywhere", async () => {
    for (let length = 0; length < INVOICE.length - 2; length += 211) {
      expect(["damaged", "not-pdf"]).toContain(await code(INVOICE.subarray(0, length)));
    }
  });

  it("reads or refuses whatever is changed", async () => {
    let seed = 1;
    const dice = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const pieces = ["<<", "[", "(", "/", "1 0 R ", "99999999999", "%", ">>", "\0"];
    for (let turn = 0; turn < 400; turn++) {
      let text = latin(INVOICE);
      const at = dice(turn % 2 ? text.length : 3000);
      text = `${text.slice(0, at)}${pieces[dice(pieces.length)]!}${text.slice(at + dice(12))}`;
      expect(typeof (await code(bytes(text)))).toBe("string");
    }
  });
});

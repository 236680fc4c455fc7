/** An invoice of Billproof's → the bundle attached to it, and the texts that its pages show. */

import {
  PdfError,
  PdfFile,
  PdfName,
  PdfOperator,
  PdfReference,
  PdfStream,
  Scanner,
  type PdfDictionary,
  type PdfValue,
} from "./pdfobjects";
import { unpack } from "./unpack";

export { PdfError, type PdfCode } from "./pdfobjects";

export interface Invoice {
  /** The file attached, a bundle's JSON. */
  bundle: Uint8Array<ArrayBuffer>;
  /** The texts on the pages, one for each place that is written at, in the order of drawing. */
  text: string[];
}

/** Of bytes unpacked to bytes packed: a bundle has some 4, a page 8. */
const MOST_RATIO = 40;
const MOST_UNPACKED = 1 << 28;

/** Throws `PdfError` for all but the files that Billproof writes. */
export async function readAttachment(content: Uint8Array): Promise<Invoice> {
  const file = new PdfFile(new Uint8Array(content));
  return { bundle: await unpacked(attachment(file)), text: await shownTexts(file) };
}

function attachment(file: PdfFile): PdfStream {
  let files = 0;
  let streams = 0;
  for (const value of file.objects.values()) {
    files += filesIn(value);
    if (value instanceof PdfStream && isName(value.facts.get("Type"), "EmbeddedFile")) streams++;
  }
  if (files > 1 || streams > 1) throw new PdfError("several-attachments", "this PDF has several attachments");
  if (!files) throw new PdfError("no-attachment", "no bundle is attached to this PDF");
  const tree = file.dictionary(file.dictionary(file.root.get("Names")).get("EmbeddedFiles"));
  const listed = file.array(tree.get("Names"));
  if (listed.length !== 2 || tree.has("Kids")) throw new PdfError("damaged", "the list of attachments");
  return file.stream(file.dictionary(file.dictionary(listed[1]).get("EF")).get("F"));
}

function filesIn(value: PdfValue): number {
  if (value instanceof PdfStream) return filesIn(value.facts);
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + filesIn(item), 0);
  if (!(value instanceof Map)) return 0;
  return (value.has("EF") ? 1 : 0) + [...value.values()].reduce<number>((sum, item) => sum + filesIn(item), 0);
}

function isName(value: PdfValue | undefined, text: string): boolean {
  return value instanceof PdfName && value.text === text;
}

async function unpacked(stream: PdfStream): Promise<Uint8Array<ArrayBuffer>> {
  const how = stream.facts.get("Filter");
  const only = Array.isArray(how) && how.length === 1 ? how[0] : how;
  if (!isName(only, "FlateDecode") || stream.facts.has("DecodeParms")) {
    throw new PdfError("changed", "a stream is packed in another way than Billproof does");
  }
  const most = Math.min(stream.packed.length * MOST_RATIO + (1 << 16), MOST_UNPACKED);
  const content = await unpack(stream.packed, "deflate", most);
  if (!content) throw new PdfError("damaged", "a stream is damaged, or unpacks to far more than an invoice does");
  return content;
}

type Characters = Map<number, string>;

async function shownTexts(file: PdfFile): Promise<string[]> {
  const texts: string[] = [];
  const known = new Map<PdfDictionary, Characters>();
  const kids = file.array(file.dictionary(file.root.get("Pages")).get("Kids"));
  const named = kids.map((kid) => (kid instanceof PdfReference ? kid.number : NaN));
  if (named.some(Number.isNaN) || new Set(named).size < kids.length) {
    throw new PdfError("changed", "pages are listed in another way");
  }
  for (const kid of kids) {
    const page = file.dictionary(kid);
    if (!isName(page.get("Type"), "Page")) throw new PdfError("changed", "pages are listed in another way");
    const fonts = new Map<string, Characters>();
    for (const [name, value] of file.dictionary(file.dictionary(page.get("Resources")).get("Font"))) {
      const font = file.dictionary(value);
      const characters = known.get(font) ?? (await charactersOf(file, font));
      known.set(font, characters);
      fonts.set(name, characters);
    }
    draw(await unpacked(file.stream(page.get("Contents"))), fonts, texts);
  }
  return texts;
}

function draw(drawing: Uint8Array<ArrayBuffer>, fonts: Map<string, Characters>, texts: string[]): void {
  const scanner = new Scanner(drawing);
  let operands: PdfValue[] = [];
  let font: Characters = new Map();
  let text: string | null = null;
  while (!scanner.ended()) {
    const value = scanner.value();
    if (!(value instanceof PdfOperator)) {
      operands.push(value);
      continue;
    }
    const last = operands.at(-1);
    if (value.text === "Tf") {
      const name = operands[0];
      font = (name instanceof PdfName ? fonts.get(name.text) : undefined) ?? new Map();
    } else if (value.text === "Tm" || value.text === "ET") {
      if (text !== null) texts.push(text);
      text = null;
    } else if (["Tj", "TJ", "'", '"'].includes(value.text)) {
      for (const piece of Array.isArray(last) ? last : [last]) {
        if (piece instanceof Uint8Array) for (const code of piece) text = (text ?? "") + (font.get(code) ?? "\ufffd");
      }
    }
    operands = [];
  }
  if (text !== null) texts.push(text);
}

/** Code → character of a font, by its ToUnicode map. */
async function charactersOf(file: PdfFile, font: PdfDictionary): Promise<Characters> {
  const found: Characters = new Map();
  const map = file.get(font.get("ToUnicode"));
  if (!(map instanceof PdfStream)) {
    for (let code = 32; code < 127; code++) found.set(code, String.fromCharCode(code));
    return found;
  }
  const scanner = new Scanner(await unpacked(map));
  let held: PdfValue[] = [];
  while (!scanner.ended()) {
    const value = scanner.value();
    if (!(value instanceof PdfOperator)) {
      held.push(value);
    } else if (value.text.startsWith("begin")) {
      held = [];
    } else if (value.text === "endbfchar") {
      for (let i = 0; i + 1 < held.length; i += 2) found.set(codeOf(held[i]), utf16(held[i + 1]));
    } else if (value.text === "endbfrange") {
      for (let i = 0; i + 2 < held.length; i += 3) addRange(found, codeOf(held[i]), codeOf(held[i + 1]), held[i + 2]);
    }
  }
  return found;
}

function addRange(found: Characters, first: number, last: number, target: PdfValue | undefined): void {
  if (last - first > 255) throw new PdfError("damaged", "a font");
  if (!Array.isArray(target)) {
    const start = utf16(target).charCodeAt(0);
    for (let code = first; code <= last; code++) found.set(code, String.fromCharCode(start + code - first));
    return;
  }
  target.slice(0, last - first + 1).forEach((character, at) => found.set(first + at, utf16(character)));
}

function codeOf(value: PdfValue | undefined): number {
  if (!(value instanceof Uint8Array) || value.length < 1 || value.length > 2) throw new PdfError("damaged", "a font");
  return value.reduce((code, byte) => code * 256 + byte, 0);
}

function utf16(value: PdfValue | undefined): string {
  if (!(value instanceof Uint8Array)) throw new PdfError("damaged", "a font");
  return new TextDecoder("utf-16be").decode(value);
}

/** The page: takes files, keeps the reader's choices, shows verdicts. */

import { NAMES, preferred, setLanguage, t, TABLES, type Language } from "./i18n";
import { keccak } from "./protocol/structs";
import { toHex } from "./protocol/hex";
import { isBundle } from "./protocol/documents";
import { recompute } from "./hashing";
import { type PhoneLog, PhoneLogError, readPhoneLog } from "./handset";
import { otherKind, readCode, type Refusal } from "./inputs";
import { BrokenLink } from "./link";
import { PdfError, readAttachment } from "./readers/pdf";
import { ReceiptCodeError } from "./readers/receiptcode";
import { looksLikeTariff, openTariff, type TariffFile } from "./tariff/bill";
import { MAX_TARIFF } from "./tariff/document";
import { fetchTariff } from "./tariff/fetch";
import { UNNAMED } from "./tariff/publication";
import { overall, type Report, type Step, Verifier, verdictOf } from "./verify";
import { printable, type Words } from "./chain/errors";
import { fill, h } from "./ui/dom";
import { dropZone } from "./ui/drop";
import { addLog, matchCard, type Said } from "./ui/match";
import { readPicture, readSvg, scanCamera } from "./ui/qr";
import { type Actions, reportCard } from "./ui/report";
import { priceCheck } from "./ui/prices";
import { settingsBox } from "./ui/settings";
import { type Kept, load, save } from "./ui/store";
import { tariffCard, type TariffActions } from "./ui/tariff";

const SVG = /^image\/svg\b/;

type DigestNote = "theCode" | "notTheCode" | null;

interface Given {
  name: string;
  content: Uint8Array;
  /** What the pages of an invoice say, text by text. */
  pages?: string[];
  /** Whether it is what a code or link named; undefined until that is known, null where none was seen before it. */
  note?: DigestNote;
}

/** What was given for a bill and is none: it gets a verdict of its own, or an older one would stand below its name. */
interface Refused {
  name: string;
  refused: Step;
}

type Source = Given | Refused;

export class App {
  private kept: Kept = load();
  private sources: Source[] = [];
  /** Digests that codes and links have named, for the next file that could be meant. */
  private readonly named = new Set<string>();
  private readonly logs: PhoneLog[] = [];
  /** Digests of the bills that the logs were given for. */
  private logged: ReadonlySet<string> = new Set();
  private readonly tariffs: TariffFile[] = [];
  private readonly said: Said = { answers: new Map(), drafts: new Map() };
  private readonly messages: string[] = [];
  /** What is seen and read out: progress, and what a file led to other than a verdict. */
  private readonly status = h("p", { class: "status", role: "status" });
  /** The verdict for screen readers; others see it large below. */
  private readonly spoken = h("p", { class: "hidden", role: "status", "aria-live": "polite" });
  private readonly results = h("div", { class: "results" });
  private readonly settings = h("div");
  private run = 0;
  private reports: Report[] = [];

  constructor(private readonly root: HTMLElement) {
    const known = this.kept.language in TABLES ? [this.kept.language] : navigator.languages;
    setLanguage(preferred(known));
    this.frame();
    // Files that miss the marked places must not replace the page; they are taken all the same.
    window.addEventListener("dragover", (dragged) => dragged.preventDefault());
    window.addEventListener("drop", (dropped) => {
      const files = [...(dropped.dataTransfer?.files ?? [])];
      const missed = !dropped.defaultPrevented && files.length > 0;
      dropped.preventDefault();
      if (missed) void this.take(files);
    });
    window.addEventListener("hashchange", () => void this.openLink(location.href));
    void this.openLink(location.href);
  }

  private frame(): void {
    const language = preferred(this.kept.language in TABLES ? [this.kept.language] : navigator.languages);
    document.documentElement.lang = language;
    document.title = t("title");
    const choice = h(
      "select",
      { "aria-label": t("language") },
      ...Object.entries(NAMES).map(([code, name]) => h("option", { value: code, lang: code, selected: code === language }, name)),
    );
    choice.addEventListener("change", () => {
      this.kept = { ...this.kept, language: choice.value };
      save(this.kept);
      setLanguage(choice.value as Language);
      this.frame();
      void this.check(false);
    });
    const words = { title: t("drop.bill"), hint: t("drop.billHint"), button: t("drop.choose") };
    const camera = h("button", { type: "button", class: "quiet", onclick: () => void this.scan() }, t("drop.camera"));
    fill(
      this.root,
      h("header", { class: "top no-print" }, h("p", { class: "brand" }, "Billproof"), choice),
      h(
        "main",
        {},
        h("h1", {}, t("title")),
        h("p", { class: "lead no-print" }, t("lead")),
        dropZone(words, ".pdf,.json,image/*", (files) => void this.take(files), camera),
        h("p", { class: "private no-print" }, t("private")),
        this.status,
        this.spoken,
        this.results,
      ),
      h("footer", {}, this.settings),
    );
    this.showSettings();
  }

  private showSettings(): void {
    const open = this.settings.querySelector("details")?.open ?? false;
    const box = settingsBox(this.kept, this.actions(), (kept) => this.change(kept));
    box.open = open;
    fill(this.settings, box);
  }

  private actions(): Actions {
    return {
      node: this.kept.node,
      useNode: (node) => this.change({ ...this.kept, node }),
      pin: (pin) => this.change({ ...this.kept, pins: [...this.kept.pins, pin] }),
    };
  }

  private change(kept: Kept): void {
    this.kept = kept;
    save(kept);
    this.showSettings();
    if (this.sources.length) void this.check(true);
  }

  // --- what comes in --------------------------------------------------------------------------------

  private async take(files: File[]): Promise<void> {
    this.messages.length = 0;
    fill(this.status, t("working"));
    const taken: Source[] = [];
    const logs: PhoneLog[] = [];
    const tariffs: TariffFile[] = [];
    for (const file of files) {
      try {
        const tariff = await tariffFile(file);
        if (tariff) {
          tariffs.push(tariff);
          continue;
        }
        const log = await phoneLog(file);
        if (log) {
          logs.push(log);
          continue;
        }
        const source = await this.source(file);
        if (source) taken.push(source);
      } catch {
        taken.push(refused(file.name, "read"));
      }
    }
    const laid = taken.some(isGiven) || (!taken.length && this.reports.some(matchable));
    if (!laid && (taken.length || this.reports.length)) {
      // They belong to no bill that is shown, and must not be taken for the one whose verdict is.
      taken.push(...logs.map(({ name }) => refused(name, "phoneLog")), ...tariffs.map(({ name }) => refused(name, "tariff")));
    } else if (!laid) {
      this.messages.push(...tariffs.map(({ name }) => t("tariff.wantsBill", { file: printable(name, 80) })));
      this.messages.push(...logs.map(({ name }) => t("read.phoneLog", { file: printable(name, 80) })));
    }
    if (taken.length) this.put(taken);
    for (const tariff of tariffs) this.addTariff(tariff);
    if (laid) for (const log of logs) addLog(this.logs, log);
    if (taken.length) return this.check(true);
    if (!logs.length && !tariffs.length) {
      this.awaitNamed();
      return this.check(false);
    }
    if (this.reports.some(matchable)) this.show();
    fill(this.status, this.messages.join(" "));
    if (tariffs.length) this.tell();
    this.results.querySelector(logs.length ? ".match" : ".tariff")?.scrollIntoView({ block: "start" });
  }

  /** Puts these in the place of whatever was checked before. */
  private put(sources: Source[]): void {
    const given = sources.filter(isGiven);
    const open = given.filter(({ note }) => note === undefined);
    if (this.named.size && open.length) {
      const meant = open.filter(({ content }) => this.named.has(digestOf(content)));
      for (const source of open) source.note = meant.includes(source) ? "theCode" : meant.length ? null : "notTheCode";
      this.named.clear();
      this.messages.splice(0, Infinity, ...this.messages.filter((said) => said !== t("link.wanted")));
    } else for (const source of open) source.note = null;
    if (given.length) {
      // Another bill may be another phone's: logs stay with the bills that they were given for.
      const digests = given.map(({ content }) => digestOf(content));
      if (!digests.every((digest) => this.logged.has(digest))) this.logs.length = 0;
      this.logged = new Set(digests);
    }
    this.sources = sources;
    // Until they are checked there is no verdict, least of all that of others.
    this.reports = [];
    fill(this.results);
    fill(this.spoken);
  }

  /** After a code that only names a bill: the bill that is shown may be it, and any other would only be taken for it. */
  private awaitNamed(): void {
    if (!this.named.size) return;
    const meant = this.sources.filter(isGiven).filter(({ content }) => this.named.has(digestOf(content)));
    if (!meant.length) {
      this.sources = [];
      return;
    }
    for (const source of meant) source.note = "theCode";
    this.named.clear();
    this.messages.length = 0;
  }

  private addTariff(tariff: TariffFile): void {
    const again = this.tariffs.findIndex(({ hash }) => hash === tariff.hash);
    if (again >= 0) this.tariffs.splice(again, 1);
    this.tariffs.push(tariff);
  }

  /** Asks the server that this page came from, when the reader wants it. */
  private async fetchTariff(hash: string): Promise<boolean> {
    const content = await fetchTariff(location.href, hash);
    if (!content) return false;
    this.addTariff(openTariff(t("tariff.served"), content));
    this.show();
    this.tell();
    this.results.querySelector(".tariff")?.scrollIntoView({ block: "start" });
    return true;
  }

  /** What the tariff says of the bill, for screen readers. */
  private tell(): void {
    const said = this.results.querySelector(".tariff > .notes .invalid, .tariff .verdict h3")?.textContent;
    if (said) fill(this.spoken, t("verdict.short", { verdict: said }));
  }

  /** A file as a bill's bytes; null when it is a code that only names a bill. */
  private async source(file: File): Promise<Source | null> {
    const content = new Uint8Array(await file.arrayBuffer());
    if (startsWith(content, "%PDF")) return fromPdf(file.name, content);
    if (file.type.startsWith("image/")) {
      const text = SVG.test(file.type) ? readSvg(await file.text()) : await readPicture(file);
      return text === null ? refused(file.name, "noCode") : this.fromCode(text, file.name);
    }
    const other = otherKind(content);
    return other ? refused(file.name, other) : { name: file.name, content };
  }

  private async fromCode(text: string, name = t("source.code")): Promise<Source | null> {
    try {
      const code = await readCode(text);
      if (!code) return refused(name, "foreignCode", { text: printable(text, 200) });
      const { content, digest } = code;
      // What a code holds is not a file that an earlier code could have meant.
      if (content) return { name: t("source.code"), content, note: digest === null ? null : digest === digestOf(content) ? "theCode" : "notTheCode" };
      if (digest) {
        this.named.clear();
        this.named.add(digest);
      }
      this.messages.push(t("link.wanted"));
      return null;
    } catch (error) {
      if (!(error instanceof BrokenLink || error instanceof ReceiptCodeError)) throw error;
      return refused(name, "brokenLink");
    }
  }

  private async scan(): Promise<void> {
    this.messages.length = 0;
    try {
      const text = await scanCamera();
      if (text !== null) await this.takeCode(text);
    } catch {
      fill(this.status, t("camera.failed"));
    }
  }

  private async openLink(address: string): Promise<void> {
    if (!/[#&]d=/.test(address)) return;
    this.messages.length = 0;
    await this.takeCode(address);
  }

  private async takeCode(text: string): Promise<void> {
    const source = await this.fromCode(text);
    if (source) this.put([source]);
    else this.awaitNamed();
    await this.check(source !== null);
  }

  // --- what comes out -------------------------------------------------------------------------------

  private async check(anew: boolean): Promise<void> {
    const run = ++this.run;
    const said = (): string => this.messages.join(" ");
    if (!this.sources.length) {
      this.reports = [];
      fill(this.results);
      fill(this.spoken);
      fill(this.status, said());
      return;
    }
    fill(this.status, t("working"));
    const { node, pins, testnets } = this.kept;
    const verifier = new Verifier({ nodes: node ? [node] : [], pins, testnets, relay: relay() }, recompute);
    const reports: Report[] = [];
    for (const source of this.sources) reports.push(isGiven(source) ? await verifier.verify(source.name, source.content, source.pages) : refusal(source));
    if (run !== this.run) return; // something newer was asked meanwhile
    this.reports = reports;
    this.show();
    fill(this.status, said());
    fill(this.spoken, t("verdict.short", { verdict: t(`verdict.${overall(reports)}`) }));
    if (anew) {
      const heading = this.results.querySelector<HTMLElement>("h2");
      heading?.focus({ preventScroll: true });
      heading?.closest("article")?.scrollIntoView({ block: "start" });
    }
  }

  private show(): void {
    const asked: TariffActions = {
      takeFiles: (files) => void this.take(files),
      fetchTariff: relay() === null ? null : (hash) => this.fetchTariff(hash),
    };
    const cards = this.reports.flatMap((report, at) => {
      const source = this.sources[at]!;
      const card = reportCard(report, this.actions(), isGiven(source) ? (source.note ?? null) : null);
      if (!matchable(report)) return [card];
      const check = priceCheck(report, this.tariffs);
      const prices = tariffCard(report, this.tariffs, check, asked, this.logs.length ? null : this.said.drafts);
      return [card, prices, matchCard(report, this.logs, this.said, check, { compared: () => this.oneLetter(), emptied: () => this.show() })];
    });
    fill(this.results, ...cards);
  }

  /** With a phone's log, what the tariff finds too dear stands in the letter below. */
  private oneLetter(): void {
    for (const box of this.results.querySelectorAll(".tariff .letter")) box.remove();
  }
}

const isGiven = (source: Source): source is Given => "content" in source;

const digestOf = (content: Uint8Array): string => toHex(keccak(content));

function refused(name: string, why: Refusal, words: Words = {}): Refused {
  return { name, refused: { name: "file", verdict: "unusable", code: `refused.${why}`, words, problems: [] } };
}

function refusal({ name, refused: step }: Refused): Report {
  return { file: name, document: null, inclusion: null, answer: null, identity: null, steps: [step], notes: [], publication: UNNAMED };
}

async function fromPdf(name: string, content: Uint8Array): Promise<Source> {
  try {
    const { bundle, text } = await readAttachment(content);
    return { name, content: bundle, pages: text };
  } catch (error) {
    if (!(error instanceof PdfError)) throw error;
    if (error.code === "no-attachment") return refused(name, "pdfNone");
    return refused(name, "pdfBroken", { detail: printable(error.message) });
  }
}

/** Whether a phone's log can be laid against it. */
function matchable(report: Report): boolean {
  return report.inclusion !== null && isBundle(report.document!) && verdictOf(report) !== "invalid";
}

/** A phone's log that was given where a bill was asked for; null when it is none. */
async function phoneLog(file: File): Promise<PhoneLog | null> {
  if (file.type.startsWith("image/")) return null;
  try {
    return await readPhoneLog(file.name, new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    if (error instanceof PhoneLogError) return null;
    throw error;
  }
}

/** A tariff's file that was given where a bill was asked for; null when it is none. */
async function tariffFile(file: File): Promise<TariffFile | null> {
  if (file.type.startsWith("image/") || file.size > MAX_TARIFF) return null;
  const content = new Uint8Array(await file.arrayBuffer());
  return looksLikeTariff(file.name, content) ? openTariff(file.name, content) : null;
}

/** The relay of the portal that served this page; a page from disk has none. */
function relay(): string | null {
  return location.protocol === "https:" || location.protocol === "http:" ? new URL("/rpc", location.href).href : null;
}

function startsWith(content: Uint8Array, text: string): boolean {
  return [...text].every((character, at) => content[at] === character.charCodeAt(0));
}

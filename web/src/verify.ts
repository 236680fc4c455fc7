/**
 * File → verdict, in the protocol's order: schema, hashes, root, identity. The order and the reasons are those of
 * the Python package's `verification.py`; words are the reader's language's (`i18n/`).
 */

import { DEPLOYMENTS, type Deployment } from "./chain/deployments";
import { ChainError, type Words } from "./chain/errors";
import { type Identity, identify, type Pin } from "./chain/identity";
import { OPERATOR, type RootAnswer, RootLookup } from "./chain/lookup";
import { batchState, tariffState } from "./chain/reads";
import { type Endpoint, httpEndpoint } from "./chain/rpc";
import { comparePages } from "./page";
import { type Invoice, isBundle, parseDocument, SchemaError, UnusableError } from "./protocol/documents";
import { amendmentProblems, type Inclusion, include, type Problem, raisingLines } from "./protocol/inclusion";
import type { BatchId } from "./protocol/structs";
import { judgePublication, namesTariff, type Publication, type TariffState, UNKNOWN, UNNAMED } from "./tariff/publication";

export type Verdict = "valid" | "invalid" | "unusable" | "not-anchored" | "cannot-check";
export type StepName = "file" | "page" | "inclusion" | "anchoring" | "identity";

export interface Step {
  name: StepName;
  verdict: Verdict;
  /** Key of the step's words in the language tables, below `step.`. */
  code: string;
  words: Words;
  problems: Problem[];
}

export interface Note {
  code: "amended" | "manyLater" | "double" | "raising";
  words: Words;
}

export interface Report {
  file: string;
  document: Invoice | null;
  inclusion: Inclusion | null;
  answer: RootAnswer | null;
  identity: Identity | null;
  steps: Step[];
  notes: Note[];
  /** What is known of the publication of the tariff that the statement names; never a part of the verdict. */
  publication: Publication;
}

export interface Settings {
  /** Nodes of the user's own choice; without one, the deployment's list is asked. */
  nodes: string[];
  pins: Pin[];
  testnets: boolean;
  /** The operator's own relay, asked when nobody else answers; it never makes a bill valid. */
  relay: string | null;
  deployments?: Deployment[];
}

const GRAVEST_FIRST: Verdict[] = ["invalid", "unusable", "not-anchored", "cannot-check", "valid"];
const MAX_AMENDMENTS = 100n;
const MOST_NAMED = 5;

export function verdictOf(report: Report): Verdict {
  return report.steps.find(({ verdict }) => verdict !== "valid")?.verdict ?? "valid";
}

export function overall(reports: Report[]): Verdict {
  const found = reports.map(verdictOf);
  return GRAVEST_FIRST.find((verdict) => found.includes(verdict)) ?? "unusable";
}

/** Verifies files against the user's choice of nodes and pins; answers are asked once. */
export class Verifier {
  private readonly lookups = new Map<string, RootLookup>();
  private readonly roots = new Map<string, Promise<[RootLookup, RootAnswer]>>();
  private readonly amendments = new Map<string, Promise<Note[]>>();
  private readonly identities = new Map<string, Promise<Identity>>();
  private readonly tariffs = new Map<string, Promise<TariffState | null>>();
  private readonly statements = new Map<string, Report>();
  private readonly charged = new Map<string, Report>();

  constructor(
    private readonly settings: Settings,
    /** Recomputes; may run elsewhere than on the page's own thread. */
    private readonly recompute: (document: Invoice) => Inclusion | Promise<Inclusion> = include,
  ) {}

  /** `pages`: what the pages of an invoice show, when the bundle came out of one. */
  async verify(file: string, content: Uint8Array, pages?: readonly string[]): Promise<Report> {
    const report = await this.verifyDocument(file, content);
    const { document, inclusion } = report;
    if (!pages || !document || !inclusion) return report;
    if (!isBundle(document)) {
      // A whole page around the proof of one line would lend it what it does not prove.
      report.steps.splice(1, 0, { name: "page", verdict: "cannot-check", code: "pageReceipt", words: {}, problems: [] });
      return report;
    }
    const difference = comparePages(pages, document);
    if (!difference) {
      add(report, "page", "valid", "pageSame");
      return report;
    }
    const { line, shown } = difference;
    const words: Words = line === null ? { shown } : { shown, line: line + 1 };
    const step: Step = { name: "page", verdict: "invalid", code: line === null ? "pageDiffers" : "pageLine", words, problems: [] };
    report.steps.splice(1, 0, step); // graver than what the chain says of a bundle that nobody sees
    return report;
  }

  private async verifyDocument(file: string, content: Uint8Array): Promise<Report> {
    const report: Report = { file, document: null, inclusion: null, answer: null, identity: null, steps: [], notes: [], publication: UNNAMED };
    try {
      const document = parseDocument(content);
      if (document.schema === "billproof/account-key/1") {
        add(report, "file", "unusable", "accountKey");
        return report;
      }
      report.document = document;
      report.inclusion = await this.recompute(document);
    } catch (error) {
      return unreadable(report, error);
    }
    const { document, inclusion } = report;
    add(report, "file", "valid", isBundle(document) ? "bundle" : "receipt", description(document));
    if (inclusion.problems.length) {
      add(report, "inclusion", "invalid", "problems", {}, inclusion.problems);
      return report;
    }
    await this.onChain(report, document, inclusion);
    return report;
  }

  private async onChain(report: Report, document: Invoice, inclusion: Inclusion): Promise<void> {
    const { batch } = inclusion;
    let lookup: RootLookup;
    try {
      let answer: RootAnswer;
      [lookup, answer] = await this.root(batch);
      report.answer = answer;
      if (!(await this.anchored(report, document, inclusion, lookup, answer))) return;
    } catch (error) {
      chainStep(report, "anchoring", error);
      return;
    }
    if (!this.consistent(report, inclusion)) return;
    await this.identified(report, batch, lookup);
    if (isBundle(document)) this.compareWithEarlier(report);
    report.publication = await this.published(document, batch, lookup);
  }

  /** When the tariff that the statement names was published; nobody is asked where it names none. */
  private async published(document: Invoice, { operatorId }: BatchId, lookup: RootLookup): Promise<Publication> {
    const { tariff } = document.statement;
    if (!namesTariff(tariff)) return UNNAMED;
    const key = `${lookup.deployment.chainId} ${lookup.deployment.ledger} ${lookup.word} ${operatorId} ${tariff}`;
    try {
      if (!this.tariffs.has(key)) this.tariffs.set(key, lookup.aside((node, block) => tariffState(node, lookup.deployment, operatorId, tariff, block)));
      const lines = isBundle(document) ? document.records : [document.record];
      return judgePublication(document.batch.period, lines, await this.tariffs.get(key)!);
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return UNKNOWN;
    }
  }

  // --- the root -----------------------------------------------------------------------------------

  private root(batch: BatchId): Promise<[RootLookup, RootAnswer]> {
    const key = batchName(batch);
    if (!this.roots.has(key)) this.roots.set(key, this.lookUp(batch));
    return this.roots.get(key)!;
  }

  private async lookUp(batch: BatchId): Promise<[RootLookup, RootAnswer]> {
    const deployment = this.deploymentOf(batch);
    const { relay, nodes } = this.settings;
    const own = nodes.map((url) => httpEndpoint(url, sameHost(url, relay) ? OPERATOR : "")).filter((node) => node !== null);
    const listed = deployment.endpoints.map(({ url, operatedBy }) => httpEndpoint(url, operatedBy)).filter((node) => node !== null);
    const relayed = relay === null ? null : httpEndpoint(relay, OPERATOR);
    let failed = new ChainError("noNode", { chain: deployment.name });
    if (own.length || listed.length) {
      try {
        return await this.ask(batch, deployment, own.length ? own : listed, own.length ? "own" : "independent");
      } catch (error) {
        const few = error instanceof ChainError && error.verdict === "cannot-check" && FEW.has(error.reason);
        if (own.length || !relayed || !few) throw error;
        failed = error;
      }
    }
    if (!relayed) throw failed;
    return this.ask(batch, deployment, [relayed], "operator");
  }

  private async ask(
    batch: BatchId,
    deployment: Deployment,
    nodes: Endpoint[],
    word: RootAnswer["word"],
  ): Promise<[RootLookup, RootAnswer]> {
    const name = `${batch.chainId} ${word}`;
    if (!this.lookups.has(name)) this.lookups.set(name, new RootLookup(nodes, deployment, word));
    const lookup = this.lookups.get(name)!;
    return [lookup, await lookup.root(batch)];
  }

  private deploymentOf(batch: BatchId): Deployment {
    const known = this.settings.deployments ?? DEPLOYMENTS;
    const deployment = known.find(({ chainId }) => chainId === batch.chainId);
    if (!deployment) throw new ChainError("unknownChain", { chain: batch.chainId.toString() });
    if (deployment.kind === "testnet" && !this.settings.testnets) throw new ChainError("testnet", { chain: deployment.name });
    if (deployment.ledger !== batch.ledger)
      throw new ChainError("otherLedger", { ledger: batch.ledger, known: deployment.ledger, chain: deployment.name });
    return deployment;
  }

  private async anchored(
    report: Report,
    document: Invoice,
    inclusion: Inclusion,
    lookup: RootLookup,
    answer: RootAnswer,
  ): Promise<boolean> {
    const { state } = answer;
    if (state.root !== inclusion.root) return add(report, "inclusion", "invalid", "otherRoot");
    if (state.amends) {
      const problems = amendmentProblems(document);
      if (problems.length) return add(report, "inclusion", "invalid", "problems", {}, problems);
    } else {
      const raised = raisingLines(document);
      const shown = raised.slice(0, MOST_NAMED).map((index) => String(index + 1)).join(", ");
      if (raised.length) report.notes.push({ code: "raising", words: { count: raised.length, lines: raised.length > MOST_NAMED ? `${shown} …` : shown } });
    }
    const lines = isBundle(document) ? document.records.length : 1;
    add(report, "inclusion", "valid", "included", { lines });
    if (state.repudiated) return add(report, "anchoring", "cannot-check", "repudiated");
    if (state.ringFault) return add(report, "anchoring", "cannot-check", "ringFault");
    report.notes.push(...(await this.amended(inclusion.batch, lookup)));
    const words = { block: state.blockNumber.toString(), at: state.anchoredAt, nodes: answer.answeredBy.join(", ") };
    if (answer.word === "operator" && this.settings.nodes.length && TRIAL.has(lookup.deployment.kind))
      return add(report, "anchoring", "valid", "operatorTrial", words);
    if (answer.word === "operator") {
      // Everything else is still worth saying, but nothing can make this valid.
      add(report, "anchoring", "cannot-check", "operatorOnly", words);
      return true;
    }
    return add(report, "anchoring", "valid", answer.word === "own" ? "anchoredOwn" : "anchored", words);
  }

  /** Later batches of the region that amend this one; their bundles are files of their own. */
  private amended(batch: BatchId, lookup: RootLookup): Promise<Note[]> {
    const key = batchName(batch);
    if (!this.amendments.has(key)) this.amendments.set(key, this.findAmendments(batch, lookup));
    return this.amendments.get(key)!;
  }

  private async findAmendments(batch: BatchId, lookup: RootLookup): Promise<Note[]> {
    const notes: Note[] = [];
    for (let sequence = batch.sequence + 1n; sequence <= batch.sequence + MAX_AMENDMENTS; sequence++) {
      const state = await lookup.agreed((node, block) => batchState(node, lookup.deployment, { ...batch, sequence }, block));
      if (!state.exists) return notes;
      if (state.amends === batch.sequence)
        notes.push({ code: "amended", words: { batch: `${batch.region}-${sequence}` } });
    }
    notes.push({ code: "manyLater", words: { count: Number(MAX_AMENDMENTS) } });
    return notes;
  }

  // --- who the operator is ------------------------------------------------------------------------

  private async identified(report: Report, batch: BatchId, lookup: RootLookup): Promise<void> {
    const key = `${batch.chainId} ${batch.ledger} ${batch.operatorId}`;
    if (!this.identities.has(key)) this.identities.set(key, identify(lookup, batch.operatorId, this.settings.pins));
    try {
      const identity = await this.identities.get(key)!;
      report.identity = identity;
      const known = identity.status === "pinned" || identity.status === "bound";
      const { name, domain } = identity;
      add(report, "identity", known ? "valid" : "cannot-check", `id.${identity.how}`, {
        name: name || "?",
        domain,
        operator: batch.operatorId.toString(),
      });
    } catch (error) {
      chainStep(report, "identity", error);
    }
  }

  // --- several files ------------------------------------------------------------------------------

  /** One account has one statement in a batch: a second one, in another file, condemns both. */
  private consistent(report: Report, inclusion: Inclusion): boolean {
    const place = `${batchName(inclusion.batch)} ${inclusion.account}`;
    const other = this.statements.get(place) ?? report;
    this.statements.set(place, other);
    if (other.inclusion!.statement === inclusion.statement) return true;
    add(report, "inclusion", "invalid", "contradicts", { file: other.file });
    add(other, "inclusion", "invalid", "contradicts", { file: report.file });
    return false;
  }

  /** Notes lines that an earlier file, of another batch, charged as well. */
  private compareWithEarlier(report: Report): void {
    const { document, inclusion } = report;
    if (!document || !isBundle(document)) return;
    const { batch } = inclusion!;
    for (const record of document.records) {
      if (BigInt(record.service) >= 32n) continue; // fees recur by design
      const { service, startedAt, number, usage } = record;
      const line = JSON.stringify([batch.chainId.toString(), batch.ledger, batch.operatorId.toString(), service, startedAt, number, usage]);
      const seen = this.charged.get(line) ?? report;
      this.charged.set(line, seen);
      if (batchName(seen.inclusion!.batch) !== batchName(batch))
        report.notes.push({ code: "double", words: { line: Number(record.index) + 1, file: seen.file } });
    }
  }
}

/** Chains that bind nobody, and often have no other node than the operator's. */
const TRIAL = new Set<Deployment["kind"]>(["development", "embedded"]);

function sameHost(url: string, relay: string | null): boolean {
  if (relay === null || !URL.canParse(url.trim())) return false;
  return new URL(url.trim()).hostname === new URL(relay).hostname;
}

/** Failures of listed nodes that leave room for asking the operator's relay. */
const FEW = new Set(["tooFew", "nobody", "noNode", "dead", "timeout", "http", "refused", "notRpc", "wrongChain", "noLedger", "pruned", "noFinality", "large"]);

function unreadable(report: Report, error: unknown): Report {
  if (error instanceof SchemaError) add(report, "file", "invalid", "broken", { place: error.place, why: error.why });
  else if (error instanceof UnusableError) add(report, "file", "unusable", `file.${error.code}`, { detail: error.detail });
  else throw error;
  return report;
}

function chainStep(report: Report, name: StepName, error: unknown): void {
  if (!(error instanceof ChainError)) throw error;
  add(report, name, error.verdict, `chain.${error.reason}`, error.words);
}

function add(report: Report, name: StepName, verdict: Verdict, code: string, words: Words = {}, problems: Problem[] = []): boolean {
  report.steps.push({ name, verdict, code, words, problems });
  return verdict === "valid";
}

function description(document: Invoice): Words {
  const { operatorId, period, region, sequence } = document.batch;
  const batch = { operator: operatorId, period, batch: `${region}-${sequence}`, currency: document.statement.currency };
  return isBundle(document)
    ? { ...batch, lines: document.records.length, total: document.statement.total }
    : { ...batch, line: Number(document.record.index) + 1 };
}

function batchName({ chainId, ledger, operatorId, period, region, sequence }: BatchId): string {
  return [chainId, ledger, operatorId, period, region, sequence].join(" ");
}

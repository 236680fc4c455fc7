/** A letter of complaint from the findings, ready to be sent, as plain text. */

import { day, type Language, monthName, roundMoney } from "./formatting";
import { type Invoice, isFinding, kindOf, type LineClass, type LineResult, type MatchResult, type Told } from "./types";
import { deniedSentence, hasTax, listOf, sentence, title } from "./wording";

/** What the reader may say about the contract; gaps stay in square brackets. */
export interface LetterDetails {
  name?: string;
  address?: string;
  operator?: string;
  customer?: string;
  invoiceNumber?: string;
  /** UTC seconds; the letter's date. */
  writtenAt?: number;
  /** What else is claimed, line by line: prices that are not those of the contract. */
  claims?: readonly string[];
}

/** What a letter needs of a result. */
type Disputed = Told & { summary: Pick<MatchResult["summary"], "stake"> };

interface Phrases {
  gaps: Required<Omit<LetterDetails, "writtenAt" | "claims">> & { date: string };
  subject: string;
  greeting: string;
  opening: string;
  none: string;
  sum: string;
  /** The sum, of a bill with tax in lines of its own. */
  net: string;
  estimate: string;
  evidence: string;
  request: readonly string[];
  closing: string;
}

const ORDER: readonly LineClass[] = ["invoice-only", "duplicate", "hung", "longer"];

const PHRASES: Record<Language, Phrases> = {
  en: {
    gaps: { name: "[your name]", address: "[your address]", operator: "[your operator]", customer: "[customer number]", invoiceNumber: "[bill number]", date: "[date]" },
    subject: "Complaint about my bill for {month}, number {invoiceNumber}, customer number {customer}",
    greeting: "Dear Sir or Madam,",
    opening: "I have compared the itemised lines of this bill with the call list of my phone. {count} of {lines} lines do not agree with it:",
    none: "I have compared the itemised lines of this bill with the call list of my phone, and found nothing to complain about.",
    sum: "Altogether this is about {stake}.",
    net: "Altogether this is about {stake} before tax.",
    estimate: "The amounts are estimates wherever a line is only partly in doubt; please reckon them by the tariff of my contract.",
    evidence: "I can send the phone's list of these calls. Differences of a few seconds, usual rounding and times that the phone's list does not cover are left out.",
    request: [
      "Please",
      "1. check these lines and tell me how each of them came about,",
      "2. credit me what was charged wrongly, and correct the bill,",
      "3. keep the records of these connections until this complaint is settled,",
      "4. do not treat the disputed amount as overdue until then.",
    ],
    closing: "Yours faithfully,",
  },
  de: {
    gaps: { name: "[Ihr Name]", address: "[Ihre Anschrift]", operator: "[Ihr Anbieter]", customer: "[Kundennummer]", invoiceNumber: "[Rechnungsnummer]", date: "[Datum]" },
    subject: "Beanstandung meiner Rechnung für {month}, Nummer {invoiceNumber}, Kundennummer {customer}",
    greeting: "Sehr geehrte Damen und Herren,",
    opening: "ich habe die Einzelverbindungen dieser Rechnung mit der Anrufliste meines Telefons verglichen. {count} von {lines} Zeilen stimmen damit nicht überein:",
    none: "ich habe die Einzelverbindungen dieser Rechnung mit der Anrufliste meines Telefons verglichen und nichts zu beanstanden gefunden.",
    sum: "Zusammen sind das etwa {stake}.",
    net: "Zusammen sind das etwa {stake} vor Steuern.",
    estimate: "Wo eine Zeile nur zum Teil strittig ist, sind die Beträge geschätzt; bitte berechnen Sie sie nach dem Tarif meines Vertrags.",
    evidence: "Die Liste des Telefons zu diesen Verbindungen kann ich Ihnen schicken. Unterschiede von wenigen Sekunden, übliche Rundung und Zeiten, die die Liste nicht umfasst, sind nicht beanstandet.",
    request: [
      "Bitte",
      "1. prüfen Sie diese Zeilen und teilen Sie mir mit, wie jede davon zustande kam,",
      "2. schreiben Sie mir zu Unrecht Berechnetes gut und berichtigen Sie die Rechnung,",
      "3. bewahren Sie die Daten dieser Verbindungen auf, bis die Beanstandung erledigt ist,",
      "4. behandeln Sie den strittigen Betrag bis dahin nicht als fällig.",
    ],
    closing: "Mit freundlichen Grüßen",
  },
  fr: {
    gaps: { name: "[votre nom]", address: "[votre adresse]", operator: "[votre opérateur]", customer: "[numéro de client]", invoiceNumber: "[numéro de facture]", date: "[date]" },
    subject: "Réclamation concernant ma facture ({month}), numéro {invoiceNumber}, numéro de client {customer}",
    greeting: "Madame, Monsieur,",
    opening: "J’ai comparé les communications détaillées de cette facture avec la liste d’appels de mon téléphone. Sur {lines} lignes, {count} ne concordent pas :",
    none: "J’ai comparé les communications détaillées de cette facture avec la liste d’appels de mon téléphone et n’ai rien trouvé à contester.",
    sum: "Cela fait environ {stake} en tout.",
    net: "Cela fait environ {stake} hors taxes en tout.",
    estimate: "Quand une ligne n’est contestée qu’en partie, le montant est une estimation ; veuillez le calculer d’après le tarif de mon contrat.",
    evidence: "Je peux vous envoyer la liste du téléphone pour ces communications. Les écarts de quelques secondes, les arrondis habituels et les moments que la liste ne couvre pas ne sont pas contestés.",
    request: [
      "Je vous prie :",
      "1. de vérifier ces lignes et de m’indiquer l’origine de chacune,",
      "2. de me rembourser ce qui a été facturé à tort et de corriger la facture,",
      "3. de conserver les données de ces communications jusqu’au règlement de cette réclamation,",
      "4. de ne pas considérer d’ici là le montant contesté comme exigible.",
    ],
    closing: "Veuillez agréer, Madame, Monsieur, mes salutations distinguées.",
  },
};

function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** The findings as numbered sentences, by class, the dearest first; what is denied of one number is one sentence. */
function findings(lang: Language, result: Disputed, invoice: Invoice): string[] {
  const stakeOf = (lines: readonly LineResult[]): bigint => lines.reduce((sum, { stake }) => sum + BigInt(stake), 0n);
  const dearest = (a: readonly LineResult[], b: readonly LineResult[]): number => {
    const [first, second] = [stakeOf(a), stakeOf(b)];
    return first === second ? a[0]!.index - b[0]!.index : first > second ? -1 : 1;
  };
  const classes = ORDER.map((verdict) => result.lines.filter((line) => line.class === verdict && isFinding(line))).filter((lines) => lines.length);
  let number = 0;
  return classes.sort(dearest).flatMap((lines) => {
    const said = groupsOf(lines, invoice).sort(dearest).map((group) => {
      const words = group.length > 1 ? deniedSentence(lang, result, group, invoice) : sentence(lang, result, group[0]!, invoice);
      return `${(number += 1)}. ${words}`;
    });
    return [title(lang, lines[0]!.class), ...said, ""];
  });
}

/** Each line for itself, but those together that were denied of one number in one of the phone's lists. */
function groupsOf(lines: readonly LineResult[], invoice: Invoice): LineResult[][] {
  const groups = new Map<string, LineResult[]>();
  const billed = new Map(invoice.lines.map((line) => [line.index, line]));
  for (const line of lines) {
    const { number, service } = billed.get(line.index)!;
    const key = line.reason === "denied" && number ? `${listOf(kindOf(service))} ${number}` : `line ${line.index}`;
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups.values()];
}

export function letter(lang: Language, result: Disputed, invoice: Invoice, details: LetterDetails = {}): string {
  const phrases = PHRASES[lang];
  const { gaps } = phrases;
  const name = details.name || gaps.name;
  const count = result.lines.filter(isFinding).length;
  const values = {
    month: monthName(lang, invoice.period),
    customer: details.customer || gaps.customer,
    invoiceNumber: details.invoiceNumber || gaps.invoiceNumber,
    count: String(count),
    lines: String(result.lines.length),
    stake: roundMoney(lang, BigInt(result.summary.stake), invoice.currency),
  };
  const date = details.writtenAt === undefined ? gaps.date : day(lang, details.writtenAt);
  const head = [name, details.address || gaps.address, "", details.operator || gaps.operator, "", date, "", fill(phrases.subject, values), "", phrases.greeting, ""];
  const claims = details.claims?.length ? [...details.claims, ""] : [];
  const body =
    count === 0
      ? claims.length ? [...claims, ...phrases.request, ""] : [phrases.none, ""]
      : [
          fill(phrases.opening, values), "",
          ...findings(lang, result, invoice),
          `${fill(hasTax(invoice) ? phrases.net : phrases.sum, values)} ${phrases.estimate}`, "",
          ...claims,
          phrases.evidence, "",
          ...phrases.request, "",
        ];
  return [...head, ...body, phrases.closing, "", name, ""].join("\n");
}

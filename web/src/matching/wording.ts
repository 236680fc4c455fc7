/** What the classes and reasons of lines and entries mean, in sentences for people who know nothing of billing. */

import { type Language, lasting, moment, roundMoney } from "./formatting";
import { isUnlisted, twinOf } from "./telling";
import {
  type Entry, type EntryClass, type EntryResult, type Invoice, type InvoiceLine, type Kind, kindOf, type LineClass, type LineReason, type LineResult, type MatchResult, type Told,
} from "./types";

export type { Language } from "./formatting";

const TAX = 35;

type List = "calls" | "messages";
type Key = `${LineClass} ${LineReason}`;

interface Words {
  /** By service; `{number}` and `{moment}` are filled in. */
  things: Record<number, string>;
  other: string;
  withheld: string;
  titles: Record<LineClass, string>;
  lines: Partial<Record<Key, string>>;
  /** In the place of `not-covered outside`, by kind, where no list has a single entry of the kind. */
  unlisted: Record<Kind, string>;
  /** Which of the phone's lists, for {list}, and what is said where the other one knows the number, for {other}. */
  lists: Record<List, string>;
  others: Record<List, string>;
  /** What the reader says of a line, for {deny}. */
  denials: Record<number, string>;
  /** Several lines with one number, all denied: {count}, {number}, {amount}, {places}, {list}, {other}. */
  denied: Record<List, string>;
  line: string;
  anotherLine: string;
  unknown: string;
  kinds: Record<string, string>;
  entries: Record<EntryClass, string>;
}

const EN: Words = {
  things: {
    1: "The call to {number} on {moment}",
    2: "The call from {number} on {moment}",
    3: "The call from {number} that was forwarded on {moment}",
    4: "The message to {number} on {moment}",
    5: "The message from {number} on {moment}",
    7: "The picture message (MMS) to {number} on {moment}",
  },
  other: "The item of {moment}",
  withheld: "a withheld number",
  titles: {
    matched: "Agrees with the phone",
    late: "From an earlier period",
    longer: "Billed for too long",
    hung: "Call that was never ended",
    duplicate: "Billed twice",
    "invoice-only": "On the bill only",
    "not-covered": "Cannot be checked",
    "not-comparable": "Not a matter of the phone",
  },
  lines: {
    "matched paired": "{thing} is on the bill and in the phone's list. The two agree.",
    "matched shifted": "{thing} is in the phone's list with the same number and length, but hours or quarters of an hour off, as when a phone is abroad or the clocks change.",
    "matched continued": "{thing} is the continuation of a call that the bill shows in several lines. The phone shows it as one call, of this whole length.",
    "matched part": "{thing} is one part of a long message, which the operator sends in parts. The phone shows it as one message.",
    "late paired": "{thing} was made before the time that this bill is for, and is billed late. It is in the phone's list.",
    "late uncovered": "{thing} was made before the time that this bill is for, and is billed late. The phone's list says nothing about that time.",
    "longer unanswered": "{thing} is billed ({amount}), but the phone shows that nobody answered it.",
    "longer talked": "{thing} is billed as {usage}, but the phone shows {talked}. About {stake} of {amount} seems too much.",
    "longer rounding": "{thing} took {usage} and is charged as {billed}. That is rounded up further than other calls at this rate. About {stake} of {amount} seems too much.",
    "hung paired": "{thing} is billed as {usage}, but the phone shows {talked}. The operator's system seems not to have noticed the end of the call. About {stake} of {amount} seems too much.",
    "hung overlap": "{thing} is said to have taken {usage}, but another call was made from the phone during that time, and the phone does not show this one ({amount}).",
    "duplicate same": "{thing} is on the bill more than once: {twin} has the same time, number and length ({amount}).",
    "duplicate near": "{thing} seems to be on the bill twice: it is almost the same as {twin}, at most a minute away, with the same number and about the same length ({amount}).",
    "invoice-only absent": "{thing} is on the bill ({amount}), but not in the phone's list, although the list covers that time.",
    "invoice-only unknown": "{thing} is on the bill ({amount}), and the phone's {list} has nothing with this number{other}: it was deleted there, or never used. Only you can tell.",
    "invoice-only denied": "{thing} is on the bill ({amount}). The phone's {list} has nothing with this number{other}. {deny}",
    "invoice-only recalled": "{thing} is on the bill ({amount}). The phone's {list} has nothing with this number{other}, but you know it: the entry was most likely deleted.",
    "not-covered outside": "{thing} cannot be checked: the phone's list does not reach to that time.",
    "not-covered hole": "{thing} cannot be checked: the phone's list is empty for that time, as if a part had been lost.",
    "not-covered foreign": "{thing} cannot be checked: the phone's list does not seem to belong to this bill, for not one line of the bill is in it.",
    "not-comparable service": "{thing} is not a call or a message, so a phone's list has nothing to compare it with.",
    "not-comparable correction": "{thing} corrects an earlier bill, so there is nothing in the phone to compare it with.",
    "not-comparable forwarded": "{thing} was forwarded by the network. The phone need not have noticed.",
  },
  unlisted: {
    call: "{thing} cannot be checked: it is a call, and the lists that you gave have no calls. Give that list too.",
    message: "{thing} cannot be checked: it is a message, and the lists that you gave have no messages. Give that list too.",
    mms: "{thing} cannot be checked: it is a picture message, and the lists that you gave have none. Give that list too.",
  },
  lists: { calls: "list of calls", messages: "list of messages" },
  others: { calls: " (its list of messages has)", messages: " (its list of calls has)" },
  denials: {
    1: "This call was never made.",
    2: "This call was never received.",
    4: "This message was never sent.",
    5: "This message was never received.",
    7: "This message was never sent.",
  },
  denied: {
    calls: "{count} calls with {number}, {amount} in all (lines {places}), are on the bill. The phone's list of calls has nothing with this number{other}. These calls never took place.",
    messages: "{count} messages with {number}, {amount} in all (lines {places}), are on the bill. The phone's list of messages has nothing with this number{other}. These messages never existed.",
  },
  line: "line {n}",
  anotherLine: "another line",
  unknown: "an unknown time",
  kinds: { call: "This call", message: "This message", mms: "This picture message (MMS)", app: "This call or message" },
  entries: {
    billed: "{thing} is on the bill.",
    copy: "{thing} is in another list that you gave as well. It counts once.",
    free: "{thing} went through an app. The operator does not bill it.",
    incoming: "{thing} came in. Operators seldom bill that.",
    unanswered: "{thing} was not answered or did not go out, so it costs nothing.",
    "other-sim": "{thing} went through another SIM card, which this bill is not for.",
    freephone: "{thing} went to a number that is free. It need not be on the bill.",
    "other-period": "{thing} is of a time that this bill is not for.",
    "next-bill": "{thing} is of the last two days of this bill's time. It may be on the next bill.",
    "by-app": "{thing} probably went through the internet or is part of a flat rate. Hardly any message is on this bill.",
    missing: "{thing} is not on the bill, though one would expect it. That is to your advantage.",
  },
};

const DE: Words = {
  things: {
    1: "Der Anruf an {number} am {moment}",
    2: "Der Anruf von {number} am {moment}",
    3: "Der weitergeleitete Anruf von {number} am {moment}",
    4: "Die Nachricht an {number} am {moment}",
    5: "Die Nachricht von {number} am {moment}",
    7: "Die Bildnachricht (MMS) an {number} am {moment}",
  },
  other: "Der Posten vom {moment}",
  withheld: "Unbekannt",
  titles: {
    matched: "Stimmt mit dem Telefon überein",
    late: "Aus einem früheren Zeitraum",
    longer: "Zu lang berechnet",
    hung: "Nie beendeter Anruf",
    duplicate: "Doppelt berechnet",
    "invoice-only": "Nur auf der Rechnung",
    "not-covered": "Nicht prüfbar",
    "not-comparable": "Nicht mit dem Telefon vergleichbar",
  },
  lines: {
    "matched paired": "{thing} steht auf der Rechnung und in der Liste des Telefons. Beide stimmen überein.",
    "matched shifted": "{thing} steht mit gleicher Nummer und Länge auch in der Liste des Telefons, aber um Stunden oder Viertelstunden versetzt, wie im Ausland oder bei der Zeitumstellung.",
    "matched continued": "{thing} setzt einen Anruf fort, den die Rechnung in mehreren Zeilen zeigt. Das Telefon zeigt ihn als einen Anruf von dieser ganzen Länge.",
    "matched part": "{thing} ist ein Teil einer langen Nachricht, die der Anbieter in Teilen verschickt. Das Telefon zeigt sie als eine Nachricht.",
    "late paired": "{thing} liegt vor dem Zeitraum dieser Rechnung und wird verspätet berechnet. In der Liste des Telefons ist der Eintrag vorhanden.",
    "late uncovered": "{thing} liegt vor dem Zeitraum dieser Rechnung und wird verspätet berechnet. Die Liste des Telefons sagt über diese Zeit nichts.",
    "longer unanswered": "{thing} wird berechnet ({amount}), obwohl das Telefon zeigt, dass niemand abgenommen hat.",
    "longer talked": "{thing} ist mit {usage} berechnet, das Telefon zeigt aber {talked}. Etwa {stake} von {amount} scheinen zu viel.",
    "longer rounding": "{thing} dauerte {usage} und ist mit {billed} berechnet. Das ist weiter aufgerundet als bei anderen Anrufen zu diesem Tarif. Etwa {stake} von {amount} scheinen zu viel.",
    "hung paired": "{thing} ist mit {usage} berechnet, das Telefon zeigt aber {talked}. Das System des Anbieters hat das Ende des Anrufs offenbar nicht bemerkt. Etwa {stake} von {amount} scheinen zu viel.",
    "hung overlap": "{thing} soll {usage} gedauert haben und fehlt in der Liste des Telefons, von dem in dieser Zeit ein anderer Anruf geführt wurde ({amount}).",
    "duplicate same": "{thing} steht mehrmals auf der Rechnung: {twin} hat gleiche Zeit, Nummer und Länge ({amount}).",
    "duplicate near": "{thing} steht offenbar zweimal auf der Rechnung: {twin} ist fast gleich, höchstens eine Minute entfernt, mit derselben Nummer und etwa gleicher Länge ({amount}).",
    "invoice-only absent": "{thing} steht auf der Rechnung ({amount}), aber nicht in der Liste des Telefons, obwohl diese die Zeit umfasst.",
    "invoice-only unknown": "{thing} steht auf der Rechnung ({amount}), und in der {list} des Telefons gibt es zu dieser Nummer nichts{other}: Sie wurde dort gelöscht oder nie benutzt. Das wissen nur Sie.",
    "invoice-only denied": "{thing} steht auf der Rechnung ({amount}). In der {list} des Telefons gibt es zu dieser Nummer nichts{other}. {deny}",
    "invoice-only recalled": "{thing} steht auf der Rechnung ({amount}). In der {list} des Telefons gibt es zu dieser Nummer nichts{other}, aber Sie kennen sie: Der Eintrag wurde wohl gelöscht.",
    "not-covered outside": "{thing} lässt sich nicht prüfen: Die Liste des Telefons reicht nicht bis zu dieser Zeit.",
    "not-covered hole": "{thing} lässt sich nicht prüfen: Die Liste des Telefons ist für diese Zeit leer, als wäre ein Teil verloren gegangen.",
    "not-covered foreign": "{thing} lässt sich nicht prüfen: Die Liste des Telefons gehört wohl nicht zu dieser Rechnung, denn keine ihrer Zeilen steht darin.",
    "not-comparable service": "{thing} ist weder Anruf noch Nachricht. In der Liste eines Telefons gibt es dazu nichts zu vergleichen.",
    "not-comparable correction": "{thing} berichtigt eine frühere Rechnung. Im Telefon gibt es dazu nichts zu vergleichen.",
    "not-comparable forwarded": "{thing} wurde vom Netz weitergeleitet. Das Telefon muss davon nichts bemerkt haben.",
  },
  unlisted: {
    call: "{thing} lässt sich nicht prüfen: Es ist ein Anruf, und die Listen, die Sie angegeben haben, enthalten keine Anrufe. Geben Sie auch diese Liste an.",
    message: "{thing} lässt sich nicht prüfen: Es ist eine Nachricht, und die Listen, die Sie angegeben haben, enthalten keine Nachrichten. Geben Sie auch diese Liste an.",
    mms: "{thing} lässt sich nicht prüfen: Es ist eine Bildnachricht, und die Listen, die Sie angegeben haben, enthalten keine. Geben Sie auch diese Liste an.",
  },
  lists: { calls: "Anrufliste", messages: "Nachrichtenliste" },
  others: { calls: " (in seiner Nachrichtenliste schon)", messages: " (in seiner Anrufliste schon)" },
  denials: {
    1: "Diesen Anruf gab es nie.",
    2: "Diesen Anruf gab es nie.",
    4: "Diese Nachricht wurde nie gesendet.",
    5: "Diese Nachricht kam nie an.",
    7: "Diese Nachricht wurde nie gesendet.",
  },
  denied: {
    calls: "{count} Anrufe mit {number}, zusammen {amount} (Zeilen {places}), stehen auf der Rechnung. In der Anrufliste des Telefons gibt es zu dieser Nummer nichts{other}. Diese Anrufe gab es nie.",
    messages: "{count} Nachrichten mit {number}, zusammen {amount} (Zeilen {places}), stehen auf der Rechnung. In der Nachrichtenliste des Telefons gibt es zu dieser Nummer nichts{other}. Diese Nachrichten gab es nie.",
  },
  line: "Zeile {n}",
  anotherLine: "eine andere Zeile",
  unknown: "eine unbekannte Dauer",
  kinds: { call: "Dieser Anruf", message: "Diese Nachricht", mms: "Diese Bildnachricht (MMS)", app: "Dieser Anruf oder diese Nachricht" },
  entries: {
    billed: "{thing} steht auf der Rechnung.",
    copy: "{thing} steht auch in einer anderen Liste, die Sie angegeben haben, und zählt einmal.",
    free: "{thing} lief über eine App. Der Anbieter berechnet das nicht.",
    incoming: "{thing} kam an. Das berechnen Anbieter selten.",
    unanswered: "{thing} wurde nicht angenommen oder ging nicht hinaus und kostet daher nichts.",
    "other-sim": "{thing} lief über eine andere SIM-Karte, für die diese Rechnung nicht gilt.",
    freephone: "{thing} ging an eine kostenlose Nummer und muss nicht auf der Rechnung stehen.",
    "other-period": "{thing} liegt außerhalb des Zeitraums dieser Rechnung.",
    "next-bill": "{thing} liegt in den letzten zwei Tagen des Zeitraums und steht vielleicht auf der nächsten Rechnung.",
    "by-app": "{thing} lief wahrscheinlich über das Internet oder gehört zu einer Flatrate. Auf dieser Rechnung steht kaum eine Nachricht.",
    missing: "{thing} steht nicht auf der Rechnung, obwohl es zu erwarten wäre. Das ist zu Ihrem Vorteil.",
  },
};

const FR: Words = {
  things: {
    1: "L’appel vers {number} du {moment}",
    2: "L’appel reçu de {number} le {moment}",
    3: "L’appel de {number} renvoyé le {moment}",
    4: "Le message à {number} du {moment}",
    5: "Le message reçu de {number} le {moment}",
    7: "Le message illustré (MMS) à {number} du {moment}",
  },
  other: "L’élément du {moment}",
  withheld: "un numéro masqué",
  titles: {
    matched: "Concorde avec le téléphone",
    late: "D’une période antérieure",
    longer: "Durée facturée trop longue",
    hung: "Appel jamais terminé",
    duplicate: "Facturé deux fois",
    "invoice-only": "Sur la facture seulement",
    "not-covered": "Impossible à vérifier",
    "not-comparable": "Sans rapport avec le téléphone",
  },
  lines: {
    "matched paired": "{thing} figure sur la facture et dans la liste du téléphone. Les deux concordent.",
    "matched shifted": "{thing} figure dans la liste du téléphone avec les mêmes numéro et durée, mais décalé d’heures ou de quarts d’heure, comme à l’étranger ou lors du changement d’heure.",
    "matched continued": "{thing} est la suite d’un appel que la facture montre en plusieurs lignes. Le téléphone le montre comme un seul appel de toute cette durée.",
    "matched part": "{thing} est une partie d’un long message que l’opérateur envoie en plusieurs parties. Le téléphone le montre comme un seul message.",
    "late paired": "{thing} est antérieur à la période de cette facture et facturé avec retard. Il figure dans la liste du téléphone.",
    "late uncovered": "{thing} est antérieur à la période de cette facture et facturé avec retard. La liste du téléphone ne dit rien de cette date.",
    "longer unanswered": "{thing} est facturé ({amount}), mais le téléphone montre que personne n’a répondu.",
    "longer talked": "{thing} est facturé pour {usage}, mais le téléphone montre {talked}. Environ {stake} sur {amount} semblent de trop.",
    "longer rounding": "{thing} a duré {usage} et est facturé pour {billed}. C’est arrondi plus haut que d’autres appels à ce tarif. Environ {stake} sur {amount} semblent de trop.",
    "hung paired": "{thing} est facturé pour {usage}, mais le téléphone montre {talked}. Le système de l’opérateur ne semble pas avoir remarqué la fin de l’appel. Environ {stake} sur {amount} semblent de trop.",
    "hung overlap": "{thing} aurait duré {usage}, mais un autre appel a été passé du téléphone pendant ce temps, et le téléphone ne montre pas celui-ci ({amount}).",
    "duplicate same": "{thing} figure plusieurs fois sur la facture : {twin} a les mêmes heure, numéro et durée ({amount}).",
    "duplicate near": "{thing} semble figurer deux fois sur la facture : {twin} est presque identique, à une minute au plus, avec le même numéro et à peu près la même durée ({amount}).",
    "invoice-only absent": "{thing} figure sur la facture ({amount}), mais pas dans la liste du téléphone, qui couvre pourtant cette date.",
    "invoice-only unknown": "{thing} figure sur la facture ({amount}), et la {list} du téléphone n’a rien avec ce numéro{other} : il y a été effacé, ou n’a jamais servi. Vous seul pouvez le dire.",
    "invoice-only denied": "{thing} figure sur la facture ({amount}). La {list} du téléphone n’a rien avec ce numéro{other}. {deny}",
    "invoice-only recalled": "{thing} figure sur la facture ({amount}). La {list} du téléphone n’a rien avec ce numéro{other}, mais vous le connaissez : l’entrée a sans doute été effacée.",
    "not-covered outside": "{thing} ne peut pas être vérifié : la liste du téléphone ne va pas jusqu’à cette date.",
    "not-covered hole": "{thing} ne peut pas être vérifié : la liste du téléphone est vide pour ce moment, comme si une partie avait été perdue.",
    "not-covered foreign": "{thing} ne peut pas être vérifié : la liste du téléphone ne semble pas correspondre à cette facture, car aucune de ses lignes n’y figure.",
    "not-comparable service": "{thing} n’est ni un appel ni un message. La liste d’un téléphone n’a rien de comparable.",
    "not-comparable correction": "{thing} corrige une facture antérieure. Le téléphone n’a rien de comparable.",
    "not-comparable forwarded": "{thing} a été renvoyé par le réseau. Le téléphone peut ne pas l’avoir remarqué.",
  },
  unlisted: {
    call: "{thing} ne peut pas être vérifié : c’est un appel, et les listes que vous avez données n’en ont aucun. Donnez aussi cette liste.",
    message: "{thing} ne peut pas être vérifié : c’est un message, et les listes que vous avez données n’en ont aucun. Donnez aussi cette liste.",
    mms: "{thing} ne peut pas être vérifié : c’est un message illustré, et les listes que vous avez données n’en ont aucun. Donnez aussi cette liste.",
  },
  lists: { calls: "liste d’appels", messages: "liste de messages" },
  others: { calls: " (sa liste de messages, si)", messages: " (sa liste d’appels, si)" },
  denials: {
    1: "Cet appel n’a jamais été passé.",
    2: "Cet appel n’a jamais été reçu.",
    4: "Ce message n’a jamais été envoyé.",
    5: "Ce message n’a jamais été reçu.",
    7: "Ce message n’a jamais été envoyé.",
  },
  denied: {
    calls: "{count} appels avec {number}, {amount} en tout (lignes {places}), figurent sur la facture. La liste d’appels du téléphone n’a rien avec ce numéro{other}. Ces appels n’ont jamais eu lieu.",
    messages: "{count} messages avec {number}, {amount} en tout (lignes {places}), figurent sur la facture. La liste de messages du téléphone n’a rien avec ce numéro{other}. Ces messages n’ont jamais existé.",
  },
  line: "la ligne {n}",
  anotherLine: "une autre ligne",
  unknown: "une durée inconnue",
  kinds: { call: "Cet appel", message: "Ce message", mms: "Ce message illustré (MMS)", app: "Cet appel ou ce message" },
  entries: {
    billed: "{thing} figure sur la facture.",
    copy: "{thing} figure aussi dans une autre liste que vous avez donnée, et compte une fois.",
    free: "{thing} est passé par une application. L’opérateur ne le facture pas.",
    incoming: "{thing} a été reçu. Les opérateurs le facturent rarement.",
    unanswered: "{thing} n’a pas reçu de réponse ou n’est pas parti : il ne coûte rien.",
    "other-sim": "{thing} est passé par une autre carte SIM, que cette facture ne concerne pas.",
    freephone: "{thing} était destiné à un numéro gratuit. Il n’a pas à figurer sur la facture.",
    "other-period": "{thing} est en dehors de la période de cette facture.",
    "next-bill": "{thing} date des deux derniers jours de la période. Il figurera peut-être sur la prochaine facture.",
    "by-app": "{thing} est probablement passé par internet ou compris dans un forfait. Presque aucun message ne figure sur cette facture.",
    missing: "{thing} ne figure pas sur la facture, alors qu’on l’y attendrait. C’est à votre avantage.",
  },
};

const WORDS: Record<Language, Words> = { en: EN, de: DE, fr: FR };

function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** The line itself, like "The call to +353871234567 on 3 October 2026 at 14:05". */
export function thing(lang: Language, line: InvoiceLine): string {
  const words = WORDS[lang];
  const values = { number: line.number || words.withheld, moment: moment(lang, line) };
  return fill(words.things[line.service] ?? words.other, values);
}

/** The line with the usage and amounts of those that joined it. */
export function whole(result: Pick<MatchResult, "lines">, index: number, invoice: Invoice): InvoiceLine {
  const joining = new Set(result.lines.filter((each) => each.joins === index).map((each) => each.index));
  const sum = { ...invoice.lines.find((each) => each.index === index)! };
  for (const each of invoice.lines) {
    if (!joining.has(each.index)) continue;
    sum.usage += each.usage;
    sum.billedUsage += each.billedUsage;
    sum.amount += each.amount;
  }
  return sum;
}

/** What became of a line of the result and what that means. Sums are to the usual decimals; the bill's own lines have them in full. */
export function sentence(lang: Language, result: Told, line: LineResult, invoice: Invoice): string {
  const words = WORDS[lang];
  const billed = whole(result, line.index, invoice);
  const kind = kindOf(billed.service);
  const twin = twinOf(result, line, invoice);
  const unlisted = line.class === "not-covered" && line.reason === "outside" && isUnlisted(result, kind);
  const template = unlisted ? words.unlisted[kind!] : words.lines[`${line.class} ${line.reason}`];
  return fill(template ?? "{thing}.", {
    thing: thing(lang, billed),
    usage: lasting(billed.usage),
    billed: lasting(billed.billedUsage),
    talked: line.talked === null ? words.unknown : lasting(line.talked),
    amount: roundMoney(lang, billed.amount, invoice.currency),
    stake: roundMoney(lang, BigInt(line.stake), invoice.currency),
    twin: twin === null ? words.anotherLine : fill(words.line, { n: String(twin + 1) }),
    list: words.lists[listOf(kind)],
    other: result.elsewhere?.has(line.index) ? words.others[listOf(kind)] : "",
    deny: words.denials[billed.service] ?? "",
  });
}

/** Several lines with one number of one list, all of which the reader denied, in one sentence. */
export function deniedSentence(lang: Language, result: Told, lines: readonly LineResult[], invoice: Invoice): string {
  const words = WORDS[lang];
  const billed = lines.map(({ index }) => invoice.lines.find((each) => each.index === index)!);
  const list = listOf(kindOf(billed[0]!.service));
  return fill(words.denied[list], {
    count: String(lines.length),
    number: billed[0]!.number || words.withheld,
    amount: roundMoney(lang, billed.reduce((sum, { amount }) => sum + amount, 0n), invoice.currency),
    places: lines.map(({ index }) => String(index + 1)).join(", "),
    other: result.elsewhere?.has(lines[0]!.index) ? words.others[list] : "",
  });
}

/** The phone's list that entries of a kind are in. */
export function listOf(kind: Kind | null): List {
  return kind === "message" || kind === "mms" ? "messages" : "calls";
}

/** Whether the bill charges tax in lines of its own: then the amounts of the others are before tax. */
export function hasTax(invoice: Invoice): boolean {
  return invoice.lines.some(({ service }) => service === TAX);
}

/** A short heading for a class of lines. */
export function title(lang: Language, verdict: LineClass): string {
  return WORDS[lang].titles[verdict];
}

/** What became of an entry of a phone's log. */
export function entrySentence(lang: Language, result: EntryResult, entry: Entry): string {
  const words = WORDS[lang];
  return fill(words.entries[result.class], { thing: words.kinds[entry.kind]! });
}

/** Why a line costs something else than the contract says, in the reader's language. Names from files are made printable by the caller. */

import { lasting, type Language, money } from "../matching/formatting";
import type { Cause, Verdict } from "./check";
import { PRICE } from "./numbers";
import { FIRST_LINE, HOME, kindOf, ELSEWHERE, type Interval } from "./types";

/** Causes that say more than the two amounts do. */
type Told = Exclude<Cause, "" | "price">;

interface Words {
  /** {charged}, {due}: money; {why}: a cause. */
  line: string;
  plain: string;
  causes: Record<Told, string>;
  /** How usage is rounded up: {n}. */
  steps: string;
  places: Record<typeof HOME | typeof ELSEWHERE, string>;
  modes: Record<string, string>;
  connection: { more: string; none: string };
  messages: [one: string, many: string];
  missing: string;
  missingCredit: string;
}

const EN: Words = {
  line: "Charged {charged}, the contract says {due}: {why}.",
  plain: "Charged {charged}, the contract says {due}.",
  causes: {
    "billed-usage": "billed as {billed}, the contract says {due}, {steps}",
    allowance: "{free} were still free",
    zone: "charged as “{other}”, but the network was {zone}",
    band: "charged as “{other}”, at that time “{own}” holds",
    destination: "charged as “{other}”, but the number is “{destination}”",
    tier: "charged at {other}, after what was used before the price is {own}",
    rounding: "rounded {other}, the contract says {own}",
    connection: "{connection}",
    fee: "the fee “{own}” is another",
    discount: "the discount “{own}” is another",
    tax: "the tax “{own}” is another",
    commitment: "what is missing to the minimum turnover is another sum",
    total: "the total is rounded otherwise",
    repeated: "“{own}” was charged more than once",
    "no-rate": "the contract has no price for it",
  },
  steps: "in steps of {n}",
  places: { home: "the home network", elsewhere: "in no zone" },
  modes: { up: "up", down: "down", "half-up": "to the nearest, halves up", "half-even": "to the nearest, halves to even" },
  connection: { more: "a connection fee too many", none: "the connection fee is missing" },
  messages: ["1 message", "{n} messages"],
  missing: "“{name}”, {due}, is due and not on the bill.",
  missingCredit: "The credit “{name}”, {due}, is due and not on the bill.",
};

const DE: Words = {
  line: "Berechnet {charged}, laut Vertrag {due}: {why}.",
  plain: "Berechnet {charged}, laut Vertrag {due}.",
  causes: {
    "billed-usage": "als {billed} abgerechnet, laut Vertrag {due}, {steps}",
    allowance: "{free} waren noch frei",
    zone: "wie „{other}“ berechnet, das Netz war aber {zone}",
    band: "wie „{other}“ berechnet, zu dieser Zeit gilt „{own}“",
    destination: "wie „{other}“ berechnet, die Nummer ist aber „{destination}“",
    tier: "zu {other} berechnet, nach dem bis dahin Verbrauchten ist der Preis {own}",
    rounding: "{other} gerundet, laut Vertrag {own}",
    connection: "{connection}",
    fee: "die Gebühr „{own}“ ist eine andere",
    discount: "der Rabatt „{own}“ ist ein anderer",
    tax: "die Steuer „{own}“ ist eine andere",
    commitment: "was zum Mindestumsatz fehlt, ist ein anderer Betrag",
    total: "die Summe ist anders gerundet",
    repeated: "„{own}“ wurde mehr als einmal berechnet",
    "no-rate": "der Vertrag hat dafür keinen Preis",
  },
  steps: "in Schritten von {n}",
  places: { home: "das Heimatnetz", elsewhere: "in keiner Zone" },
  modes: { up: "aufwärts", down: "abwärts", "half-up": "kaufmännisch", "half-even": "zum Nächsten, Hälften zur geraden Ziffer" },
  connection: { more: "ein Verbindungsentgelt zu viel", none: "das Verbindungsentgelt fehlt" },
  messages: ["1 Nachricht", "{n} Nachrichten"],
  missing: "„{name}“, {due}, ist fällig und steht nicht auf der Rechnung.",
  missingCredit: "Die Gutschrift „{name}“, {due}, steht Ihnen zu und fehlt auf der Rechnung.",
};

const FR: Words = {
  line: "Facturé {charged}, le contrat dit {due} : {why}.",
  plain: "Facturé {charged}, le contrat dit {due}.",
  causes: {
    "billed-usage": "compté comme {billed}, le contrat dit {due}, {steps}",
    allowance: "{free} étaient encore gratuits",
    zone: "facturé comme « {other} », mais le réseau était {zone}",
    band: "facturé comme « {other} », à cette heure « {own} » s’applique",
    destination: "facturé comme « {other} », mais le numéro est « {destination} »",
    tier: "facturé à {other}, après ce qui était déjà consommé le prix est {own}",
    rounding: "arrondi {other}, le contrat dit {own}",
    connection: "{connection}",
    fee: "les frais « {own} » sont autres",
    discount: "la remise « {own} » est autre",
    tax: "la taxe « {own} » est autre",
    commitment: "ce qui manque au minimum de consommation est une autre somme",
    total: "le total est arrondi autrement",
    repeated: "« {own} » a été facturé plus d’une fois",
    "no-rate": "le contrat n’a pas de prix pour cela",
  },
  steps: "par tranches de {n}",
  places: { home: "le réseau d’origine", elsewhere: "dans aucune zone" },
  modes: { up: "vers le haut", down: "vers le bas", "half-up": "au plus proche, les moitiés vers le haut", "half-even": "au plus proche, les moitiés au chiffre pair" },
  connection: { more: "des frais de connexion en trop", none: "les frais de connexion manquent" },
  messages: ["1 message", "{n} messages"],
  missing: "« {name} », {due}, est dû et ne figure pas sur la facture.",
  missingCredit: "L’avoir « {name} », {due}, vous est dû et manque sur la facture.",
};

const WORDS: Record<Language, Words> = { en: EN, de: DE, fr: FR };

function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** What one line's check says: charged, due, and the cause in words. `printed` makes a file's text safe to show. */
export function priceSentence(
  lang: Language,
  verdict: Verdict,
  line: { service: number; amount: bigint; billedUsage: bigint },
  currency: string,
  pricesIn: string,
  printed: (text: string) => string,
): string {
  const words = WORDS[lang];
  const values = { charged: money(lang, line.amount, currency), due: money(lang, verdict.due ?? 0n, currency) };
  if (!verdict.cause || verdict.cause === "price") return fill(words.plain, values);
  return fill(words.line, { ...values, why: why(lang, verdict, line, pricesIn, printed) });
}

function why(
  lang: Language,
  verdict: Verdict,
  { service, amount, billedUsage }: { service: number; amount: bigint; billedUsage: bigint },
  pricesIn: string,
  printed: (text: string) => string,
): string {
  const words = WORDS[lang];
  const { cause, spot, own, other, detail, due } = verdict;
  const used = (units: bigint): string => usage(lang, service, units);
  const place = (name: string): string => (Object.hasOwn(words.places, name) ? words.places[name as keyof Words["places"]] : printed(name));
  const values: Record<string, string> = {
    billed: used(billedUsage),
    due: used(verdict.billedUsage ?? 0n),
    free: used(verdict.free),
    own: printed(verdict.rate),
    other: printed(other?.name ?? ""),
    zone: spot ? place(spot.zone) : "",
    destination: spot ? (spot.destination === ELSEWHERE ? words.places.elsewhere : printed(spot.destination)) : "",
  };
  const first = own?.intervals[0];
  if (cause === "billed-usage" && own) values.steps = fill(words.steps, { n: own.intervals.map(({ increment }) => used(increment)).join(" / ") });
  if (cause === "tier" && first) {
    values.other = rateText(lang, BigInt(detail), first, service, pricesIn);
    values.own = rateText(lang, tierPrice(verdict), first, service, pricesIn);
  }
  if (cause === "rounding" && own) {
    values.other = words.modes[detail] ?? detail;
    values.own = words.modes[own.rounding.mode]!;
  }
  if (cause === "connection") values.connection = amount > (due ?? 0n) ? words.connection.more : words.connection.none;
  return fill(words.causes[cause as Told], values);
}

/** The price that holds for the record: of its tier, or the rate's own. */
function tierPrice({ price, own }: Verdict): bigint {
  return price ?? own!.intervals[0]!.price;
}

function rateText(lang: Language, price: bigint, { unit }: Interval, service: number, currency: string): string {
  const text = price.toString().padStart(PRICE + 1, "0");
  const shown = `${text.slice(0, -PRICE)}.${text.slice(-PRICE).replace(/0{1,10}$/, "")}`;
  return `${lang === "en" ? shown : shown.replace(".", ",")} ${currency} / ${usage(lang, service, unit)}`;
}

const BYTES: [bigint, string][] = [[1_000_000_000n, "GB"], [1_000_000n, "MB"], [1000n, "kB"]];

/** Usage with its unit, exactly. */
export function usage(lang: Language, service: number, units: bigint): string {
  if (service >= FIRST_LINE) return units.toString();
  const kind = kindOf(service);
  if (kind === "seconds") return lasting(Number(units));
  if (kind === "messages") return fill(WORDS[lang].messages[units === 1n ? 0 : 1], { n: units.toString() });
  const [size, name] = BYTES.find(([one]) => units >= one) ?? [1n, "B"];
  const part = ((units % size) * 1_000_000_000n / size).toString().padStart(9, "0").replace(/0+$/, "");
  return `${units / size}${part ? (lang === "en" ? "." : ",") + part : ""} ${name}`;
}

/** A line that is due and not there: a credit that the reader is owed, or something in the reader's favour. */
export function missingSentence(lang: Language, name: string, due: bigint, currency: string): string {
  const words = WORDS[lang];
  return fill(due < 0n ? words.missingCredit : words.missing, { name, due: money(lang, due < 0n ? -due : due, currency) });
}

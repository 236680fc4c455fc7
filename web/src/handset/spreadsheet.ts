/** Call lists that iMazing and programs like it export as CSV, in English, German or French, on a wall clock. */

import { Collector } from "./collector";
import { RowError } from "./problems";
import type { Sheet } from "./sheets";
import { PhoneLogError, type Entry, type PhoneLog } from "./types";
import { answeredBy, cleanNumber, strip } from "./values";
import { hasSeconds, isAmbiguous, type Order, orderOf, spokenDuration, wallSeconds } from "./walltime";

const NAMES = {
  type: [
    "call type", "type", "direction", "anruftyp", "anrufart", "typ", "art", "richtung", "type d'appel", "type d’appel",
    "sens",
  ],
  date: [
    "date", "date & time", "date and time", "date/time", "datum", "datum & uhrzeit", "datum und uhrzeit", "zeitpunkt",
    "date et heure", "date & heure",
  ],
  duration: ["duration", "dauer", "durée"],
  number: [
    "number", "phone number", "phone", "nummer", "rufnummer", "telefonnummer", "numéro", "numéro de téléphone",
    "téléphone",
  ],
  service: ["service", "dienst", "app"],
};
type Field = keyof typeof NAMES;
type Places = Partial<Record<Field, number>>;

const WORDS: [Entry["direction"], Entry["answered"] | null, string[]][] = [
  ["out", null, [
    "outgoing", "outgoing call", "ausgehend", "ausgehender anruf", "sortant", "appel sortant", "émis",
  ]],
  ["in", "yes", ["incoming", "incoming call", "eingehend", "eingehender anruf", "entrant", "appel entrant", "reçu"]],
  ["in", "no", [
    "missed", "missed call", "verpasst", "verpasster anruf", "manqué", "appel manqué", "rejected", "abgelehnt",
    "rejeté", "blocked", "blockiert", "bloqué",
  ]],
  ["out", "no", ["cancelled", "canceled", "abgebrochen", "annulé"]],
];
const TYPES = new Map(WORDS.flatMap(([direction, answered, words]) => words.map((word) => [word, { direction, answered }])));
const PHONE = ["", "phone", "telephony", "telefon", "téléphone", "cellular", "mobilfunk"];

function placesOf(sheet: Sheet): Places {
  const places: Places = {};
  for (const [field, names] of Object.entries(NAMES) as [Field, string[]][]) {
    const name = names.find((name) => sheet.header.includes(name));
    if (name !== undefined) places[field] = sheet.header.indexOf(name);
  }
  return places;
}

export function looksLikeSpreadsheet(sheet: Sheet): boolean {
  const places = placesOf(sheet);
  return places.type !== undefined && places.date !== undefined && places.number !== undefined;
}

export function readSpreadsheet(sheet: Sheet): PhoneLog {
  const places = placesOf(sheet);
  const dates = sheet.rows.filter(({ cells }) => cells.length > places.date!).map(({ cells }) => strip(cells[places.date!]!));
  const collector = new Collector(sheet.name);
  const order = orderOf(dates) ?? dayFirst(sheet, places, dates);
  for (const { line, cells } of sheet.rows) collector.add(line, () => rowOf(cells, places, order));
  return collector.log("spreadsheet", { clock: "local", step: dates.every(hasSeconds) ? 1 : 60 });
}

/** Where nothing tells, German and French put the day first; English may mean either. */
function dayFirst(sheet: Sheet, places: Places, dates: string[]): Order {
  if (/(number|phone)$/.test(sheet.header[places.number!]!) && dates.some(isAmbiguous)) {
    throw new PhoneLogError(
      "ambiguous",
      `${sheet.name}: no date tells whether the day or the month comes first (${dates[0]}); export a longer time`,
    );
  }
  return "dm";
}

function rowOf(cells: string[], places: Places, order: Order): Entry {
  const cell = (field: Field) => strip(cells[places[field] ?? -1] ?? "");
  const type = TYPES.get(cell("type").toLowerCase());
  if (!type) throw new RowError("type", "is not a word for an outgoing, incoming or missed call");
  const at = wallSeconds("date", cell("date"), order);
  const duration = spokenDuration("duration", cell("duration"));
  return {
    kind: PHONE.includes(cell("service").toLowerCase()) ? "call" : "app",
    direction: type.direction,
    answered: type.answered ?? answeredBy(duration),
    number: cleanNumber(cell("number")),
    at,
    duration,
    parts: 0,
    sim: "",
  };
}

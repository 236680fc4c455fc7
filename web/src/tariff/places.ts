/** Destinations by prefix, zones by network. */

import { TariffFault } from "./fault";
import { item, type Table } from "./table";
import { ELSEWHERE, HOME, type Tariff } from "./types";
import * as units from "./units";

/** What a number may begin with: digits, + and whatever else is dialled or written as a sender. */
const PREFIX = /^[!-~]{1,128}$/;

export function destinations(file: Table): Pick<Tariff, "prefixes" | "destinations"> {
  const table = file.table("destinations", null);
  const prefixes = new Map<string, string>();
  for (const name of table.names()) {
    requireName(table, name);
    table.texts(name).forEach((prefix, at) => {
      const place = item(table.at(name), at);
      if (!PREFIX.test(prefix)) throw new TariffFault("value", place, "a prefix is expected, without blanks");
      const whole = international(prefix);
      if ((prefixes.get(whole) ?? name) !== name) throw new TariffFault("overlap", place, `${prefix} is of ${JSON.stringify(prefixes.get(whole))} already`);
      prefixes.set(whole, name);
    });
  }
  return { prefixes, destinations: table.names() };
}

export function networks(file: Table, home: string[]): Pick<Tariff, "networks" | "zones"> {
  const codes = new Map<string, string>();
  const tadig = file.table("tadig", null);
  for (const code of tadig.names()) {
    if (!/^[A-Z0-9]{5}$/.test(code)) throw new TariffFault("value", tadig.at(code), "a TADIG code is expected, five letters and digits");
    codes.set(code, tadig.read(code, units.network, "a network is expected, MCC-MNC"));
  }
  const table = file.table("zones", null);
  const found = new Map(home.map((network) => [network, HOME]));
  for (const name of table.names()) {
    requireName(table, name);
    table.texts(name).forEach((text, at) => {
      const place = item(table.at(name), at);
      const network = /^[0-9]{3}$/.test(text) ? text : (units.network(text) ?? codes.get(text));
      if (network === undefined) throw new TariffFault("name", place, "neither MCC, MCC-MNC, nor a code of [tadig]");
      if ((found.get(network) ?? name) !== name) throw new TariffFault("overlap", place, `${network} is in ${JSON.stringify(found.get(network))} already`);
      found.set(network, name);
    });
  }
  return { networks: found, zones: table.names() };
}

function requireName(table: Table, name: string): void {
  if (units.name(name) === null) throw new TariffFault("value", table.at(name), units.NAME);
  if (name === HOME || name === ELSEWHERE) throw new TariffFault("name", table.at(name), "this name is taken");
}

/** The zone of a record's network. */
export function zoneOf(tariff: Tariff, network: string): string {
  return network === "" ? HOME : (tariff.networks.get(network) ?? tariff.networks.get(network.slice(0, 3)) ?? ELSEWHERE);
}

/** Two zeros that a number or a prefix begins with are +. */
function international(text: string): string {
  return text.startsWith("00") ? `+${text.slice(2)}` : text;
}

/** The destination of the longest prefix that a number begins with. */
export function destinationOf(tariff: Tariff, number: string): string {
  const whole = international(number);
  for (let length = Math.min(whole.length, 128); length > 0; length--) {
    const found = tariff.prefixes.get(whole.slice(0, length));
    if (found !== undefined) return found;
  }
  return ELSEWHERE;
}

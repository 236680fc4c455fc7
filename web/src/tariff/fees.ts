/** Lines of the file that are no usage: fees, commitment, discounts, taxes. */

import { TariffFault } from "./fault";
import { servicesOf } from "./rates";
import { roundingOf } from "./roundings";
import { type Table, unique } from "./table";
import { type Commitment, DISCOUNT, type Discount, type Fee, SERVICES, TAX, type Tariff, type Tax } from "./types";
import * as units from "./units";

const AMOUNT = "an amount is expected, with at most 9 decimals";
const PERCENT = "a percentage of 0 or more is expected, with at most 9 decimals";

export function bill(file: Table): Pick<Tariff, "fees" | "commitment" | "discounts" | "taxes"> {
  const fees = file.tables("fees", ["name", "amount", "service", "times"]).map(fee);
  const discounts = file.tables("discounts", ["name", "percent", "of", "rates", "above", "times"]).map(discount);
  const taxes = file.tables("taxes", ["name", "percent", "of", "rounding"]).map(tax);
  const commitment = file.has("commitment") ? commitmentOf(file.table("commitment", ["amount", "services", "name"])) : null;
  unique([...fees, ...discounts], "discounts");
  unique(taxes, "taxes");
  if (commitment && [...fees, ...discounts].some(({ name }) => name === commitment.name))
    throw new TariffFault("repeated", "commitment.name", "a fee or discount has this name");
  requireOrder(discounts, fees);
  return { fees, commitment, discounts, taxes };
}

function fee(table: Table): Fee {
  return {
    name: table.read("name", units.name, units.NAME),
    amount: table.read("amount", units.money, AMOUNT),
    service: SERVICES[table.oneOf("service", ["recurring", "one-off"])]!,
    times: table.oneOf("times", ["once", "any"]),
  };
}

function discount(table: Table): Discount {
  const of = servicesOf(table, "of");
  const rates = table.has("rates") ? table.texts("rates") : null;
  if (of.includes(DISCOUNT) && !rates) throw new TariffFault("missing", table.at("rates"), "a discount of discounts says of which");
  return {
    name: table.read("name", units.name, units.NAME),
    percent: table.read("percent", units.notNegative, PERCENT),
    of,
    rates,
    above: table.has("above") ? table.read("above", units.money, AMOUNT) : 0n,
    times: table.oneOf("times", ["once", "any"]),
  };
}

function tax(table: Table): Tax {
  const of = table.has("of") ? servicesOf(table, "of") : null;
  if (of?.includes(TAX)) throw new TariffFault("value", table.at("of"), "taxes are not taxed");
  return {
    name: table.read("name", units.name, units.NAME),
    percent: table.read("percent", units.notNegative, PERCENT),
    of,
    rounding: table.has("rounding") ? roundingOf(table.table("rounding", ["mode", "decimals"])) : { mode: "half-up", decimals: 9 },
  };
}

function commitmentOf(table: Table): Commitment {
  return {
    amount: table.read("amount", units.notNegative, "an amount of 0 or more, with at most 9 decimals"),
    services: servicesOf(table, "services"),
    name: table.read("name", units.name, units.NAME),
  };
}

/** A discount may name discounts that stand before it: else they would follow from each other in a circle. */
function requireOrder(discounts: readonly Discount[], fees: readonly Fee[]): void {
  const before = new Set<string>();
  for (const { name, of, rates } of discounts) {
    for (const named of of.includes(DISCOUNT) ? (rates ?? []) : [])
      if (!before.has(named) && !fees.some((fee) => fee.name === named) && discounts.some((other) => other.name === named))
        throw new TariffFault("value", "discounts", `${JSON.stringify(name)} is of ${JSON.stringify(named)}, which does not stand before it`);
    before.add(name);
  }
}

/** How to round, as the file says it. */

import { TariffFault } from "./fault";
import { MODES } from "./numbers";
import type { Table } from "./table";
import type { RateRounding, Rounding } from "./types";

export function roundingOf(table: Table): Rounding {
  return { mode: table.oneOf("mode", MODES), decimals: Number(table.whole("decimals", 0n, 9n)) };
}

export function rateRounding(table: Table, total: boolean): RateRounding {
  const at = table.oneOf("at", ["increment", "call", "invoice"]);
  if (at !== "invoice") return { ...roundingOf(table), at };
  if (table.has("decimals")) throw new TariffFault("unknown", table.at("decimals"), "what is rounded at the invoice has no decimals of its own");
  if (!total) throw new TariffFault("missing", "total", "rounding at the invoice needs [total]");
  // To 9 decimals, half-even, whatever is written here.
  if (table.has("mode")) table.oneOf("mode", MODES);
  return { mode: "half-even", decimals: 9, at };
}

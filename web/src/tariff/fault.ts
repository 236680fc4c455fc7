/** Why a tariff is refused: a kind that the reader's language has words for, the place in the file, what is wrong there. */

export type FaultKind = "syntax" | "type" | "unknown" | "missing" | "value" | "repeated" | "overlap" | "gap" | "name";

export class TariffFault extends Error {
  constructor(
    readonly kind: FaultKind,
    /** Keys from the top of the file, like `rates[3].price`. */
    readonly place: string,
    /** In English. */
    readonly detail: string,
  ) {
    super(place ? `${place}: ${detail}` : detail);
  }
}

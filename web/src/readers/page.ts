/** The amounts that an invoice's pages show, against those of the bundle attached to it. */

interface Bill {
  statement: { currency: string; total: string };
  records: { amount: string }[];
}

/**
 * Amounts of the attachment that the pages do not show as often as they should: lines (from 0), and `"total"`.
 * Digits and signs are compared, not how a language groups them, and not where they stand: `billproof verify`
 * compares the whole page. Of lines with the same amount, the last are named.
 */
export function missingAmounts(text: readonly string[], bill: Bill): (number | "total")[] {
  const decimals = decimalsOf(bill.statement.currency);
  const shown = new Map<string, number>();
  for (const cell of text) {
    const key = keyOf(cell.replace(/\D/g, ""), /[-\u2212]/.test(cell));
    shown.set(key, (shown.get(key) ?? 0) + 1);
  }
  const missing = (billionths: string): boolean => {
    const key = expected(BigInt(billionths), decimals);
    const left = shown.get(key) ?? 0;
    shown.set(key, left - 1);
    return left <= 0;
  };
  const total = missing(bill.statement.total);
  const lines = bill.records.flatMap(({ amount }, line) => (missing(amount) ? [line] : []));
  return total ? ["total", ...lines] : lines;
}

/** As `Intl` knows it, which has the same source as the package's. */
function decimalsOf(currency: string): number {
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().minimumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

function expected(billionths: bigint, decimals: number): string {
  const size = billionths < 0n ? -billionths : billionths;
  const rest = String(size % 1_000_000_000n).padStart(9, "0");
  const digits = `${size / 1_000_000_000n}${rest.slice(0, decimals)}${rest.slice(decimals).replace(/0+$/, "")}`;
  return keyOf(digits, billionths < 0n);
}

function keyOf(digits: string, negative: boolean): string {
  return negative ? `-${digits}` : digits;
}

import { describe, expect, it } from "vitest";
import { ReceiptCodeError, readReceiptCode } from "../../src/readers/receiptcode";
import { vectors } from "../protocol/vectors";

interface Case {
  name: string;
  code: string;
  receipt: object;
}

const { good, bad } = vectors("receipt-codes") as { good: Case[]; bad: Case[] };

describe("receipt codes", () => {
  it.each(good.map((each) => [each.name, each] as const))("reads: %s", async (_, { code, receipt }) => {
    expect(await readReceiptCode(code)).toEqual(receipt);
    expect(await readReceiptCode(`\n ${code}\r\n`)).toEqual(receipt);
  });

  it.each(bad.map((each) => [each.name, each.code] as const))("refuses: %s", async (_, code) => {
    await expect(readReceiptCode(code)).rejects.toBeInstanceOf(ReceiptCodeError);
  });

  it("refuses or reads whatever is damaged", async () => {
    const { code } = good[0]!;
    for (let at = 4; at < code.length; at += 7) {
      const damaged = `${code.slice(0, at)}${code[at] === "7" ? "8" : "7"}${code.slice(at + 1)}`;
      await readReceiptCode(damaged).catch((error: unknown) => expect(error).toBeInstanceOf(ReceiptCodeError));
    }
  });
});

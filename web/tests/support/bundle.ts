/** Bundles made on the spot: a batch of one statement, hashed by the code under test. */

import type { Bundle, BundleLine } from "../../src/protocol/documents";
import { fromHex, toHex } from "../../src/protocol/hex";
import { hashLine, hashPeer, include } from "../../src/protocol/inclusion";
import { accountKey } from "../../src/protocol/keys";
import { buildTree } from "../../src/protocol/tree";

const ZERO32 = `0x${"0".repeat(64)}`;
const word = (n: number): string => `0x${n.toString(16).padStart(64, "0")}`;

export function makeLine(changes: Partial<BundleLine> = {}): BundleLine {
  return {
    index: "0",
    service: "1",
    startedAt: "1790933700",
    utcOffset: "120",
    usage: "125",
    billedUsage: "180",
    number: "+4930123456",
    salt: word(1),
    network: "262-01",
    amount: "270000000",
    rate: "0.09 EUR/min, 60/60",
    corrects: ZERO32,
    hash: ZERO32,
    ...changes,
  };
}

/** A bundle of these lines (their indexes, salts and hashes are set here) and its root. */
export function makeBundle(ledger: string, lines: BundleLine[], tariff = ZERO32): { bundle: Bundle; root: string } {
  const records = lines.map((line, at) => {
    const placed = { ...line, index: String(at), salt: word(at + 1) };
    return { ...placed, hash: toHex(hashLine(placed, hashPeer(placed))) };
  });
  const holder = `0x${"0".repeat(40)}`;
  const secret = word(7);
  const account = toHex(accountKey("1001", fromHex(secret), holder));
  const bundle: Bundle = {
    schema: "billproof/bundle/1",
    batch: { chainId: "31337", ledger, operatorId: "1", period: "202610", region: "0", sequence: "1" },
    account: { accountId: "1001", keySecret: secret, holder },
    statement: {
      account,
      recordsRoot: toHex(buildTree(records.map(({ hash }) => fromHex(hash)))[0]!),
      recordCount: String(records.length),
      currency: "EUR",
      tariff,
      total: records.reduce((sum, { amount }) => sum + BigInt(amount), 0n).toString(),
      totalSalt: word(8),
    },
    records,
    entry: { nextAccount: account, proof: [] },
  };
  return { bundle, root: include(bundle).root };
}

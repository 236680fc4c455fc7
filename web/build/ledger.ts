/** The virtual module `virtual:ledger`: what a verifier must know of the shipped contract, a hundred bytes of it. */

import { readFileSync } from "node:fs";
import { concat, keccak256 } from "viem";
import type { Plugin } from "vite";

const ARTIFACT = new URL("../../src/billproof/ledger/artifacts/BillingLedger.json", import.meta.url);

export function ledger(): Plugin {
  return {
    name: "billproof-ledger",
    resolveId: (id) => (id === "virtual:ledger" ? "\0virtual:ledger" : undefined),
    load: (id) => (id === "\0virtual:ledger" ? `export default ${JSON.stringify(facts())}` : undefined),
  };
}

function facts(): object {
  const artifact = JSON.parse(readFileSync(ARTIFACT, "utf8"));
  const { deployer, salt } = artifact.create2;
  const hash = keccak256(concat(["0xff", deployer.toLowerCase(), salt, keccak256(artifact.bytecode)]));
  const code = Buffer.from(artifact.deployedBytecode.slice(2), "hex");
  const immutables = artifact.immutableReferences
    .map(({ start, length }: { start: number; length: number }) => [Number(start), Number(length)])
    .sort((a: number[], b: number[]) => a[0]! - b[0]!);
  for (const [start, length] of immutables) code.fill(0, start, start + length);
  return { address: `0x${hash.slice(26)}`, codeLength: code.length, codeHash: keccak256(code), immutables };
}

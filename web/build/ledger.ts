/**
 * The virtual modules `virtual:ledger`, what a verifier must know of the shipped contract (a hundred bytes of it), and
 * `virtual:deployments`, where it lives: the package's list, and the files of `BILLPROOF_DEPLOYMENTS`, a directory, if it is set.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { concat, keccak256, pad } from "viem";
import type { Plugin } from "vite";

const LEDGER = artifact("BillingLedger");
const BOOK = artifact("TariffBook");

const SHIPPED = fileURLToPath(new URL("../../src/billproof/ledger/deployments", import.meta.url));

const MODULES: Record<string, () => unknown> = { "virtual:ledger": facts, "virtual:deployments": deployments };

export function ledger(): Plugin {
  return {
    name: "billproof-ledger",
    resolveId: (id) => (id in MODULES ? `\0${id}` : undefined),
    load: (id) => {
      const content = id.startsWith("\0") ? MODULES[id.slice(1)] : undefined;
      return content && `export default ${JSON.stringify(content())}`;
    },
  };
}

function deployments(): unknown[] {
  const own = process.env.BILLPROOF_DEPLOYMENTS;
  const files = [SHIPPED, ...(own ? [own] : [])].flatMap((home) =>
    readdirSync(home)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => join(home, name)),
  );
  return files.map((file) => {
    const deployment = JSON.parse(readFileSync(file, "utf8"));
    return { ...deployment, book: bookOf(deployment.ledger ?? addressOf(LEDGER)) };
  });
}

/** Where the tariff book of a ledger is: its init code holds the ledger's address (docs/tariff.md, section 10). */
export function bookOf(ledger: string): string {
  return addressOf(BOOK, pad(ledger.toLowerCase() as `0x${string}`, { size: 32 }));
}

interface Artifact {
  bytecode: `0x${string}`;
  deployedBytecode: string;
  create2: { deployer: string; salt: `0x${string}` };
  immutableReferences: { start: number; length: number }[];
}

function artifact(contract: string): Artifact {
  return JSON.parse(readFileSync(new URL(`../../src/billproof/ledger/artifacts/${contract}.json`, import.meta.url), "utf8"));
}

function addressOf({ bytecode, create2 }: Artifact, args: `0x${string}` = "0x"): string {
  const deployer = create2.deployer.toLowerCase() as `0x${string}`;
  return `0x${keccak256(concat(["0xff", deployer, create2.salt, keccak256(concat([bytecode, args]))])).slice(26)}`;
}

function facts(): object {
  const code = Buffer.from(LEDGER.deployedBytecode.slice(2), "hex");
  const immutables = LEDGER.immutableReferences
    .map(({ start, length }) => [Number(start), Number(length)])
    .sort((a, b) => a[0]! - b[0]!) as [start: number, length: number][];
  for (const [start, length] of immutables) code.fill(0, start, start + length);
  return { address: addressOf(LEDGER), codeLength: code.length, codeHash: keccak256(code), immutables };
}

/**
 * The virtual modules `virtual:ledger`, what a verifier must know of the shipped contract (a hundred bytes of it), and
 * `virtual:deployments`, where it lives: the package's list, and the files of `BILLPROOF_DEPLOYMENTS`, a directory, if it is set.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { concat, keccak256 } from "viem";
import type { Plugin } from "vite";

const ARTIFACT = new URL("../../src/billproof/ledger/artifacts/BillingLedger.json", import.meta.url);

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
  return files.map((file) => JSON.parse(readFileSync(file, "utf8")));
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

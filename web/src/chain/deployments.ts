/** Where the ledger lives: the verifier's own list, built in; never the word of a proof file. */

import ledger from "virtual:ledger";

export interface KnownEndpoint {
  url: string;
  operatedBy: string;
}

export interface Deployment {
  chainId: bigint;
  name: string;
  kind: "public" | "testnet" | "development" | "embedded";
  ledger: string;
  /** null: the node's `finalized` tag; N: the block N below the newest. */
  confirmations: number | null;
  endpoints: KnownEndpoint[];
}

interface DeploymentFile {
  chainId: string;
  name: string;
  kind: string;
  ledger: string | null;
  finality: "finalized" | { confirmations: number };
  endpoints: KnownEndpoint[];
}

const FILES = import.meta.glob<DeploymentFile>("../../../src/billproof/ledger/deployments/*.json", {
  eager: true,
  import: "default",
});

export const DEPLOYMENTS: Deployment[] = Object.values(FILES).map((file) => ({
  chainId: BigInt(file.chainId),
  name: file.name,
  kind: file.kind as Deployment["kind"],
  ledger: file.ledger ?? ledger.address,
  confirmations: file.finality === "finalized" ? null : file.finality.confirmations,
  endpoints: file.endpoints,
}));

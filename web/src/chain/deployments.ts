/** Where the ledger lives: the verifier's own list, built in; never the word of a proof file. */

import files from "virtual:deployments";
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
  /** Where the tariff book of this ledger is, if it is there. */
  book: string;
  /** null: the node's `finalized` tag; N: the block N below the newest. */
  confirmations: number | null;
  endpoints: KnownEndpoint[];
}

export const DEPLOYMENTS: Deployment[] = files.map((file) => ({
  chainId: BigInt(file.chainId),
  name: file.name,
  kind: file.kind as Deployment["kind"],
  ledger: file.ledger ?? ledger.address,
  book: file.book,
  confirmations: file.finality === "finalized" ? null : file.finality.confirmations,
  endpoints: file.endpoints,
}));

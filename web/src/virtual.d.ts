declare module "virtual:ledger" {
  /** The shipped contract: its address by CREATE2, and its code with immutables zeroed. */
  const ledger: { address: string; codeLength: number; codeHash: string; immutables: [start: number, length: number][] };
  export default ledger;
}

declare module "virtual:deployments" {
  /** Deployment files, as the package has them. */
  const files: {
    chainId: string;
    name: string;
    kind: string;
    ledger: string | null;
    book: string;
    finality: "finalized" | { confirmations: number };
    endpoints: { url: string; operatedBy: string }[];
  }[];
  export default files;
}

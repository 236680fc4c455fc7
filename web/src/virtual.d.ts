declare module "virtual:ledger" {
  /** The shipped contract: its address by CREATE2, and its code with immutables zeroed. */
  const ledger: { address: string; codeLength: number; codeHash: string; immutables: [start: number, length: number][] };
  export default ledger;
}

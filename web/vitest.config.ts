import { defineConfig } from "vitest/config";
import { ledger } from "./build/ledger.ts";

export default defineConfig({
  plugins: [ledger()],
  test: { include: ["tests/**/*.test.ts"], exclude: ["tests/browser/**"], testTimeout: 30_000 },
});

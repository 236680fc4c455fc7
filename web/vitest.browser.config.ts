import { defineConfig } from "vitest/config";
import { ledger } from "./build/ledger.ts";

/** Tests that drive Debian's chromium over the built file. */
export default defineConfig({
  plugins: [ledger()],
  test: {
    include: ["tests/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});

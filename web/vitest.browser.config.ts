import { defineConfig } from "vitest/config";

/** Tests that drive Debian's chromium over the built file. */
export default defineConfig({
  test: {
    include: ["tests/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});

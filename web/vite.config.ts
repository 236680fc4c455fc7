import { defineConfig } from "vite";
import { ledger } from "./build/ledger.ts";
import { oneFile } from "./build/one-file.ts";

export default defineConfig({
  plugins: [ledger(), oneFile()],
  build: {
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    cssCodeSplit: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: { output: { codeSplitting: false } },
  },
  worker: { format: "iife" },
});

/** A tariff's file from the server that this page came from; whoever asks compares its hash. */

import { MAX_TARIFF } from "./document";

/** null when it is not there. */
export async function fetchTariff(page: string, hash: string): Promise<Uint8Array | null> {
  try {
    const answer = await fetch(new URL(`/tariffs/${hash}`, page).href, {
      redirect: "error",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(15_000),
    });
    if (!answer.ok || !answer.body) return null;
    const reader = answer.body.getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let size = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
      size += value.length;
      if (size > MAX_TARIFF) return null;
      parts.push(value);
    }
  } catch {
    return null;
  }
}

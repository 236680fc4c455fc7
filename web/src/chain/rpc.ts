/** JSON-RPC by fetch: one method, a deadline, a limit on size, and errors that say what is wrong. */

import { ChainError, RpcError } from "./errors";

export interface Endpoint {
  /** What to call it: never holds a path, a user name or an API key. */
  readonly name: string;
  readonly host: string;
  readonly operatedBy: string;
  /** Whether its answers said that they are the operator's own word. */
  readonly relayed: boolean;
  request(method: string, params: unknown[]): Promise<unknown>;
}

export const TIMEOUT = 15_000;
/** A portal's relay to its operator's node says so. */
const RELAY_HEADER = "X-Billproof-Relay";
const MAX_RESPONSE = 1024 * 1024;

/** An http(s) address as an endpoint; null when it is none. */
export function httpEndpoint(url: string, operatedBy = "", timeout = TIMEOUT): Endpoint | null {
  let address: URL;
  try {
    address = new URL(url.trim());
  } catch {
    return null;
  }
  if (address.protocol !== "https:" && address.protocol !== "http:") return null;
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (address.username) {
    const pair = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
    headers.Authorization = `Basic ${btoa(pair)}`;
    address.username = address.password = "";
  }
  address.hash = "";
  const name = address.origin;
  let last = 0;
  let relayed = false;
  const request = async (method: string, params: unknown[]): Promise<unknown> => {
    const id = ++last;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const [status, text, by] = await post(address.href, headers, body, name, timeout);
    relayed ||= by;
    return result(text, status, id, name);
  };
  return {
    name,
    host: address.hostname,
    operatedBy,
    request,
    get relayed() {
      return relayed;
    },
  };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  node: string,
  timeout: number,
): Promise<[status: number, text: string, relayed: boolean]> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "error",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
      signal: AbortSignal.timeout(timeout),
    });
    return [answer.status, await limitedText(answer, MAX_RESPONSE), answer.headers.has(RELAY_HEADER)];
  } catch (error) {
    if (error instanceof TooLarge) throw new ChainError("large", { node });
    if (error instanceof Error && error.name === "TimeoutError")
      throw new ChainError("timeout", { node, seconds: timeout / 1000 });
    throw new ChainError("dead", { node });
  }
}

export class TooLarge extends Error {}

/** The body as text, read no further than the limit. */
export async function limitedText(answer: Response, limit: number): Promise<string> {
  const reader = answer.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      throw new TooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}

function result(text: string, status: number, id: number, node: string): unknown {
  let message: Record<string, unknown> | null = null;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && !Array.isArray(parsed)) message = parsed as Record<string, unknown> | null;
  } catch {
    // no JSON: said below
  }
  const error = message?.error;
  if (typeof error === "object" && error !== null) throw new RpcError(node, String((error as { message?: unknown }).message ?? ""));
  if (status !== 200) throw new ChainError("http", { node, status });
  if (!message || !("result" in message) || message.id !== id) throw new ChainError("notRpc", { node });
  return message.result;
}

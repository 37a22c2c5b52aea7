import type { KnownToken } from "./network-tokens.ts";

/** What the adapters need of their surroundings: tests give their own. */
export interface NetworkSurroundings {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly timeoutMs?: number;
  /** Where tokens are kept; one for many adapters saves calls. */
  readonly tokens?: Map<string, KnownToken>;
}

/** An answer that came in time and is not too long. `json` is undefined when it is none, and has no members that are null. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly json: unknown;
}

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 65_536;

/** Undefined: nobody knows what became of it. */
export async function sent(
  { fetch, timeoutMs = TIMEOUT_MS }: NetworkSurroundings,
  url: string,
  init: RequestInit,
  mostBytes = MOST_BYTES,
): Promise<Answered | undefined> {
  const limit = new AbortController();
  // `AbortSignal.timeout` would go on after the answer, and keep whoever waits for nothing else awake.
  const timer = setTimeout(() => limit.abort(), timeoutMs);
  try {
    // A redirect would take the token along.
    const response = await fetch(url, { ...init, redirect: "manual", signal: limit.signal });
    const text = await textOf(response, mostBytes);
    return { status: response.status, headers: response.headers, json: jsonOf(text) };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined when it is longer than that. */
async function textOf({ body }: Response, mostBytes: number): Promise<string | undefined> {
  if (!body) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > mostBytes) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

function jsonOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    // Some networks say null of what they have nothing to say of, where the published files leave it out.
    return JSON.parse(text, (_name, value: unknown) => value ?? undefined);
  } catch {
    return undefined;
  }
}

/** RFC 9110 s10.2.3: seconds, or a date. */
export function pauseOf(headers: Headers, now: number): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

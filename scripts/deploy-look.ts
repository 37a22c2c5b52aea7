// What answers at the address of a deployment.
import { setTimeout as delay } from "node:timers/promises";

const EVERY_MS = 2_000;
const ANSWER_LIMIT_MS = 10_000;

/** Absent: nothing is wrong. */
export interface Look {
  readonly isUp: boolean;
  /** Why it is not up, or why no session will start. */
  readonly problem?: string;
}

interface Answer {
  readonly status: number;
  readonly detail: string;
}

async function ask(address: string, path: string, method: string): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const response = await fetch(new URL(path, address), { method, signal });
    const text = await response.text();
    const { detail = "" } = text.startsWith("{") ? JSON.parse(text) : {};
    return { status: response.status, detail };
  } catch (thrown) {
    return { status: 0, detail: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

const words = ({ status, detail }: Answer): string =>
  `${status === 0 ? "no answer" : status}${detail === "" ? "" : `: ${detail}`}`;

/** Waits until `/healthz` answers, as a new host name takes a while, and asks whether sessions will start. */
export async function lookAt(address: string, limitMs: number): Promise<Look> {
  const end = Date.now() + limitMs;
  let health = await ask(address, "healthz", "GET");
  while (health.status !== 200 && Date.now() < end) {
    await delay(EVERY_MS);
    health = await ask(address, "healthz", "GET");
  }
  if (health.status !== 200) return { isUp: false, problem: words(health) };
  // Without a key the right answer is 401: whoever answers otherwise has none.
  const session = await ask(address, "v1/sessions", "POST");
  return session.status === 401 ? { isUp: true } : { isUp: true, problem: words(session) };
}

import { LIMITS } from "../limits.ts";

/** When an event that was not taken is tried again. */

/** Milliseconds after the first failure, the second and so on; the last holds for all that follow. */
export const WEBHOOK_RETRIES_MS = [
  5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000,
] as const;

const LAST_RETRY_MS = 14_400_000;
/** A delay is that much shorter or longer by chance, so that not all come at once after an outage. */
const JITTER = 0.2;

/** What became of one try. */
export type WebhookOutcome =
  | { readonly type: "taken" }
  /** 410: the receiver wants no more events of this session. */
  | { readonly type: "gone" }
  | {
      readonly type: "failed";
      /** Absent when there was no answer. */
      readonly status?: number;
      readonly reason: "answered" | "redirected" | "timeout" | "unreachable";
      /** What the receiver asked for, milliseconds. */
      readonly retryAfterMs?: number;
    };

/** What an answer means: 2xx is success; redirects are not followed (A5). `retryAfterMs` is what its `Retry-After` says. */
export function outcomeOf(status: number, retryAfterMs: number | undefined): WebhookOutcome {
  if (status >= 200 && status < 300) return { type: "taken" };
  if (status === 410) return { type: "gone" };
  if (status >= 300 && status < 400) return { type: "failed", status, reason: "redirected" };
  const isAsked = (status === 429 || status === 503) && retryAfterMs !== undefined;
  return { type: "failed", status, reason: "answered", ...(isAsked && { retryAfterMs }) };
}

/**
 * How long to wait after so many failures in a row, milliseconds. `random` is from 0 to 1; `everyMs` takes the place of the
 * steps (local development).
 */
export function retryDelayMs(
  failures: number,
  random: number,
  { retryAfterMs = 0, everyMs }: { readonly retryAfterMs?: number; readonly everyMs?: number } = {},
): number {
  const step = everyMs ?? WEBHOOK_RETRIES_MS[failures - 1] ?? LAST_RETRY_MS;
  const spread = step * (1 - JITTER + 2 * JITTER * random);
  return Math.round(Math.max(spread, Math.min(retryAfterMs, LAST_RETRY_MS)));
}

/** True when an event of `at` is not worth another try that comes after so long. */
export const isTooOld = (eventAt: number, at: number, delayMs: number): boolean =>
  at + delayMs - eventAt > LIMITS.webhookAgeMs;

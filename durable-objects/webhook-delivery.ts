import { Webhook } from "standardwebhooks";
import { LIMITS } from "../protocol/limits.ts";
import { type WebhookNews, webhookEvent, webhookIdOf } from "../protocol/webhooks/event.ts";
import { outcomeOf, type WebhookOutcome } from "../protocol/webhooks/retry.ts";

/** An event as it is sent: the same for every receiver, and in every try. */
export interface Letter {
  /** Its `webhook-id`. */
  readonly id: string;
  readonly body: string;
}

export function letterOf(session: string, sequence: number, news: WebhookNews): Letter {
  const event = webhookEvent(session, sequence, new Date(news.at).toISOString(), news);
  return { id: webhookIdOf(session, sequence), body: JSON.stringify(event) };
}

/** One try to deliver, signed with each secret (Standard Webhooks): a receiver that knows any of them can check it. */
export async function deliver(
  url: string,
  secrets: readonly string[],
  { id, body }: Letter,
): Promise<WebhookOutcome> {
  const at = new Date();
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, at, body));
  // Not `AbortSignal.timeout`: its clock goes on after the answer, and keeps the object from sleeping.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), LIMITS.webhookTryMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      // The address is the operator's; where it sends to is not (A5).
      redirect: "manual",
      signal: late.signal,
      headers: {
        "content-type": "application/json",
        "user-agent": "Duplex-Webhooks/1",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": signatures.join(" "),
      },
      body,
    });
    // Nobody reads what it says.
    await response.body?.cancel();
    return outcomeOf(response.status, retryAfterMs(response.headers.get("retry-after")));
  } catch {
    return { type: "failed", reason: late.signal.aborted ? "timeout" : "unreachable" };
  } finally {
    clearTimeout(timer);
  }
}

/** RFC 9110 s10.2.3: seconds, or a date. */
function retryAfterMs(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

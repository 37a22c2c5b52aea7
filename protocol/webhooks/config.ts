import { z } from "zod";
import { ConfigError, list } from "../config-values.ts";
import { LIMITS } from "../limits.ts";

/** Who is told of sessions (A5: nobody else is ever asked). */
export interface WebhookConfig {
  readonly receivers: readonly WebhookReceiver[];
  /** `whsec_` and base64; every event is signed with each. */
  readonly secrets: readonly string[];
  /** In local development only: seconds between two tries, instead of the steps. */
  readonly retrySeconds?: number;
}

export interface WebhookReceiver {
  /** Origin and path: what may be shown, and what a session remembers a receiver by. */
  readonly name: string;
  /** May hold a secret in its query. */
  readonly url: string;
}

/** `https://app.example.com/hooks?key=1`: no user, no fragment. */
const RECEIVER =
  /^https?:\/\/(?:[a-z\d.-]+|\[[\da-f:.]+\])(?::\d{1,5})?(?:\/[^\s?#]*)?(?:\?[^\s#]*)?$/i;

/** Standard Webhooks: 24 to 64 bytes, base64. */
const SECRET = /^whsec_(?:[A-Za-z\d+/]{4}){8,21}(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

/** The variables of webhooks. */
export const WEBHOOK_VARIABLES = {
  WEBHOOK_URLS: list.refine(
    (entries) => entries.every((entry) => RECEIVER.test(entry)),
    "URLs such as https://app.example.com/hooks",
  ),
  WEBHOOK_SECRETS: list.refine(
    (entries) => entries.every((entry) => SECRET.test(entry)),
    "secrets such as whsec_ and 32 random bytes in base64",
  ),
  WEBHOOK_RETRY_SECONDS: z.coerce.number().positive().max(86_400).optional(),
};

interface Read {
  readonly WEBHOOK_URLS: readonly string[];
  readonly WEBHOOK_SECRETS: readonly string[];
  readonly WEBHOOK_RETRY_SECONDS?: number | undefined;
}

/** Reads who is told. Throws `ConfigError`. */
export function readWebhooks(read: Read, localDev: boolean): WebhookConfig {
  const { WEBHOOK_URLS: urls, WEBHOOK_SECRETS: secrets, WEBHOOK_RETRY_SECONDS: seconds } = read;
  if (seconds !== undefined && !localDev) {
    throw new ConfigError("WEBHOOK_RETRY_SECONDS: is for local development only");
  }
  if (!localDev && urls.some((url) => !/^https:/i.test(url))) {
    throw new ConfigError("WEBHOOK_URLS: https only, except in local development");
  }
  if (urls.length > LIMITS.webhookReceivers) {
    throw new ConfigError(`WEBHOOK_URLS: at most ${LIMITS.webhookReceivers} receivers`);
  }
  const receivers = urls.map((url) => ({ name: nameOf(url), url }));
  // Sessions remember receivers by these: two of one name would be one.
  if (new Set(receivers.map(({ name }) => name)).size < receivers.length) {
    throw new ConfigError("WEBHOOK_URLS: two receivers differ only in their query");
  }
  if (urls.length > 0 && secrets.length === 0) {
    throw new ConfigError("WEBHOOK_SECRETS: needed when WEBHOOK_URLS is set");
  }
  return { receivers, secrets, ...(seconds !== undefined && { retrySeconds: seconds }) };
}

const nameOf = (url: string): string => url.replace(/\?.*$/, "");

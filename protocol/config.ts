import { z } from "zod";
import {
  ASSISTANCE_VARIABLES,
  type AssistanceConfig,
  readAssistance,
} from "./assistance/config.ts";
import { ConfigError, list } from "./config-values.ts";
import { readWebhooks, WEBHOOK_VARIABLES, type WebhookConfig } from "./webhooks/config.ts";

/** Configuration of one deployment, read once from variables and secrets and checked as a whole. */
export interface Config {
  /** Started by `npm start`: `dev-key` is valid, nothing needs to be set. */
  readonly localDev: boolean;
  readonly apiKeys: readonly string[];
  /** The first signs, all verify. Empty when the deployment is not configured. */
  readonly tokenSecrets: readonly string[];
  /** Empty: any origin; tokens decide, there are no cookies. */
  readonly allowedOrigins: readonly string[];
  readonly stunUrls: readonly string[];
  readonly turn: TurnConfig;
  /** What carries the media of `central` sessions whose operator runs no media server. */
  readonly mediaBackend: MediaBackendConfig;
  readonly webhooks: WebhookConfig;
  readonly assistance: AssistanceConfig;
  readonly jurisdiction?: string;
  /** Who may connect to a realm of SWAP: everybody, or whoever has an API key or a token for it. */
  readonly swapAccess: "open" | "authorised";
  /** Sessions that one API key may have at a time; absent: any number. */
  readonly maxSessionsPerKey?: number;
  /** Days for which rows remember CNAMEs, as keyed hashes; 0: nothing does; absent: memory does as long as it lasts. */
  readonly cnameWindowDays?: number;
}

export type TurnConfig =
  | { readonly provider: "none" }
  | {
      readonly provider: "hmac";
      readonly urls: readonly string[];
      /** The first signs; the others are being rotated out and matter to the TURN server only. */
      readonly secret: string;
      readonly ttlSeconds: number;
      readonly allocationsExpire: boolean;
    }
  | {
      readonly provider: "cloudflare";
      readonly keyId: string;
      readonly apiToken: string;
      readonly ttlSeconds: number;
      readonly allocationsExpire: boolean;
    };

export type MediaBackendConfig =
  | { readonly provider: "none" }
  | {
      readonly provider: "cloudflare";
      readonly appId: string;
      readonly appSecret: string;
      /** In local development only, for tests. */
      readonly baseUrl?: string;
    };

const urls = (pattern: RegExp, example: string) =>
  list.refine(
    (entries) => entries.every((entry) => pattern.test(entry)),
    `URLs such as ${example}`,
  );

const text = z.string().min(1).optional();

const longSecrets = list.refine(
  (secrets) => secrets.every((secret) => secret.length >= 32),
  "secrets of at least 32 characters",
);

/** `https://app.example.com`, `http://localhost:3000`, `http://[::1]:3000`. */
const ORIGIN =
  /^(?:http(?!\S*:80$)|https(?!\S*:443$)):\/\/(?:[a-z\d.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/;

/** What the log has besides faults, which it always has: docs/metrics.md says what is told at which level. */
export const LogLevel = z.enum(["error", "warn", "info"]);
export type LogLevel = z.infer<typeof LogLevel>;

const Variables = z.object({
  LOCAL_DEV: z.enum(["true", "false"]).default("false"),
  API_KEYS: list,
  TOKEN_SECRETS: longSecrets,
  // RFC 6454 s6.2: browsers write them in lower case. They are compared whole: a pattern would name no origin.
  ALLOWED_ORIGINS: list
    .transform((origins) => origins.map((origin) => origin.toLowerCase()))
    .refine(
      (origins) => origins.every((origin) => ORIGIN.test(origin)),
      "origins such as https://app.example.com, without a path, a pattern or the default port",
    ),
  // RFC 7064: stun:host[:port]
  STUN_URLS: urls(/^stuns?:[^\s?/]+$/, "stun:stun.example.com:3478"),
  TURN_PROVIDER: z.enum(["hmac", "cloudflare", "none"]).optional(),
  // RFC 7065: turn:host[:port][?transport=udp|tcp]
  TURN_URLS: urls(
    /^turns?:[^\s?/]+(\?transport=(udp|tcp))?$/,
    "turn:turn.example.com:3478?transport=udp",
  ),
  TURN_SECRETS: list,
  TURN_TTL_SECONDS: z.coerce.number().int().min(1).max(172_800).default(3600),
  TURN_ALLOCATIONS_EXPIRE: z.enum(["true", "false"]).optional(),
  CLOUDFLARE_TURN_KEY_ID: text,
  CLOUDFLARE_TURN_API_TOKEN: text,
  MEDIA_BACKEND: z.enum(["cloudflare", "none"]).optional(),
  CLOUDFLARE_SFU_APP_ID: text,
  CLOUDFLARE_SFU_APP_SECRET: text,
  CLOUDFLARE_SFU_BASE_URL: z
    .string()
    .regex(/^https?:\/\/[^\s?#]+[^\s?#/]$/, "a URL such as http://127.0.0.1:8080/v1")
    .optional(),
  ...WEBHOOK_VARIABLES,
  ...ASSISTANCE_VARIABLES,
  CNAME_WINDOW_DAYS: z.coerce.number().int().min(0).max(365).optional(),
  DO_JURISDICTION: z.enum(["eu", "us", "fedramp", "fedramp-high"]).optional(),
  SWAP_ACCESS: z.enum(["open", "authorised"]).optional(),
  MAX_SESSIONS_PER_KEY: z.coerce.number().int().min(1).max(1_000_000).optional(),
  LOG_LEVEL: LogLevel.optional(),
});

/** Names of the variables that configure Duplex; `npm start` hands those set in the environment on. */
export const VARIABLES = Object.keys(Variables.shape);

type Read = z.output<typeof Variables>;

/**
 * Reads the configuration of a deployment. An empty string counts as not set.
 *
 * Throws `ConfigError` for unknown or contradictory values; the message names the variable.
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Config {
  const set = Object.entries(env).filter(
    // Variables of a Worker may be numbers or JSON as well: none is passed over in silence.
    ([name, value]) => VARIABLES.includes(name) && (value ?? "") !== "",
  );
  const parsed = Variables.safeParse(Object.fromEntries(set));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(`${String(issue?.path[0])}: ${issue?.message}`);
  }
  const read = parsed.data;
  const localDev = read.LOCAL_DEV === "true";
  if (!localDev && read.API_KEYS.includes(DEV_KEY)) {
    throw new ConfigError(`API_KEYS: ${DEV_KEY} is for local development only`);
  }
  return {
    localDev,
    apiKeys: localDev && read.API_KEYS.length === 0 ? [DEV_KEY] : read.API_KEYS,
    tokenSecrets: read.TOKEN_SECRETS,
    allowedOrigins: read.ALLOWED_ORIGINS,
    // Between two pages of one machine STUN only costs time.
    stunUrls: read.STUN_URLS.length > 0 || localDev ? read.STUN_URLS : [PUBLIC_STUN],
    turn: readTurn(read),
    mediaBackend: readMediaBackend(read, localDev),
    webhooks: readWebhooks(read, localDev),
    assistance: readAssistance(read, localDev),
    swapAccess: read.SWAP_ACCESS ?? (localDev ? "open" : "authorised"),
    ...(read.CNAME_WINDOW_DAYS === undefined ? {} : { cnameWindowDays: read.CNAME_WINDOW_DAYS }),
    ...(read.DO_JURISDICTION === undefined ? {} : { jurisdiction: read.DO_JURISDICTION }),
    ...(read.MAX_SESSIONS_PER_KEY === undefined
      ? {}
      : { maxSessionsPerKey: read.MAX_SESSIONS_PER_KEY }),
  };
}

/** Used by deployments that name no STUN server. */
const PUBLIC_STUN = "stun:stun.cloudflare.com:3478";

/** The API key that is valid in local development when none is set. */
export const DEV_KEY = "dev-key";

function readTurn(read: Read): TurnConfig {
  const provider = read.TURN_PROVIDER ?? (read.TURN_URLS.length > 0 ? "hmac" : "none");
  const ttlSeconds = read.TURN_TTL_SECONDS;
  // Cloudflare's end with their credentials; coturn refreshes for as long as it is asked to (decision 0018).
  const byDefault = provider === "cloudflare" ? "true" : "false";
  const allocationsExpire = (read.TURN_ALLOCATIONS_EXPIRE ?? byDefault) === "true";
  if (provider === "none") {
    return refuseIf(read.TURN_URLS.length > 0, "TURN_URLS: set although TURN_PROVIDER is none", {
      provider,
    });
  }
  if (provider === "hmac") {
    if (read.TURN_URLS.length === 0) {
      throw new ConfigError("TURN_URLS: needed when TURN_PROVIDER is hmac");
    }
    const [secret] = read.TURN_SECRETS;
    if (secret === undefined) throw new ConfigError("TURN_SECRETS: needed when TURN_URLS is set");
    return { provider, urls: read.TURN_URLS, secret, ttlSeconds, allocationsExpire };
  }
  const { CLOUDFLARE_TURN_KEY_ID: keyId, CLOUDFLARE_TURN_API_TOKEN: apiToken } = read;
  if (!keyId) throw new ConfigError("CLOUDFLARE_TURN_KEY_ID: needed for TURN_PROVIDER cloudflare");
  if (!apiToken) {
    throw new ConfigError("CLOUDFLARE_TURN_API_TOKEN: needed for TURN_PROVIDER cloudflare");
  }
  return refuseIf(
    read.TURN_URLS.length > 0,
    "TURN_URLS: set although TURN_PROVIDER is cloudflare, which brings its own",
    { provider, keyId, apiToken, ttlSeconds, allocationsExpire },
  );
}

function readMediaBackend(read: Read, localDev: boolean): MediaBackendConfig {
  const { MEDIA_BACKEND: provider, CLOUDFLARE_SFU_BASE_URL: baseUrl } = read;
  const { CLOUDFLARE_SFU_APP_ID: appId, CLOUDFLARE_SFU_APP_SECRET: appSecret } = read;
  // The secret is sent there.
  if (baseUrl !== undefined && !localDev) {
    throw new ConfigError("CLOUDFLARE_SFU_BASE_URL: is for local development only");
  }
  if (provider === undefined && (appId ?? appSecret) !== undefined) {
    throw new ConfigError("MEDIA_BACKEND: needed when CLOUDFLARE_SFU_APP_ID or its secret is set");
  }
  if (provider !== "cloudflare") return { provider: "none" };
  if (!appId) throw new ConfigError("CLOUDFLARE_SFU_APP_ID: needed for MEDIA_BACKEND cloudflare");
  if (!appSecret) {
    throw new ConfigError("CLOUDFLARE_SFU_APP_SECRET: needed for MEDIA_BACKEND cloudflare");
  }
  return { provider, appId, appSecret, ...(baseUrl === undefined ? {} : { baseUrl }) };
}

/** True where `LOCAL_DEV` says local development, without reading the rest of the configuration. */
export function isLocalDev(env: object): boolean {
  return "LOCAL_DEV" in env && env.LOCAL_DEV === "true";
}

/** `LOG_LEVEL`, without reading the rest of the configuration: the log must work where that is wrong. */
export function logLevelOf(env: object): LogLevel {
  const read = LogLevel.safeParse("LOG_LEVEL" in env ? env.LOG_LEVEL : undefined);
  return read.success ? read.data : "warn";
}

function refuseIf(contradiction: boolean, message: string, config: TurnConfig): TurnConfig {
  if (contradiction) throw new ConfigError(message);
  return config;
}

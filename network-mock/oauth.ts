// The token endpoint: OAuth2 client credentials (RFC 6749 s4.4).
import { randomUUID } from "node:crypto";
import type { Answer, Caller } from "./call.ts";
import type { Json } from "./dialect.ts";

export interface Client {
  readonly id: string;
  readonly secret: string;
}

interface Token {
  readonly caller: Caller;
  /** Undefined: all. */
  readonly scopes: ReadonlySet<string> | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export type Judgement = { readonly caller: Caller } | { readonly status: 401 | 403 };

const refused = (status: number, error: string): Answer => ({
  status,
  // RFC 6749 s5.2, RFC 9110 s15.5.2.
  ...(status === 401 ? { headers: { "www-authenticate": 'Basic realm="network"' } } : {}),
  body: { error },
});

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return "";
  }
};

/** `Authorization: Basic`, or members of the form (RFC 6749 s2.3.1). */
const credentialsOf = (authorization: string, form: URLSearchParams): Client => {
  const basic = /^Basic (\S+)$/i.exec(authorization)?.[1];
  if (basic === undefined) {
    return { id: form.get("client_id") ?? "", secret: form.get("client_secret") ?? "" };
  }
  const text = Buffer.from(basic, "base64").toString();
  const colon = text.indexOf(":");
  return { id: decoded(text.slice(0, colon)), secret: decoded(text.slice(colon + 1)) };
};

export class Tokens {
  readonly #clients: readonly Client[];
  readonly #lifeMs: number;
  #tokens = new Map<string, Token>();

  constructor(clients: readonly Client[], lifeMs: number) {
    this.#clients = clients;
    this.#lifeMs = lifeMs;
  }

  /** A token as if it had been asked for; with a device it is three-legged. */
  issue(caller: Caller, scope?: string, lifeMs = this.#lifeMs): string {
    const token = randomUUID();
    this.#tokens.set(token, {
      caller,
      scopes: scope === undefined ? undefined : new Set(scope.split(" ").filter(Boolean)),
      expiresAt: Date.now() + lifeMs,
    });
    return token;
  }

  /** Whatever was issued is worth nothing from now on. */
  expireAll(): void {
    this.#tokens = new Map();
  }

  answer(authorization: string, type: string, body: string): Answer {
    if (type !== "application/x-www-form-urlencoded") return refused(400, "invalid_request");
    const form = new URLSearchParams(body);
    if (!form.has("grant_type")) return refused(400, "invalid_request");
    if (form.get("grant_type") !== "client_credentials") {
      return refused(400, "unsupported_grant_type");
    }
    const { id, secret } = credentialsOf(authorization, form);
    if (!this.#clients.some((client) => client.id === id && client.secret === secret)) {
      return refused(401, "invalid_client");
    }
    const scope = form.get("scope") ?? undefined;
    const granted: Json = {
      access_token: this.issue({ client: id }, scope),
      token_type: "Bearer",
      expires_in: Math.floor(this.#lifeMs / 1000),
      ...(scope === undefined ? {} : { scope }),
    };
    return { status: 200, headers: { "cache-control": "no-store" }, body: granted };
  }

  /** 401: none, unknown or expired; 403: it lacks a scope. */
  judge(authorization: string, scopes: readonly string[]): Judgement {
    const name = /^Bearer (\S+)$/i.exec(authorization)?.[1];
    const token = name === undefined ? undefined : this.#tokens.get(name);
    if (token === undefined || token.expiresAt <= Date.now()) return { status: 401 };
    const { scopes: held } = token;
    const isEnough = held === undefined || scopes.every((scope) => held.has(scope));
    return isEnough ? { caller: token.caller } : { status: 403 };
  }
}

import type { NetworkCredentials } from "../../protocol/assistance/access.ts";
import { Granted, NotGranted } from "./answers.ts";
import { type Answered, type NetworkSurroundings, pauseOf, sent } from "./network-sending.ts";

export interface KnownToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** A token that is about to end could end on its way. */
const SPARE_MS = 10_000;
/** What a token endpoint says nothing of. */
const USUAL_LIFE_SECONDS = 300;
/** A token endpoint may ask for no longer pause. */
const LONGEST_PAUSE_MS = 3_600_000;

/** Bearer tokens of one client, kept for as long as they are good for. */
export class NetworkTokens {
  readonly #auth: NetworkCredentials;
  readonly #around: NetworkSurroundings;
  readonly #known: Map<string, KnownToken>;
  /** The endpoint wants to be left alone before that, milliseconds since 1970. */
  #quietUntil = 0;
  /** Why it gave none, as its own code. */
  #refusal: string | undefined;

  constructor(auth: NetworkCredentials, around: NetworkSurroundings) {
    this.#auth = auth;
    this.#around = around;
    this.#known = around.tokens ?? new Map();
  }

  /** Undefined when there is none to be had now. */
  async current(): Promise<string | undefined> {
    const known = this.#known.get(this.#name());
    if (known && known.until - SPARE_MS > this.#around.now()) return known.token;
    return this.pauseMs === undefined ? this.#fetch() : undefined;
  }

  /** For how long there is no token to be had, as its endpoint says; undefined where it says nothing. */
  get pauseMs(): number | undefined {
    const ms = this.#quietUntil - this.#around.now();
    return ms > 0 ? ms : undefined;
  }

  /** Why there is none: an operator whose secret or scope is wrong would not find out otherwise. */
  get reason(): string {
    return this.#refusal === undefined ? "no-token" : `no-token: ${this.#refusal}`;
  }

  /** The network takes it no more. */
  forget(token: string): void {
    if (this.#known.get(this.#name())?.token === token) this.#known.delete(this.#name());
  }

  async #fetch(): Promise<string | undefined> {
    const { tokenUrl, clientId, clientSecret, scope } = this.#auth;
    const form = new URLSearchParams({ grant_type: "client_credentials" });
    if (scope !== undefined) form.set("scope", scope);
    const answer = await sent(this.#around, tokenUrl, {
      method: "POST",
      headers: {
        accept: "application/json",
        authorization: `Basic ${basicOf(clientId, clientSecret)}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: form.toString(),
    });
    const granted = answer?.status === 200 ? Granted.safeParse(answer.json).data : undefined;
    this.#refusal = granted ? undefined : NotGranted.safeParse(answer?.json).data?.error;
    if (!granted) {
      this.#rest(answer);
      return undefined;
    }
    const { access_token: token, expires_in: seconds = USUAL_LIFE_SECONDS } = granted;
    this.#known.set(this.#name(), { token, until: this.#around.now() + seconds * 1000 });
    return token;
  }

  /** It is overloaded, or asked too often (RFC 6585 s4). */
  #rest(answer: Answered | undefined): void {
    if (answer?.status !== 429 && answer?.status !== 503) return;
    const pause = pauseOf(answer.headers, this.#around.now()) ?? 0;
    this.#quietUntil = this.#around.now() + Math.min(pause, LONGEST_PAUSE_MS);
  }

  #name(): string {
    const { tokenUrl, clientId, scope = "" } = this.#auth;
    return JSON.stringify([tokenUrl, clientId, scope]);
  }
}

/** RFC 6749 s2.3.1: both are form-encoded before. */
function basicOf(id: string, secret: string): string {
  const [user, password] = [id, secret].map((text) =>
    new URLSearchParams([["", text]]).toString().slice(1),
  );
  return btoa(`${user}:${password}`);
}

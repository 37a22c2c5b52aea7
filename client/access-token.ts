import type { Welcome } from "../protocol/messages.ts";

/**
 * The peer token, or where to get one. A function is asked again before a token expires: a newer one of the same peer
 * (`POST /v1/sessions/{id}/peers/{peerId}/token`) lets it stay. It is asked, too, when one has expired or was refused:
 * then the token of another peer will do, which joins in the place of the one before.
 */
export type TokenSource = string | (() => string | Promise<string>);

/** There is no use in asking for a token that is too late. */
const SOONEST_MS = 1_000;
/** Timers cannot wait longer. */
const LATEST_MS = 2 ** 31 - 1;

/** Keeps a token until it is renewed, has expired or was refused: a reconnect costs no call to a back end. */
export class AccessToken {
  readonly #source: TokenSource;
  readonly #renewed: () => void;
  #token: string | undefined;
  /** By the clock of this device. */
  #expiresAt = Number.POSITIVE_INFINITY;
  /** How far that is ahead of the server's, milliseconds. */
  #aheadMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `renewed` is called when there is a newer token of the same peer, while the one before still holds. */
  constructor(source: TokenSource, renewed: () => void) {
    this.#source = source;
    this.#renewed = renewed;
  }

  /** False for a fixed token: when that is refused, nothing more can be done. */
  get renewable(): boolean {
    return typeof this.#source === "function";
  }

  async get(): Promise<string> {
    const known = Date.now() < this.#expiresAt ? this.#token : undefined;
    if (known !== undefined) return known;
    const token = await this.#ask();
    this.#take(token);
    return token;
  }

  /** The server has taken the token and tells when it ends. */
  welcomed({ resumed, peer, tokenExpiresAt }: Welcome): void {
    if (!resumed) this.#aheadMs = Date.now() - peer.joinedAt;
    this.#expiresAt = tokenExpiresAt + this.#aheadMs;
    this.#renewLater();
  }

  forget(): void {
    this.#token = undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #take(token: string): void {
    this.#token = token;
    this.#expiresAt = Number.POSITIVE_INFINITY;
  }

  /** At half of the time that is left, and again at half of the rest where nobody had a newer one. */
  #renewLater(): void {
    this.stop();
    const leftMs = this.#expiresAt - Date.now();
    if (!this.renewable || leftMs < SOONEST_MS) return;
    this.#timer = setTimeout(() => this.#renew(), Math.min(LATEST_MS, leftMs / 2));
  }

  async #renew(): Promise<void> {
    const held = this.#token;
    // A back end that fails now may have one later.
    const token = await this.#ask().catch(() => held);
    if (token === undefined || this.#token !== held) return;
    const [now, then] = [claimsOf(token), claimsOf(held)];
    // Each answer is a new peer: what there is of this one has its time, and the next one comes after it.
    if (now.sub !== then.sub) return;
    if ((now.exp ?? 0) > (then.exp ?? 0)) {
      this.#take(token);
      this.#renewed();
    } else this.#renewLater();
  }

  async #ask(): Promise<string> {
    return typeof this.#source === "string" ? this.#source : this.#source();
  }
}

/** Whose token it is and when it ends; nothing of what is no JWT. */
function claimsOf(token = ""): { readonly sub?: string; readonly exp?: number } {
  try {
    const [, claims = ""] = token.split(".");
    return JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {};
  }
}

import type { Welcome } from "../protocol/messages.ts";
import { claimsOf } from "./token-claims.ts";

/**
 * The peer token, or where to get one. A function is called without an argument for the token of a new peer: to join,
 * and when a token has expired or was refused. At half of a token's time it is called with the id of its peer: a newer
 * token of that one (`POST /v1/sessions/{id}/peers/{peerId}/token`) lets it stay, any other is left alone.
 */
export type TokenSource = string | ((peer?: string) => string | Promise<string>);

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
  /** What the server told of the token in use. */
  #held: Pick<Welcome, "peer" | "tokenExpiresAt"> | undefined;
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
    this.#held = { peer, tokenExpiresAt };
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
    const before = this.#token;
    const { peer, tokenExpiresAt = 0 } = this.#held ?? {};
    // A back end that fails now may have one later.
    const token = await this.#ask(peer?.id).catch(() => before);
    if (token === undefined || this.#token !== before) return;
    const { sub, exp = 0 } = claimsOf(token);
    // Each call makes another peer: this one has its time, and the next one comes after it.
    if (token !== before && sub !== peer?.id) return;
    if (exp * 1000 > tokenExpiresAt) {
      this.#take(token);
      this.#renewed();
    } else this.#renewLater();
  }

  async #ask(peer?: string): Promise<string> {
    return typeof this.#source === "string" ? this.#source : this.#source(peer);
  }
}

/** The peer token, or where to get one; a function is asked again when a token has expired. */
export type TokenSource = string | (() => string | Promise<string>);

/** Keeps a token until it has expired or was refused, so that a reconnect costs no call to a back end. */
export class AccessToken {
  readonly #source: TokenSource;
  #token: string | undefined;
  #expiresAt = Number.POSITIVE_INFINITY;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** False for a fixed token: when that is refused, nothing more can be done. */
  get renewable(): boolean {
    return typeof this.#source === "function";
  }

  async get(): Promise<string> {
    if (typeof this.#source === "string") return this.#source;
    if (this.#token === undefined || Date.now() >= this.#expiresAt) {
      this.#token = await this.#source();
      this.#expiresAt = Number.POSITIVE_INFINITY;
    }
    return this.#token;
  }

  /** What `welcome` tells, milliseconds since 1970. */
  expiresAt(timeMs: number): void {
    this.#expiresAt = timeMs;
  }

  forget(): void {
    this.#token = undefined;
  }
}

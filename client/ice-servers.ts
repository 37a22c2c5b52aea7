import type { IceServer } from "../protocol/ice-server.ts";

/** Well before half of the lifetime (A3), with room for a timer that is late. */
const RENEW_AFTER = 0.4;
const SOONEST_MS = 1_000;
/** How often to ask when no answer comes, and when to ask if the clocks say that all is over already. */
const AGAIN_MS = 30_000;
/** Timers cannot wait longer than 2^31 ms; there is no need to either. */
const LATEST_MS = 24 * 3_600_000;

/** The ICE servers of the session, renewed before half of their lifetime is over (A3). */
export class IceServers {
  readonly #ask: () => void;
  #servers: readonly IceServer[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How far this device's clock is ahead of the server's, milliseconds. */
  #aheadMs = 0;
  #againMs = AGAIN_MS;
  #renewMs = AGAIN_MS;
  #endAt = Number.POSITIVE_INFINITY;
  #allocationsExpire = false;

  /** `ask` requests fresh ones. */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** The server's time now, as far as a frame tells it; a wrong clock must not renew too late. */
  serverTimeIs(timeMs: number): void {
    this.#aheadMs = Date.now() - timeMs;
  }

  /**
   * Takes servers and the time at which their credentials expire, milliseconds since 1970; `allocationsExpire`
   * when relays end with them.
   */
  set(
    servers: readonly IceServer[],
    expireAt: number | undefined,
    allocationsExpire: boolean | undefined,
  ): void {
    this.#servers = servers;
    this.#allocationsExpire = allocationsExpire === true;
    this.stop();
    if (expireAt === undefined) return;
    this.#endAt = expireAt + this.#aheadMs;
    const lifetimeMs = this.#endAt - Date.now();
    const soonMs = lifetimeMs > 0 ? Math.max(SOONEST_MS, lifetimeMs * RENEW_AFTER) : AGAIN_MS;
    this.#renewMs = soonMs;
    this.#againMs = Math.min(AGAIN_MS, soonMs / 2);
    this.#timer = setTimeout(() => this.#renew(), Math.min(LATEST_MS, soonMs));
  }

  get servers(): RTCIceServer[] {
    return this.#servers.map(({ urls, username, credential }) => ({
      urls,
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    }));
  }

  /** When the credentials end, by the clock of this device. */
  get endAt(): number {
    return this.#endAt;
  }

  /** How many times there will be fresh credentials before relays end whose credentials end then. */
  renewalsUntil(endAt: number): number {
    return this.#allocationsExpire
      ? (endAt - Date.now()) / this.#renewMs
      : Number.POSITIVE_INFINITY;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #renew(): void {
    this.#ask();
    // Asked again until an answer sets the next time.
    this.#timer = setTimeout(() => this.#renew(), this.#againMs);
  }
}

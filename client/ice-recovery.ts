import { backoffMs } from "./backoff.ts";

const RESTART = { firstMs: 2000, mostMs: 30_000 };
/** The other side is named to restart; when it does not, this one does. */
const OTHER_SIDE_MS = 10_000;

/** Restarts ICE when a connection has failed. One side is named for it, so that both do not race. */
export class IceRecovery {
  readonly #named: boolean;
  readonly #restart: () => void;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `named`: this side restarts first; of two peers the one whose id sorts lower. */
  constructor(named: boolean, restart: () => void) {
    this.#named = named;
    this.#restart = restart;
  }

  stateIs(state: RTCPeerConnectionState): void {
    if (state === "connected") {
      this.stop();
      this.#attempts = 0;
    }
    if (state === "failed" && this.#timer === undefined) this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    const patience = this.#named ? 0 : OTHER_SIDE_MS;
    const wait = this.#attempts === 0 ? 0 : backoffMs(this.#attempts - 1, RESTART);
    this.#timer = setTimeout(() => {
      this.#attempts += 1;
      this.#restart();
      // Stays `failed` without another event when the restart did not help: keep on until connected.
      this.#schedule();
    }, patience + wait);
  }
}

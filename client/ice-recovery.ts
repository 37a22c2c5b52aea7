import { backoffMs } from "./backoff.ts";
import { ufragsOf } from "./description.ts";

const RESTART = { firstMs: 2000, mostMs: 30_000 };
/** The other side is named to restart; when it does not, this one does. */
const OTHER_SIDE_MS = 10_000;
/** Media comes all the time, and an idle pair is checked every 2.5 s at least: by then a live one was heard. */
const LISTEN_MS = 3_000;
/** Both sides may come back at the same moment: the one that is not named lets the other's offer come first. */
const GIVE_WAY_MS = 1_000;

interface PairCounts {
  readonly type: string;
  readonly bytesReceived?: number;
  readonly responsesReceived?: number;
}

/** How much has come in on the pairs of a connection: media, data and answers to ICE's checks. */
async function receivedBy(connection: RTCPeerConnection): Promise<number> {
  const stats = (await connection.getStats()) as ReadonlyMap<string, PairCounts>;
  let received = 0;
  for (const pair of stats.values()) {
    const { type, bytesReceived = 0, responsesReceived = 0 } = pair;
    if (type === "candidate-pair") received += bytesReceived + responsesReceived;
  }
  return received;
}

/** The ICE generation of this side, in words that can be compared. */
function generationOf({ localDescription }: RTCPeerConnection): string {
  return [...ufragsOf(localDescription?.sdp ?? "")].join();
}

/**
 * Restarts ICE when the paths of a connection are gone. One side is named for it, so that both do not race:
 * the one whose network changed, else of two peers the one whose id sorts lower.
 */
export class IceRecovery {
  readonly #named: boolean;
  readonly #connection: () => RTCPeerConnection;
  readonly #restart: () => void;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listening: ReturnType<typeof setTimeout> | undefined;

  /** `named`: this side restarts first when both find that the paths are gone. */
  constructor(named: boolean, connection: () => RTCPeerConnection, restart: () => void) {
    this.#named = named;
    this.#connection = connection;
    this.#restart = restart;
  }

  /** The connection changed its state. */
  changed(): void {
    const { connectionState } = this.#connection();
    // `new` again: the last section was stopped, there is nothing to find paths for.
    if (connectionState === "connected" || connectionState === "new") {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#attempts = 0;
    }
    if (connectionState === "failed" && this.#timer === undefined) this.#schedule();
  }

  /**
   * Signalling is back after a loss, which may well be due to another network: new paths are needed only where
   * nothing comes in any more. `offered`: an offer of the other side waits for its answer, which may bring them.
   */
  resumed(offered: boolean): void {
    clearTimeout(this.#listening);
    const connection = this.#connection();
    const { connectionState } = connection;
    const isDown = connectionState === "disconnected" || connectionState === "failed";
    const generation = generationOf(connection);
    const soFar = receivedBy(connection);
    this.#listening = setTimeout(
      async () => {
        const isLive = (await receivedBy(connection)) > (await soFar);
        // Another generation: restarted meanwhile. None: nothing was negotiated yet.
        const isSame = generation !== "" && generation === generationOf(this.#connection());
        if (isSame && !isLive) this.#restartOnce();
      },
      isDown && !offered ? 0 : LISTEN_MS + (this.#named ? 0 : GIVE_WAY_MS),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#listening);
    this.#timer = undefined;
  }

  #schedule(): void {
    const patience = this.#named ? 0 : OTHER_SIDE_MS;
    const wait = this.#attempts === 0 ? 0 : backoffMs(this.#attempts - 1, RESTART);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // When a restart is being tried, it ends in an event.
      if (this.#connection().connectionState !== "failed") return;
      this.#attempts += 1;
      this.#restartOnce();
      // Stays `failed` without another event when the restart did not help: keep on until connected.
      this.#schedule();
    }, patience + wait);
  }

  /** An open offer is a restart already, or one is due after it: a second would follow for nothing. */
  #restartOnce(): void {
    if (this.#connection().signalingState === "stable") this.#restart();
  }
}

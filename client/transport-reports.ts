import type { SelectedPair, TransportState } from "../protocol/transport.ts";
import type { SignallingPort } from "./requests.ts";
import { selectedPairsOf } from "./selected-pairs.ts";

/** Firefox does not tell when the pair changes: after a change of state it is looked at again. */
const LOOK_AGAIN_MS = [1000, 5000];

const STATES: Readonly<Record<string, TransportState>> = {
  new: "new",
  connecting: "checking",
  checking: "checking",
  connected: "connected",
  completed: "connected",
  disconnected: "disconnected",
  failed: "failed",
  closed: "closed",
};

interface TransportOfMid {
  /** Undefined when the link has one transport for all. */
  readonly mid: string | undefined;
  readonly state: TransportState;
}

/** Tells the server the state and the selected pair of a link's transports, when they change. */
export class TransportReports {
  readonly #connection: RTCPeerConnection;
  readonly #port: SignallingPort;
  readonly #peer: string;
  readonly #told = new Map<string, string>();
  readonly #watched = new WeakSet<RTCIceTransport>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Until an exchange is completed the server has no transport to report on. */
  #agreed = false;
  #pairs: ReadonlyMap<string, SelectedPair> = new Map();
  #looking: Promise<void> = Promise.resolve();

  constructor(connection: RTCPeerConnection, port: SignallingPort, peer: string) {
    this.#connection = connection;
    this.#port = port;
    this.#peer = peer;
  }

  /** True when media of this side goes through a TURN server. */
  get relayed(): boolean {
    return [...this.#pairs.values()].some(({ local }) => local.candidateType === "relay");
  }

  /** Something changed: looks now, and again soon. */
  changed(): void {
    this.look();
    this.stop();
    for (const waitMs of LOOK_AGAIN_MS) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.look();
      }, waitMs);
      this.#timers.add(timer);
    }
  }

  /** After a reconnect: says all again, what was said last may not have arrived. */
  repeat(): void {
    this.#told.clear();
    this.look();
  }

  /**
   * An exchange was completed: sections came or went; watches the transports of the new ones. All is said
   * again: with an ICE restart the server forgets the pair, which the browser may well keep.
   */
  settled(): void {
    this.#agreed = true;
    this.#told.clear();
    for (const { iceTransport } of this.#dtlsTransports().values()) {
      if (this.#watched.has(iceTransport)) continue;
      this.#watched.add(iceTransport);
      iceTransport.addEventListener("selectedcandidatepairchange", () => this.changed());
      iceTransport.addEventListener("statechange", () => this.changed());
    }
    this.look();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  look(): void {
    this.#looking = this.#looking.then(() => this.#report()).catch(reportError);
  }

  async #report(): Promise<void> {
    const { connectionState } = this.#connection;
    if (!this.#agreed || !this.#port.connected || connectionState === "new") return;
    if (connectionState !== "closed") this.#pairs = await selectedPairsOf(this.#connection);
    for (const { mid, state } of this.#transports()) {
      const pair = state === "connected" ? this.#pairs.get(mid ?? "") : undefined;
      const report = {
        state,
        ...(mid !== undefined && { transport: mid }),
        ...(pair !== undefined && { pair }),
      };
      const text = JSON.stringify(report);
      if (this.#told.get(mid ?? "") === text) continue;
      this.#told.set(mid ?? "", text);
      this.#port.send({ type: "transport", to: this.#peer, ...report });
    }
  }

  #transports(): TransportOfMid[] {
    const transports = this.#dtlsTransports();
    if (transports.size <= 1) {
      return [{ mid: undefined, state: STATES[this.#connection.connectionState] ?? "new" }];
    }
    return [...transports].map(([mid, { iceTransport, state }]) => ({
      mid,
      state: state === "failed" ? "failed" : (STATES[iceTransport.state] ?? "new"),
    }));
  }

  /** Each transport once, under the mid of its first section. */
  #dtlsTransports(): Map<string, RTCDtlsTransport> {
    const found = new Map<string, RTCDtlsTransport>();
    const known = new Set<RTCDtlsTransport>();
    for (const { mid, sender, direction } of this.#connection.getTransceivers()) {
      const { transport } = sender;
      if (mid === null || transport === null || direction === "stopped" || known.has(transport)) {
        continue;
      }
      known.add(transport);
      found.set(mid, transport);
    }
    const sctp = this.#connection.sctp?.transport;
    // A data channel's section has no transceiver to name its mid; bundled, it needs none.
    if (sctp !== undefined && found.size === 0) found.set("", sctp);
    return found;
  }
}

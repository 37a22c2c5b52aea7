import type { IceError, TransportState } from "../protocol/transport.ts";
import type { SignallingPort } from "./requests.ts";
import { dataMidOf } from "./sections.ts";
import { type ConnectionTransports, type TransportStats, transportsOf } from "./transport-stats.ts";

/** Firefox does not tell when the pair changes: after a change of state it is looked at again. */
const LOOK_AGAIN_MS = [1000, 5000];
/** The server takes so many in one report. */
const MOST_ERRORS = 8;

/** The state of a connection or an ICE transport in the words of the records. */
function recorded(state: RTCPeerConnectionState | RTCIceTransportState): TransportState {
  if (state === "connecting") return "checking";
  return state === "completed" ? "connected" : state;
}

interface ReportedTransport {
  /** Undefined when the link has one transport for all. */
  readonly mid: string | undefined;
  readonly state: TransportState;
  /** Why it failed. */
  readonly reason: string | undefined;
  readonly stats: TransportStats | undefined;
  /** Of ICE alone. */
  readonly ice: TransportState | undefined;
}

/** Tells the server state, selected pair and DTLS of a link's transports, when they change. */
export class TransportReports {
  readonly #connection: RTCPeerConnection;
  readonly #port: SignallingPort;
  readonly #peer: string;
  readonly #told = new Map<string, string>();
  readonly #watched = new WeakSet<RTCIceTransport>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Until an exchange is completed the server has no transport to report on. */
  #agreed = false;
  #stats: ConnectionTransports = { byMid: new Map(), others: [] };
  /** ICE servers that failed; told where there is no path. */
  readonly #iceErrors = new Map<string, IceError>();
  #looking: Promise<void> = Promise.resolve();

  constructor(connection: RTCPeerConnection, port: SignallingPort, peer: string) {
    this.#connection = connection;
    this.#port = port;
    this.#peer = peer;
  }

  /** True when media of this side goes through a TURN server. */
  get relayed(): boolean {
    const { byMid, others } = this.#stats;
    return [...byMid.values(), ...others].some(({ pair }) => pair.local.candidateType === "relay");
  }

  /** Something changed: looks now, and again soon. */
  changed(): void {
    this.look();
    this.stop();
    for (const waitMs of LOOK_AGAIN_MS) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.look(true);
      }, waitMs);
      this.#timers.add(timer);
    }
  }

  /** An ICE server failed: browsers tell it once per address of theirs. */
  failed({ errorCode: code, errorText, url }: RTCPeerConnectionIceErrorEvent): void {
    if (code < 300 || code > 799 || this.#iceErrors.size === MOST_ERRORS) return;
    const lookup = /lookup/i.test(errorText) || undefined;
    this.#iceErrors.set(`${code} ${url}`, { code, url: url?.slice(0, 256), lookup } as IceError);
    this.changed();
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
    for (const transport of this.#dtlsTransports().values()) {
      const { iceTransport } = transport;
      if (this.#watched.has(iceTransport)) continue;
      this.#watched.add(iceTransport);
      iceTransport.addEventListener("selectedcandidatepairchange", () => this.changed());
      iceTransport.addEventListener("statechange", () => this.changed());
      transport.addEventListener("statechange", () => this.changed());
    }
    this.changed();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** `late`: by now a browser that has anything to try would try it; in `new` it stays for ever. */
  look(late = false): void {
    this.#looking = this.#looking.then(() => this.#report(late)).catch(reportError);
  }

  async #report(late: boolean): Promise<void> {
    const { connectionState } = this.#connection;
    if (!this.#agreed || !this.#port.connected || (connectionState === "new" && !late)) return;
    if (connectionState !== "closed") this.#stats = await transportsOf(this.#connection);
    for (const { mid, state, reason, stats, ice } of this.#transports()) {
      const found = state === "connected" ? stats : this.#trouble(state, ice, late);
      const report = { state, transport: mid, reason, ...found };
      const text = JSON.stringify(report);
      if (this.#told.get(mid ?? "") === text) continue;
      this.#told.set(mid ?? "", text);
      this.#port.send({ type: "transport", to: this.#peer, ...report });
    }
  }

  /** What may be why there is no path. ICE alone is ahead of DTLS for a moment in every call. */
  #trouble(state: TransportState, ice: TransportState | undefined, late: boolean) {
    if (state === "checking") return late && ice === "connected" ? { ice } : undefined;
    return this.#iceErrors.size > 0 ? { iceErrors: [...this.#iceErrors.values()] } : undefined;
  }

  #transports(): ReportedTransport[] {
    const transports = this.#dtlsTransports();
    const { byMid, others } = this.#stats;
    if (transports.size > 1) {
      const unnamed = [...transports.keys()].filter((mid) => !byMid.has(mid)).length;
      return [...transports].map(([mid, transport]) => ({
        mid,
        state: stateOf(transport),
        reason: reasonOf(transport),
        stats: byMid.get(mid) ?? among(others, transport, unnamed),
        ice: recorded(transport.iceTransport.state),
      }));
    }
    const [transport] = transports.values();
    const state = recorded(this.#connection.connectionState);
    // Chromium says `disconnected` of ICE that was never connected, too.
    const reason =
      state === "failed" && transport ? (reasonOf(transport) ?? "ice-failed") : undefined;
    const [stats] = [...byMid.values(), ...others];
    const ice = transport && recorded(transport.iceTransport.state);
    return [{ mid: undefined, state, reason, stats, ice }];
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
    // A data channel's section has no transceiver to name its mid.
    const mid = dataMidOf(this.#connection.currentLocalDescription?.sdp);
    if (sctp !== undefined && mid !== undefined && !known.has(sctp)) found.set(mid, sctp);
    return found;
  }
}

/** Of ICE and DTLS together; a path without keys carries nothing yet. */
function stateOf({ state, iceTransport }: RTCDtlsTransport): TransportState {
  if (state === "failed") return "failed";
  const ice = recorded(iceTransport.state);
  return ice === "connected" && state !== "connected" ? "checking" : ice;
}

function reasonOf({ state, iceTransport }: RTCDtlsTransport): string | undefined {
  if (state === "failed") return "dtls-failed";
  return iceTransport.state === "failed" ? "ice-failed" : undefined;
}

/** Statistics name the mids of RTP only: which of the others is that of a transport, where that is certain. */
function among(
  others: readonly TransportStats[],
  { iceTransport }: RTCDtlsTransport,
  unnamed: number,
): TransportStats | undefined {
  // Firefox has no such method. By ports, because Chromium puts brackets around addresses of IPv6 here.
  const used = iceTransport.getSelectedCandidatePair?.();
  if (!used) return others.length === 1 && unnamed === 1 ? others[0] : undefined;
  return others.find(
    ({ pair: { local, remote } }) =>
      local.port === used.local.port && remote.port === used.remote.port,
  );
}

import type { FlowSummary } from "../protocol/flow-summary.ts";
import { Bitrates } from "./bitrates.ts";
import { type FlowReportOptions, FlowReports, type FlowReportsHost } from "./flow-reports.ts";
import { rtpStatsOf } from "./rtp-stats.ts";
import { SenderSteering } from "./sender-steering.ts";
import { TransportReports } from "./transport-reports.ts";

/** What the duties of a connection need of its session. */
export interface FlowDutiesHost extends FlowReportsHost {
  readonly flowReports: FlowReportOptions;
}

/**
 * What one connection does for the records of its flows: tells the server what it measures of transports and
 * flows, and obeys what is asked of senders. Apart from the rest of a link, because a page that shows a "call"
 * button need not load it: `join` does, while the socket connects.
 */
export class FlowDuties {
  readonly #connection: RTCPeerConnection;
  readonly #host: FlowDutiesHost;
  readonly #peer: string;
  readonly #steering: SenderSteering;
  readonly #transports: TransportReports;
  /** Undefined when the application does not want flows to be reported. */
  readonly #reports: FlowReports | undefined;
  readonly #bitrates = new Bitrates();

  constructor(connection: RTCPeerConnection, host: FlowDutiesHost, peer: string) {
    this.#connection = connection;
    this.#host = host;
    this.#peer = peer;
    this.#steering = new SenderSteering(connection, host.port);
    this.#transports = new TransportReports(connection, host.port, peer);
    this.#reports = host.flowReports
      ? new FlowReports(connection, host, peer, host.flowReports)
      : undefined;
  }

  /** True when media of this side goes through a TURN server. */
  get relayed(): boolean {
    return this.#transports.relayed;
  }

  /** The record of a flow that this side sends changed. */
  obey(flow: FlowSummary): void {
    this.#steering.obey(flow);
  }

  /** The connection changed its state. */
  changed(): void {
    this.#transports.changed();
    this.#reports?.stateIs(this.#connection.connectionState);
  }

  /** An ICE server could not be used. */
  iceServerFailed(event: RTCPeerConnectionIceErrorEvent): void {
    this.#transports.failed(event);
  }

  /** An exchange was completed. */
  settled(): void {
    this.#transports.settled();
  }

  /** After a reconnect: what was told last may not have arrived. */
  repeat(): void {
    this.#transports.repeat();
    this.#steering.repeat();
    this.#reports?.repeat();
  }

  /** Bits per second by flow id, measured since the call before. */
  async bitrates(): Promise<Map<string, number>> {
    const peer = this.#peer;
    const flows = this.#host
      .flows()
      .filter(({ from, to, state }) => state !== "ended" && (from === peer || to === peer));
    const stats = await rtpStatsOf(this.#connection);
    return this.#bitrates.measure(stats, this.#host.self.id, flows);
  }

  stop(): void {
    this.#transports.stop();
    this.#reports?.stop();
  }
}

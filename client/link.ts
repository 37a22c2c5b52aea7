import type { MediaLabels } from "../protocol/flow-query.ts";
import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { asDuplexError, clientError, type DuplexError, type SdpFinding } from "./duplex-error.ts";
import type { FlowDuties, FlowDutiesHost } from "./flow-duties.ts";
import { IceRecovery } from "./ice-recovery.ts";
import type { IceServers } from "./ice-servers.ts";
import { Negotiation } from "./negotiation.ts";
import type { NegotiationHost, NegotiationStart } from "./negotiation-host.ts";
import { type Publication, PublishedTracks } from "./publication.ts";
import { type Rights, rightsBetween } from "./rights.ts";

/** A track that another peer sends. */
export interface RemoteTrack {
  /** Id of the peer. */
  readonly peer: string;
  /** What it sends. */
  readonly track: MediaStreamTrack;
  /** The streams that its sender put it into; a track of each kind in one stream is one camera with its microphone. */
  readonly streams: readonly MediaStream[];
  /** Its place in the connection. */
  readonly transceiver: RTCRtpTransceiver;
}

/** Frames of a negotiation, as they come from the other peer. */
export type LinkFrame = Extract<
  ToPeer,
  { type: "offer" | "answer" | "candidates" | "reject" | "rollback" | "expired" }
>;

/** What a link needs of its session, and tells it. */
export interface LinkHost extends FlowDutiesHost {
  readonly publications: Iterable<Publication>;
  /** On its way, or undefined when that part of the SDK could not be loaded: the call goes on without. */
  readonly flowDuties: Promise<typeof FlowDuties | undefined>;
  readonly iceServers: Pick<IceServers, "endAt" | "renewalsUntil">;
  configuration(): RTCConfiguration;
  linkState(peer: string, state: RTCPeerConnectionState): void;
  track(track: RemoteTrack): void;
  trackEnded(track: RemoteTrack): void;
  settled(peer: string): void;
  problem(error: DuplexError, peer: string): void;
  found(findings: readonly SdpFinding[], peer: string): void;
}

/** A connection and what is done with it while it is the present one of its link. */
interface Connected {
  readonly connection: RTCPeerConnection;
  readonly published: PublishedTracks;
  duties?: FlowDuties;
  isSettled?: boolean;
}

/** This peer and another one: their RTCPeerConnection and what negotiates it. */
export class Link implements NegotiationHost {
  readonly #host: LinkHost;
  readonly #peer: string;
  readonly #rights: Rights;
  readonly #takesLayers: boolean;
  readonly #negotiation: Negotiation;
  readonly #recovery: IceRecovery;
  readonly #tracks = new Map<RTCRtpTransceiver, RemoteTrack>();
  #now: Connected;
  /** When the credentials end that relays of the connection are allocated with. */
  #relaysEndAt = 0;

  constructor(host: LinkHost, peer: PeerView, start: NegotiationStart) {
    this.#host = host;
    this.#peer = peer.id;
    this.#rights = rightsBetween(host.self, peer);
    this.#takesLayers = peer.role === "media-server";
    this.#recovery = new IceRecovery(
      host.self.id < peer.id,
      () => this.connection,
      () => this.restartIce(),
    );
    this.#negotiation = new Negotiation(this, host.port, host.self.id, peer.id);
    this.#now = this.#connect();
    this.#negotiation.start(start);
  }

  /** The present connection; another one takes its place when the other peer loads its page again. */
  get connection(): RTCPeerConnection {
    return this.#now.connection;
  }

  /** Tracks that the other peer sends now. */
  get tracks(): readonly RemoteTrack[] {
    return [...this.#tracks.values()];
  }

  publish(publication: Publication): void {
    this.#add(this.#now.published, publication);
    this.#negotiation.encourage();
  }

  unpublish(publication: Publication): void {
    this.#now.published.remove(publication);
    this.#negotiation.encourage();
  }

  replaceTrack(publication: Publication, track: MediaStreamTrack): Promise<void> {
    return this.#now.published.replace(publication, track);
  }

  /** The record of a flow that this side sends changed. */
  obey(flow: FlowSummary): void {
    this.#now.duties?.obey(flow);
  }

  /** Bits per second by flow id, measured since the call before. */
  bitrates(): Promise<Map<string, number>> | undefined {
    return this.#now.duties?.bitrates();
  }

  restartIce(): void {
    this.#negotiation.restartIce();
  }

  /**
   * There are fresh TURN credentials. A relay keeps those that it was allocated with, and browsers would restart
   * ICE for others: they wait for what needs them, unless relays end with their credentials (decision 0018).
   */
  reconfigure(): void {
    const { self, iceServers } = this.#host;
    // One side is named to restart, so that both do not; when it does not, this one does at its next renewal.
    const renewals = self.id < this.#peer ? 2 : 1;
    if (this.connection.localDescription === null) this.refresh(false);
    // Where that is not known it may be relayed.
    else if (this.#now.duties?.relayed === false) return;
    else if (iceServers.renewalsUntil(this.#relaysEndAt) < renewals) this.restartIce();
  }

  refresh(restart: boolean): void {
    this.connection.setConfiguration(this.#host.configuration());
    this.#relaysEndAt = this.#host.iceServers.endAt;
    if (restart) this.connection.restartIce();
  }

  frame(frame: LinkFrame): void {
    switch (frame.type) {
      case "offer":
        this.#negotiation.offer(frame);
        return;
      case "answer":
        this.#negotiation.answer(frame);
        return;
      case "candidates":
        this.#negotiation.candidates(frame);
        return;
      default:
        this.#negotiation.withdraw(frame.exchange, withdrawal(frame));
    }
  }

  resume(summary: NegotiationStart["summary"]): void {
    this.#negotiation.resume(summary);
    this.#recovery.resumed(summary?.state === "offered" && summary.offerer === this.#peer);
    this.#now.duties?.repeat();
  }

  close(): void {
    this.#negotiation.stop();
    this.#recovery.stop();
    this.#disconnect();
    this.#host.linkState(this.#peer, "closed");
  }

  renew(): void {
    this.#disconnect();
    this.#now = this.#connect();
    this.#host.linkState(this.#peer, this.connection.connectionState);
  }

  prepare(type: "offer" | "answer"): void {
    this.#now.published.prepare(type);
  }

  labels(): MediaLabels {
    return this.#now.published.labels();
  }

  settled(): void {
    this.#now.isSettled = true;
    this.#now.duties?.settled();
    for (const [transceiver, track] of [...this.#tracks]) {
      const { currentDirection } = transceiver;
      if (currentDirection === "sendrecv" || currentDirection === "recvonly") continue;
      this.#tracks.delete(transceiver);
      this.#host.trackEnded(track);
    }
    this.#host.settled(this.#peer);
  }

  found(findings: readonly SdpFinding[]): void {
    this.#host.found(findings, this.#peer);
  }

  problem(error: DuplexError): void {
    this.#host.problem(error, this.#peer);
  }

  #connect(): Connected {
    const connection = new RTCPeerConnection(this.#host.configuration());
    this.#relaysEndAt = this.#host.iceServers.endAt;
    const published = new PublishedTracks(connection, this.#rights, this.#takesLayers);
    const now: Connected = { connection, published };
    const on = (type: string, listener: (event: Event) => void) =>
      connection.addEventListener(type, (event) => {
        if (connection === this.connection) listener(event);
      });
    on("negotiationneeded", () => this.#negotiation.need());
    on("icecandidate", (event) =>
      this.#negotiation.localCandidate((event as RTCPeerConnectionIceEvent).candidate),
    );
    on("icecandidateerror", (event) =>
      now.duties?.iceServerFailed(event as RTCPeerConnectionIceErrorEvent),
    );
    on("track", (event) => this.#received(event as RTCTrackEvent));
    on("iceconnectionstatechange", () => now.duties?.changed());
    on("connectionstatechange", () => {
      now.duties?.changed();
      this.#recovery.changed();
      this.#host.linkState(this.#peer, connection.connectionState);
    });
    for (const publication of this.#host.publications) this.#add(published, publication);
    this.#host.flowDuties.then((Duties) => Duties && this.#begin(now, Duties)).catch(reportError);
    return now;
  }

  /** What the browser does not take is no reason to be without the rest. */
  #add(published: PublishedTracks, publication: Publication): void {
    try {
      published.add(publication);
    } catch (thrown) {
      this.problem(asDuplexError(thrown));
    }
  }

  /** Mostly before anything happens; where it was long in coming, it makes up for that. */
  #begin(now: Connected, Duties: typeof FlowDuties): void {
    if (now !== this.#now || now.connection.signalingState === "closed") return;
    now.duties = new Duties(now.connection, this.#host, this.#peer);
    if (!now.isSettled) return;
    now.duties.settled();
    now.duties.changed();
    this.#host.settled(this.#peer);
  }

  #disconnect(): void {
    this.#now.duties?.stop();
    this.#now.connection.close();
    for (const track of this.#tracks.values()) this.#host.trackEnded(track);
    this.#tracks.clear();
  }

  #received({ track, streams, transceiver }: RTCTrackEvent): void {
    const remote = { peer: this.#peer, track, streams, transceiver };
    this.#tracks.set(transceiver, remote);
    this.#host.track(remote);
  }
}

/** Why an offer came to nothing, for the application to see; a rollback needs no words. */
function withdrawal(
  frame: Extract<LinkFrame, { type: "reject" | "rollback" | "expired" }>,
): DuplexError | undefined {
  if (frame.type === "rollback") return undefined;
  const title =
    frame.type === "reject" ? "The other peer refused the offer" : "The offer was not answered";
  const reason = frame.type === "reject" ? frame.reason : undefined;
  return clientError("negotiation-failed", title, reason ?? `exchange ${frame.exchange}`);
}

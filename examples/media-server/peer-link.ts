import { MediaStream, type RTCPeerConnection } from "werift";
import type { IceServer } from "../../protocol/ice-server.ts";
import type { Candidate } from "../../protocol/message-parts.ts";
import { withUsedFeedback } from "./codecs.ts";
import { Downlink } from "./downlink.ts";
import { LinkMedia } from "./link-media.ts";
import { codeOf, log } from "./log.ts";
import { OperationChain } from "./operation-chain.ts";
import { announced, openConnection, selectedPair, transportState } from "./peer-connection.ts";
import { readableDescription } from "./readable-offer.ts";
import type { Settings } from "./settings.ts";
import { Refused, type Signalling } from "./signalling.ts";
import type { Uplink } from "./uplink.ts";

/** How a peer came in: over the native protocol, or over HTTP, where it makes the only offer. */
export type Via = "native" | "whip" | "whep";

export interface PeerLinkShape {
  readonly peer: string;
  readonly via: Via;
  readonly iceServers: readonly IceServer[];
  readonly settings: Settings;
  readonly signalling: Signalling;
  /** Its streams or its transport are others now. */
  readonly changed: () => void;
}

/** A native peer that joined will make an offer at once: one exchange for both directions will do. */
const FIRST_OFFER_MS = 1_000;
/** Contexts come one by one, and a single offer can have them all. */
const GATHER_CONTEXTS_MS = 30;

/** The connection with one peer, and its negotiation in both directions. */
export class PeerLink {
  readonly peer: string;
  readonly via: Via;
  readonly media: LinkMedia;
  readonly #signalling: Signalling;
  readonly #announced: (sdp: string) => string;
  readonly #changed: () => void;
  readonly #connection: RTCPeerConnection;
  readonly #operations: OperationChain;
  /** Sections that this side offered, by the context each one carries; idle ones have none. */
  readonly #offered = new Map<Downlink, string | undefined>();
  #offering: number | undefined;
  #offerNeeded = false;
  #offerTimer: ReturnType<typeof setTimeout> | undefined;
  #waitsForOffer: boolean;
  #told = "";
  #closed = false;

  constructor({ peer, via, iceServers, settings, signalling, changed }: PeerLinkShape) {
    this.peer = peer;
    this.via = via;
    this.#signalling = signalling;
    this.#changed = changed;
    this.#announced = (sdp) => announced(sdp, settings);
    this.#connection = openConnection(settings, iceServers);
    this.media = new LinkMedia(this.#connection);
    this.#operations = new OperationChain((thrown) =>
      log("negotiation-failed", { peer, code: codeOf(thrown) }),
    );
    this.#connection.connectionStateChange.subscribe(() => this.#tellTransport());
    this.#connection.iceConnectionStateChange.subscribe(() => this.#tellTransport());
    this.#waitsForOffer = true;
    setTimeout(() => this.#waited(), FIRST_OFFER_MS);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get connected(): boolean {
    return transportState(this.#connection) === "connected";
  }

  uplink(mid: string): Uplink | undefined {
    return this.media.uplink(mid);
  }

  /** A way to send a stream to a native peer: an idle section, or a new one; it is offered soon. */
  openDownlink(
    context: string,
    kind: "audio" | "video",
    stream: string,
    changed: () => void,
  ): Downlink {
    const idle = [...this.#offered].find(
      ([{ transceiver }, used]) =>
        used === undefined && transceiver.kind === kind && !transceiver.stopped,
    )?.[0];
    const streams = [new MediaStream({ id: stream })];
    const transceiver =
      idle?.transceiver ??
      this.#connection.addTransceiver(kind, { direction: "sendonly", streams });
    if (idle !== undefined) {
      this.#offered.delete(idle);
      transceiver.direction = "sendonly";
      transceiver.sender.setStreams(streams);
    }
    const downlink = new Downlink({ transceiver, changed });
    this.#offered.set(downlink, context);
    this.media.add(downlink);
    this.#offerSoon();
    return downlink;
  }

  /** The section of a player's own offer; none where it has none that receives. */
  answeredDownlink(mid: string, changed: () => void): Downlink | undefined {
    const transceiver = this.#connection.getTransceivers().find((each) => each.mid === mid);
    if (transceiver === undefined || transceiver.stopped) return undefined;
    const downlink = new Downlink({ transceiver, changed });
    this.media.add(downlink);
    return downlink;
  }

  closeDownlink(downlink: Downlink): void {
    this.media.remove(downlink);
    if (!this.#offered.has(downlink)) return;
    this.#offered.set(downlink, undefined);
    downlink.transceiver.direction = "inactive";
    this.#offerSoon();
  }

  /** The peer's offer; its answer names all candidates of this side. */
  offered(exchange: number, sdp: string): void {
    this.#operations.add(async () => {
      try {
        await this.#answer(exchange, sdp);
      } catch (thrown) {
        await this.#refuse(exchange, codeOf(thrown));
        throw thrown;
      } finally {
        this.#waited();
      }
    });
  }

  answered(exchange: number, sdp: string): void {
    this.#operations.add(async () => {
      if (exchange !== this.#offering) return;
      this.#offering = undefined;
      const answer = readableDescription(sdp);
      await this.#connection.setRemoteDescription({ type: "answer", sdp: answer });
      this.#agree(answer);
    });
  }

  /** The peer's candidates. Their end is not passed on: an agent that checks first may still come. */
  candidates(candidates: readonly Candidate[]): void {
    this.#operations.add(async () => {
      for (const candidate of candidates) {
        if (candidate.candidate === "") continue;
        const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
        // Not awaited: looking up the name of an mDNS candidate can take seconds.
        this.#connection
          .addIceCandidate({
            candidate: candidate.candidate,
            ...(sdpMid == null ? { sdpMLineIndex: sdpMLineIndex ?? 0 } : { sdpMid }),
            ...(usernameFragment == null ? {} : { usernameFragment }),
          })
          .catch(() => {});
      }
    });
  }

  /** The peer refused the offer, or did not answer it in time. */
  refused(exchange: number, again: boolean): void {
    this.#operations.add(async () => {
      if (exchange !== this.#offering) return;
      await this.#takeBack();
      if (again) this.#offerSoon();
    });
  }

  /** Tells the server where the transport is, also what it was told before the socket was lost. */
  tellAgain(): void {
    this.#told = "";
    this.#tellTransport();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#offerTimer);
    this.#operations.stop();
    this.media.close();
    await this.#connection.close();
  }

  async #answer(exchange: number, sdp: string): Promise<void> {
    const connection = this.#connection;
    if (this.#offering !== undefined) await this.#takeBack();
    const offer = readableDescription(sdp);
    await connection.setRemoteDescription({ type: "offer", sdp: offer });
    for (const transceiver of connection.getTransceivers()) {
      transceiver.codecs = transceiver.codecs.map(withUsedFeedback);
      if (this.via === "whep") transceiver.direction = "sendonly";
    }
    await connection.setLocalDescription(await connection.createAnswer());
    this.#restartIce();
    this.#agree(offer);
    await this.#signalling.request({
      type: "answer",
      to: this.peer,
      exchange,
      sdp: this.#localSdp(),
    });
    await this.#completeCandidates(exchange);
  }

  async #refuse(exchange: number, reason: string): Promise<void> {
    if (this.#connection.signalingState === "have-remote-offer") {
      await this.#connection.setRemoteDescription({ type: "rollback", sdp: "" });
    }
    const to = this.peer;
    await this.#signalling.request({ type: "reject", to, exchange, reason }).catch(() => {});
  }

  // werift begins its checks only where DTLS is still to come; after a restart it has long been there.
  #restartIce(): void {
    for (const { state, iceTransport } of this.#connection.dtlsTransports) {
      if (state === "connected" && iceTransport.state === "new")
        iceTransport.start().catch(() => {});
    }
  }

  async #offer(): Promise<void> {
    const connection = this.#connection;
    if (
      !this.#offerNeeded ||
      this.#offering !== undefined ||
      connection.signalingState !== "stable"
    ) {
      return;
    }
    this.#offerNeeded = false;
    await connection.setLocalDescription(await connection.createOffer());
    const media = Object.fromEntries(
      [...this.#offered].flatMap(([{ transceiver }, context]) =>
        context === undefined || transceiver.mid === null ? [] : [[transceiver.mid, { context }]],
      ),
    );
    try {
      const { exchange } = await this.#signalling.request({
        type: "offer",
        to: this.peer,
        sdp: this.#localSdp(),
        media,
      });
      this.#offering = exchange;
      if (exchange !== undefined) await this.#completeCandidates(exchange);
    } catch (thrown) {
      await this.#takeBack();
      // The peer's offer came first (N3): it is answered, and then this one is made anew.
      if (thrown instanceof Refused && thrown.code === "glare") this.#offerNeeded = true;
      else throw thrown;
    }
  }

  async #takeBack(): Promise<void> {
    this.#offering = undefined;
    if (this.#connection.signalingState !== "have-local-offer") return;
    await this.#connection.setLocalDescription({ type: "rollback" });
    this.#offerNeeded = true;
  }

  #agree(remote: string): void {
    this.media.agree(remote);
    this.#changed();
    if (this.#offerNeeded) this.#offerSoon();
  }

  async #completeCandidates(exchange: number): Promise<void> {
    // The description has them already.
    const to = this.peer;
    await this.#signalling.request({
      type: "candidates",
      to,
      exchange,
      candidates: [],
      complete: true,
    });
  }

  #localSdp(): string {
    return this.#announced(this.#connection.localDescription?.sdp ?? "");
  }

  #waited(): void {
    if (!this.#waitsForOffer) return;
    this.#waitsForOffer = false;
    if (this.#offerNeeded) this.#offerSoon();
  }

  #offerSoon(): void {
    this.#offerNeeded = true;
    if (this.#waitsForOffer || this.#closed || this.via !== "native") return;
    clearTimeout(this.#offerTimer);
    this.#offerTimer = setTimeout(
      () => this.#operations.add(() => this.#offer()),
      GATHER_CONTEXTS_MS,
    );
  }

  #tellTransport(): void {
    if (this.#closed) return;
    const state = transportState(this.#connection);
    const pair = selectedPair(this.#connection);
    const told = JSON.stringify([state, pair]);
    if (told === this.#told || state === "new") return;
    this.#told = told;
    log("transport", { peer: this.peer, state });
    this.#signalling
      .request({ type: "transport", to: this.peer, state, ...(pair && { pair }) })
      .catch((thrown) =>
        log("transport-report-refused", { peer: this.peer, code: codeOf(thrown) }),
      );
    this.media.wake();
    this.#changed();
  }
}

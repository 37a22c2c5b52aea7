import { MediaStream, type RTCPeerConnection } from "werift";
import type { IceServer } from "../../protocol/ice-server.ts";
import { consistentExtensions } from "./codecs.ts";
import type { Downlink } from "./downlink.ts";
import { LinkMedia } from "./link-media.ts";
import { log, logRefusal } from "./log.ts";
import { Negotiation } from "./negotiation.ts";
import { announced, openConnection, selectedPair, transportState } from "./peer-connection.ts";
import type { Settings } from "./settings.ts";
import type { Signalling } from "./signalling.ts";
import type { Uplink } from "./uplink.ts";

/** How a peer came in: over the native protocol, or over HTTP, to publish or to play. */
export type Via = "native" | "whip" | "whep";

export interface PeerLinkShape {
  readonly peer: string;
  readonly via: Via;
  readonly iceServers: readonly IceServer[];
  readonly settings: Settings;
  readonly signalling: Signalling;
  /** Its streams are others now. */
  readonly changed: () => void;
}

/** What a downlink is opened for. */
export interface DownlinkRequest {
  readonly context: string;
  readonly kind: "audio" | "video";
  /** The stream that receivers see it in. */
  readonly stream: string;
}

/** Who came over HTTP closes its media, and then deletes its session: that is not to be gone before. */
const GOODBYE_MS = 3_000;

/** The connection with one peer: its negotiation, its sections, its transport. */
export class PeerLink {
  readonly via: Via;
  readonly negotiation: Negotiation;
  readonly #peer: string;
  readonly #signalling: Signalling;
  readonly #connection: RTCPeerConnection;
  readonly #media: LinkMedia;
  /** Sections that this side offered, by the context each one carries; idle ones have none. */
  readonly #offered = new Map<Downlink, string | undefined>();
  #told = "";
  #settled = false;
  #parting: ReturnType<typeof setTimeout> | undefined;
  #parted = false;
  #closed = false;

  constructor({ peer, via, iceServers, settings, signalling, changed }: PeerLinkShape) {
    this.via = via;
    this.#peer = peer;
    this.#signalling = signalling;
    this.#connection = openConnection(settings, iceServers);
    this.#media = new LinkMedia(this.#connection, () => this.#tellTransport());
    this.negotiation = new Negotiation({
      peer,
      connection: this.#connection,
      signalling,
      offers: via === "native",
      direct: () => this.#direct(),
      announced: (sdp) => announced(sdp, settings),
      prepare: () => this.#numberSections(),
      labels: () => this.#labels(),
      agreed: (remote) => {
        this.#media.agree(remote);
        changed();
      },
      settled: () => {
        this.#settled = true;
        this.#tellTransport();
      },
    });
    this.#connection.connectionStateChange.subscribe(() => this.#tellTransport());
    this.#connection.iceConnectionStateChange.subscribe(() => this.#tellTransport());
  }

  /** What comes in on a section. */
  uplink(mid: string): Uplink | undefined {
    return this.#media.uplink(mid);
  }

  /** A way to send a stream to a native peer: an idle section, or a new one; it is offered soon. */
  openDownlink({ context, kind, stream }: DownlinkRequest): Downlink {
    const streams = [new MediaStream({ id: stream })];
    const idle = [...this.#offered].find(
      ([{ transceiver }, used]) =>
        used === undefined && transceiver.kind === kind && !transceiver.stopped,
    );
    const transceiver =
      idle?.[0].transceiver ??
      this.#connection.addTransceiver(kind, { direction: "sendrecv", streams });
    // Both ways: a browser may put a track of its own, that waits for a section, on one it is offered; on
    // one that only sends, that track would wait for ever.
    transceiver.direction = "sendrecv";
    transceiver.sender.setStreams(streams);
    const downlink = this.#media.downlink(transceiver);
    this.#offered.set(downlink, context);
    this.negotiation.offerSoon();
    return downlink;
  }

  /** The way out of a section of a player's own offer. */
  answeredDownlink(mid: string): Downlink | undefined {
    const transceiver = this.#connection.getTransceivers().find((each) => each.mid === mid);
    if (transceiver === undefined || transceiver.stopped) return undefined;
    return this.#media.downlink(transceiver);
  }

  closeDownlink(downlink: Downlink): void {
    downlink.close();
    if (!this.#offered.has(downlink)) return;
    this.#offered.set(downlink, undefined);
    downlink.transceiver.direction = "recvonly";
    this.negotiation.offerSoon();
  }

  /** Tells the server where the transport is, also what it was told before the socket was lost. */
  tellAgain(): void {
    this.#told = "";
    this.#tellTransport();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#parting);
    this.negotiation.close();
    this.#media.close();
    await this.#connection.close();
  }

  // A player is sent to, and sends nothing itself.
  #direct(): void {
    if (this.via !== "whep") return;
    for (const transceiver of this.#connection.getTransceivers())
      transceiver.direction = "sendonly";
  }

  #labels(): Record<string, { readonly context: string }> {
    return Object.fromEntries(
      [...this.#offered].flatMap(([{ transceiver }, context]) =>
        context === undefined || transceiver.mid === null ? [] : [[transceiver.mid, { context }]],
      ),
    );
  }

  // Over one transport a payload type or an extension's number means one thing only (RFC 9143 s9.1).
  #numberSections(): void {
    const transceivers = this.#connection.getTransceivers();
    const agreed = transceivers.filter(({ currentDirection }) => currentDirection !== null);
    const extensions = new Map(
      agreed.flatMap(({ headerExtensions }) => headerExtensions.map(({ id, uri }) => [id, uri])),
    );
    for (const transceiver of transceivers) {
      if (transceiver.currentDirection !== null) continue;
      const kind = transceiver.kind === "audio" ? "audio" : "video";
      transceiver.headerExtensions = consistentExtensions(kind, extensions);
      for (const { id, uri } of transceiver.headerExtensions) extensions.set(id, uri);
      const alike = agreed.find((each) => each.kind === kind && each.codecs.length > 0);
      if (alike !== undefined) transceiver.codecs = alike.codecs;
    }
  }

  #tellTransport(): void {
    const state = transportState(this.#connection);
    const pair = selectedPair(this.#connection);
    const told = JSON.stringify([state, pair]);
    this.#media.wake();
    if (this.#closed || !this.#settled || told === this.#told || state === "new") return;
    if (state === "closed" && this.via !== "native" && !this.#parted) {
      this.#parting ??= setTimeout(() => {
        this.#parted = true;
        this.#tellTransport();
      }, GOODBYE_MS);
      return;
    }
    this.#told = told;
    log("transport", { peer: this.#peer, state });
    this.#signalling
      .request({ type: "transport", to: this.#peer, state, ...(pair && { pair }) })
      .catch(logRefusal("transport-refused", { peer: this.#peer }));
  }
}

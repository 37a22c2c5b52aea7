import { EventEmitter } from "node:events";
import {
  GenericNack,
  PictureLossIndication,
  type RTCDtlsTransport,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RTCRtpHeaderExtensionParameters,
  type RtcpPacket,
  RtcpPayloadSpecificFeedback,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpTransportLayerFeedback,
  type RtpPacket,
} from "werift";
import { type Arrival, readArrival } from "./arrivals.ts";

export const EXTENSION = {
  mid: "urn:ietf:params:rtp-hdrext:sdes:mid",
  rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  repairedRid: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
} as const;

const VP8 = 96;
const RTX = 97;
const OPUS = 111;
const FEEDBACK = [
  { type: "nack" },
  { type: "nack", parameter: "pli" },
  { type: "ccm", parameter: "fir" },
  { type: "goog-remb" },
];

// New objects for each connection: werift writes into them.
const codecs = () => ({
  audio: [
    new RTCRtpCodecParameters({
      mimeType: "audio/opus",
      payloadType: OPUS,
      clockRate: 48_000,
      channels: 2,
      parameters: "minptime=10;useinbandfec=1",
    }),
  ],
  video: [
    new RTCRtpCodecParameters({
      mimeType: "video/VP8",
      payloadType: VP8,
      clockRate: 90_000,
      rtcpFeedback: [...FEEDBACK],
    }),
    new RTCRtpCodecParameters({
      mimeType: "video/rtx",
      payloadType: RTX,
      clockRate: 90_000,
      parameters: `apt=${VP8}`,
    }),
  ],
});

/** werift asks a public STUN server where it is told none: nobody answers at this one, and at once. */
const NO_STUN = { urls: "stun:127.0.0.1:9" };
const NO_STUN_SECONDS = 0.05;

const extensions = (uris: readonly string[]) =>
  uris.map((uri) => new RTCRtpHeaderExtensionParameters({ uri }));

const REPORTER_SSRC = 0x6b_69_74_00;
const REPORT_MS = 1_000;

/** A connection of a peer that the kit plays: werift for ICE, DTLS and SRTP; RTP and RTCP are the kit's own. */
export class Connection {
  readonly pc: RTCPeerConnection;
  readonly arrivals: Arrival[] = [];
  readonly keyframeRequests: { readonly ssrc: number; readonly atMs: number }[] = [];
  /** When the other side last sent RTCP. */
  rtcpAtMs = 0;
  readonly #feedback = new EventEmitter<{ lost: [ssrc: number, sequenceNumber: number] }>();
  readonly #transports = new Set<RTCDtlsTransport>();
  readonly #seen = new Map<number, number>();
  readonly #reports: ReturnType<typeof setInterval>;

  constructor() {
    this.pc = new RTCPeerConnection({
      codecs: codecs(),
      headerExtensions: {
        audio: extensions([EXTENSION.mid]),
        video: extensions([EXTENSION.mid, EXTENSION.rid, EXTENSION.repairedRid]),
      },
      bundlePolicy: "max-bundle",
      iceServers: [NO_STUN],
      iceStunGatherTimeout: NO_STUN_SECONDS,
      // Loopback is gathered only when it is named.
      iceAdditionalHostAddresses: ["127.0.0.1"],
      iceUseTcp: false,
    });
    this.#reports = setInterval(() => this.#report(), REPORT_MS);
  }

  get connected(): boolean {
    return this.pc.connectionState === "connected";
  }

  get localSdp(): string {
    return this.pc.localDescription?.sdp ?? "";
  }

  /** After each exchange: werift's own receivers are not to send feedback besides the kit's. */
  agreed(): void {
    for (const { receiver } of this.pc.getTransceivers()) receiver.stop();
    for (const transport of this.pc.dtlsTransports) {
      if (this.#transports.has(transport)) continue;
      this.#transports.add(transport);
      transport.onRtp.subscribe((packet) => this.#received(packet));
      transport.onRtcp.subscribe((packet) => this.#receivedFeedback(packet));
    }
  }

  onLost(listener: (ssrc: number, sequenceNumber: number) => void): void {
    this.#feedback.on("lost", listener);
  }

  /** What arrived since a moment. */
  since(atMs: number, fits: (arrival: Arrival) => boolean = () => true): readonly Arrival[] {
    return this.arrivals.filter((arrival) => arrival.atMs > atMs && fits(arrival));
  }

  /** Asks for a key frame of what came last (RFC 4585 s6.3.1). */
  sendPictureLoss(mediaSsrc: number): void {
    const feedback = new PictureLossIndication({ senderSsrc: REPORTER_SSRC, mediaSsrc });
    this.#send([new RtcpPayloadSpecificFeedback({ feedback })]);
  }

  /** Says that a packet is missing (RFC 4585 s6.2.1). */
  sendNack(mediaSourceSsrc: number, sequenceNumber: number): void {
    const feedback = new GenericNack({
      senderSsrc: REPORTER_SSRC,
      mediaSourceSsrc,
      lost: [sequenceNumber],
    });
    this.#send([new RtcpTransportLayerFeedback({ feedback })]);
  }

  /** As a process that is killed: nobody is told. */
  async vanish(): Promise<void> {
    clearInterval(this.#reports);
    await Promise.all(this.pc.iceTransports.map((transport) => transport.connection.close()));
    await this.pc.close();
  }

  async close(): Promise<void> {
    clearInterval(this.#reports);
    await this.pc.close();
  }

  #received(packet: RtpPacket): void {
    const { ssrc, sequenceNumber, payloadType } = packet.header;
    const codec = this.#codecOf(payloadType);
    if (codec === undefined) return;
    const { kind, repairs } = codec;
    this.arrivals.push(readArrival(packet, { kind, repairs, atMs: performance.now() }));
    if (!repairs) this.#seen.set(ssrc, sequenceNumber);
  }

  // A peer that answers takes the payload types of the offer, so they are looked up.
  #codecOf(payloadType: number): { kind: Arrival["kind"]; repairs: boolean } | undefined {
    for (const { kind, codecs } of this.pc.getTransceivers()) {
      const codec = codecs.find((each) => each.payloadType === payloadType);
      if (codec === undefined || (kind !== "audio" && kind !== "video")) continue;
      return { kind, repairs: codec.mimeType.toLowerCase().endsWith("/rtx") };
    }
    return undefined;
  }

  #receivedFeedback(packet: RtcpPacket): void {
    const atMs = performance.now();
    this.rtcpAtMs = atMs;
    if (packet instanceof RtcpTransportLayerFeedback && packet.feedback instanceof GenericNack) {
      const { mediaSourceSsrc, lost } = packet.feedback;
      for (const each of lost) this.#feedback.emit("lost", mediaSourceSsrc, each);
    }
    if (!(packet instanceof RtcpPayloadSpecificFeedback) || packet.feedback === undefined) return;
    const { feedback } = packet;
    // RFC 5104 s4.3.1.1: a full intra request names its media in its entries only.
    if ("fir" in feedback) {
      for (const { ssrc } of feedback.fir) this.keyframeRequests.push({ ssrc, atMs });
    } else if (feedback instanceof PictureLossIndication) {
      this.keyframeRequests.push({ ssrc: feedback.mediaSsrc, atMs });
    }
  }

  // Receiver reports without loss (RFC 3550 s6.4.2).
  #report(): void {
    if (this.#seen.size === 0) return;
    const reports = [...this.#seen].map(
      ([ssrc, highest]) =>
        new RtcpReceiverInfo({
          ssrc,
          fractionLost: 0,
          packetsLost: 0,
          highestSequence: highest,
          jitter: 0,
          lsr: 0,
          dlsr: 0,
        }),
    );
    this.#send([new RtcpRrPacket({ ssrc: REPORTER_SSRC, reports: reports.slice(0, 31) })]);
  }

  #send(packets: RtcpPacket[]): void {
    const transport = this.pc.dtlsTransports[0];
    if (transport?.state === "connected") transport.sendRtcp(packets).catch(() => {});
  }
}

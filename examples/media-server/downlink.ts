import { randomInt } from "node:crypto";
import {
  GenericNack,
  PictureLossIndication,
  type RTCRtpTransceiver,
  type RtcpPacket,
  type RtcpReceiverInfo,
  RtcpSenderInfo,
  RtcpSrPacket,
  RtpHeader,
  RtpPacket,
  wrapRtx,
} from "werift";
import { BitrateMeter } from "./bitrate-meter.ts";
import { counterpart, EXTENSION, isVp8, rtxOf } from "./codecs.ts";
import { chooseLayer } from "./layer-choice.ts";
import { add16 } from "./rtp-numbers.ts";
import { RtpRewriter } from "./rtp-rewriter.ts";
import { SendHistory } from "./send-history.ts";
import type { Uplink, UplinkSink } from "./uplink.ts";
import type { MediaPacket, SenderClock, UplinkLayer } from "./uplink-layer.ts";
import { Vp8Descriptors } from "./vp8-descriptor.ts";

/** About two seconds of a picture of 3 Mbit/s. */
const REMEMBERED_PACKETS = 600;

export interface DownlinkLimits {
  readonly held: boolean;
  readonly maxBitrateBps: number | undefined;
}

/** werift reads these requests (RFC 5104 s4.3.1) and does not export their class. */
const isFullIntraRequest = (feedback: unknown): boolean =>
  typeof feedback === "object" && feedback !== null && "fir" in feedback;

/**
 * One m-section towards a receiver, which carries one uplink at a time: RTP is forwarded, RTCP ends here.
 * It lasts as long as the section, through all contexts that use it: the numbers of an SSRC may not begin
 * anew under the same SRTP key (RFC 3711 s3.3.1).
 */
export class Downlink implements UplinkSink {
  readonly transceiver: RTCRtpTransceiver;
  readonly #clockRate: number;
  readonly #rewriter: RtpRewriter;
  readonly #descriptors = new Vp8Descriptors();
  readonly #meter = new BitrateMeter();
  readonly #history = new SendHistory<RtpPacket>(REMEMBERED_PACKETS);
  #limits: DownlinkLimits = { held: false, maxBitrateBps: undefined };
  #source: Uplink | undefined;
  /** The layer whose packets go out, and the one that is to follow at its next key frame. */
  #current: UplinkLayer | undefined;
  #wanted: string | undefined;
  #rtxSequenceNumber = randomInt(0x10000);
  #lastReport: { readonly ntpMiddle: number; readonly atMs: number } | undefined;
  /** Told when what it forwards, or in which layer, is another. */
  changed: () => void = () => {};
  packets = 0;
  bytes = 0;
  packetsLost = 0;
  jitterMs = 0;
  roundTripMs: number | undefined;

  constructor(transceiver: RTCRtpTransceiver) {
    this.transceiver = transceiver;
    this.#clockRate = transceiver.kind === "audio" ? 48_000 : 90_000;
    this.#rewriter = new RtpRewriter(this.#clockRate, {
      sequenceNumber: randomInt(0x10000),
      timestamp: randomInt(0x1_0000_0000),
    });
  }

  get source(): Uplink | undefined {
    return this.#source;
  }

  /** The layer forwarded now; undefined where there is no simulcast. */
  get layer(): string | undefined {
    return this.#current?.rid || undefined;
  }

  /** The receiver has agreed to it, and there is a way to send it. */
  get #agreed(): boolean {
    const { currentDirection, dtlsTransport } = this.transceiver;
    const sends = currentDirection === "sendonly" || currentDirection === "sendrecv";
    return sends && dtlsTransport?.state === "connected";
  }

  get forwarding(): boolean {
    return this.#current !== undefined && !this.#limits.held;
  }

  bitrateBps(nowMs: number): number {
    return this.#meter.bitrateBps(nowMs);
  }

  /** Takes its packets from another uplink, or from none. */
  follow(source: Uplink | undefined): void {
    if (source === this.#source) return;
    this.#source?.detach(this);
    this.#source = source;
    this.#current = undefined;
    this.#wanted = undefined;
    source?.attach(this);
    this.choose(performance.now());
    this.changed();
  }

  limit(limits: DownlinkLimits): void {
    const resumes = this.#limits.held && !limits.held;
    const changed = this.#limits.held !== limits.held;
    this.#limits = limits;
    // What was missed meanwhile cannot be decoded on.
    if (resumes) {
      this.#current = undefined;
      this.#wanted = undefined;
    }
    this.choose(performance.now());
    if (changed) this.changed();
  }

  /** Picks the layer that fits; also from time to time, as rates change. */
  choose(nowMs: number): void {
    if (this.#source === undefined || this.#limits.held || !this.#agreed) return;
    const layers = this.#source.layers.map((layer) => ({
      rid: layer.rid,
      bitrateBps: layer.bitrateBps(nowMs),
    }));
    const chosen = chooseLayer(layers, {
      maxBitrateBps: this.#limits.maxBitrateBps,
      current: this.#current?.rid,
    });
    if (chosen === undefined || chosen === this.#current?.rid) {
      this.#wanted = undefined;
      return;
    }
    this.#wanted = chosen;
    this.#source.requestKeyframe(chosen);
  }

  packet(packet: MediaPacket, layer: UplinkLayer): void {
    if (this.#limits.held || !this.#agreed) return;
    const nowMs = performance.now();
    if (layer !== this.#current) {
      if (this.#current === undefined && this.#wanted === undefined) this.choose(nowMs);
      const follows = layer.rid === (this.#wanted ?? this.#current?.rid);
      if (!follows || !packet.entry) return;
      this.#current = layer;
      this.#wanted = undefined;
      this.#rewriter.change(packet, nowMs);
      if (isVp8(packet.codec)) this.#descriptors.change(packet.payload);
      this.changed();
    }
    const position = this.#rewriter.rewrite(packet, nowMs);
    if (position !== undefined) this.#send(packet, position);
  }

  // The publisher's own clock goes on to the receivers, so that its sound and picture stay together.
  clock({ ntpTimestamp, rtpTimestamp }: SenderClock, layer: UplinkLayer): void {
    if (layer !== this.#current || this.packets === 0) return;
    this.#lastReport = {
      ntpMiddle: Number((ntpTimestamp >> 16n) & 0xffffffffn),
      atMs: performance.now(),
    };
    this.#report(
      new RtcpSrPacket({
        ssrc: this.transceiver.sender.ssrc,
        senderInfo: new RtcpSenderInfo({
          ntpTimestamp,
          rtpTimestamp: this.#rewriter.timestamp(rtpTimestamp),
          packetCount: this.packets >>> 0,
          octetCount: this.bytes >>> 0,
        }),
      }),
    );
  }

  /** RTCP of the receiver about this downlink. */
  feedback(feedback: unknown): void {
    if (feedback instanceof GenericNack) {
      for (const sequenceNumber of feedback.lost) this.#sendAgain(sequenceNumber);
    } else if (feedback instanceof PictureLossIndication || isFullIntraRequest(feedback)) {
      const rid = this.#current?.rid;
      if (rid !== undefined && !this.#limits.held) this.#source?.requestKeyframe(rid);
    }
  }

  /** A block of the receiver's report (RFC 3550 s6.4.1). */
  received(report: RtcpReceiverInfo): void {
    this.packetsLost = report.packetsLost;
    this.jitterMs = (report.jitter * 1000) / this.#clockRate;
    if (report.lsr === 0 || report.lsr !== this.#lastReport?.ntpMiddle) return;
    const roundTripMs = performance.now() - this.#lastReport.atMs - (report.dlsr * 1000) / 65_536;
    this.roundTripMs = Math.max(0, roundTripMs);
  }

  /** Leaves its source, and waits for the next context. */
  close(): void {
    this.changed = () => {};
    this.follow(undefined);
    this.#limits = { held: false, maxBitrateBps: undefined };
  }

  #send(packet: MediaPacket, position: { sequenceNumber: number; timestamp: number }): void {
    const { transceiver } = this;
    // Payload types belong to a leg: the same codec has another number here (RFC 3264 s5.1).
    const codec = counterpart(transceiver.codecs, packet.codec);
    if (codec === undefined) return;
    const header = new RtpHeader({
      ...position,
      ssrc: transceiver.sender.ssrc,
      payloadType: codec.payloadType,
      marker: packet.marker,
      extensions: this.#extensions(packet.extensions),
    });
    const payload = Buffer.from(packet.payload);
    if (isVp8(packet.codec)) this.#descriptors.rewrite(payload);
    const sent = new RtpPacket(header, payload);
    this.#history.add(position.sequenceNumber, sent);
    this.packets += 1;
    this.bytes += packet.payload.length;
    this.#meter.add(sent.serializeSize, performance.now());
    this.#transmit(sent);
  }

  // RFC 4588: as a retransmission of its own SSRC where the receiver has agreed to those.
  #sendAgain(sequenceNumber: number): void {
    const sent = this.#history.find(sequenceNumber);
    if (sent === undefined) return;
    const { codecs, sender } = this.transceiver;
    const rtx = rtxOf(codecs, sent.header.payloadType);
    if (rtx === undefined) {
      this.#transmit(sent);
      return;
    }
    this.#rtxSequenceNumber = add16(this.#rtxSequenceNumber, 1);
    this.#transmit(wrapRtx(sent, rtx.payloadType, this.#rtxSequenceNumber, sender.rtxSsrc));
  }

  #extensions(values: ReadonlyMap<string, Buffer>): { id: number; payload: Buffer }[] {
    const { headerExtensions, mid } = this.transceiver;
    return headerExtensions.flatMap(({ id, uri }) => {
      const payload = uri === EXTENSION.mid && mid !== null ? Buffer.from(mid) : values.get(uri);
      return payload === undefined ? [] : [{ id, payload }];
    });
  }

  #transmit({ header, payload }: RtpPacket): void {
    if (this.#agreed) void this.transceiver.dtlsTransport.sendRtp(payload, header).catch(() => {});
  }

  #report(packet: RtcpPacket): void {
    if (this.#agreed) void this.transceiver.dtlsTransport.sendRtcp([packet]).catch(() => {});
  }
}

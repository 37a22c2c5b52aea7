import {
  type RTCRtpCodecParameters,
  type RtcpPacket,
  RtcpReceiverInfo,
  type RtpPacket,
  unwrapRtx,
} from "werift";
import type { SourceRoute } from "./arrivals.ts";
import { formatParameter, isRtx } from "./codecs.ts";
import { negative, pictureLoss } from "./feedback.ts";
import { type MediaPacket, type SenderClock, UplinkLayer } from "./uplink-layer.ts";

/** Who takes packets of an uplink. */
export interface UplinkSink {
  readonly packet: (packet: MediaPacket, layer: UplinkLayer) => void;
  /** The publisher's sender report for a layer came. */
  readonly clock: (clock: SenderClock, layer: UplinkLayer) => void;
}

/** Senders answer a burst of requests with one key frame; more of them would only cost. */
const KEYFRAME_EVERY_MS = 500;

export interface UplinkShape {
  readonly mid: string;
  readonly kind: "audio" | "video";
  /** SSRC of this end's reports. */
  readonly reporter: number;
  readonly send: (packets: readonly RtcpPacket[]) => void;
}

/** What one m-section of a publisher brings in, and the reports that go back for it. */
export class Uplink {
  readonly mid: string;
  readonly kind: "audio" | "video";
  readonly #reporter: number;
  readonly #send: UplinkShape["send"];
  readonly #layers = new Map<string, UplinkLayer>();
  readonly #sinks = new Set<UplinkSink>();
  readonly #asking = new Map<string, ReturnType<typeof setTimeout>>();
  codecs: readonly RTCRtpCodecParameters[] = [];
  maxBitrateBps: number | undefined;
  #closed = false;

  constructor({ mid, kind, reporter, send }: UplinkShape) {
    this.mid = mid;
    this.kind = kind;
    this.#reporter = reporter;
    this.#send = send;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get layers(): readonly UplinkLayer[] {
    return [...this.#layers.values()];
  }

  layer(rid: string): UplinkLayer | undefined {
    return this.#layers.get(rid);
  }

  attach(sink: UplinkSink): void {
    this.#sinks.add(sink);
  }

  detach(sink: UplinkSink): void {
    this.#sinks.delete(sink);
  }

  /** Takes a packet that `arrivals.ts` found to be of this uplink. */
  receive(
    packet: RtpPacket,
    { rid, repairs }: SourceRoute,
    extensions: ReadonlyMap<string, Buffer>,
  ): void {
    const codec = this.codecs.find(({ payloadType }) => payloadType === packet.header.payloadType);
    if (codec === undefined || this.#closed) return;
    if (repairs || isRtx(codec)) this.#repair(packet, codec, rid, extensions);
    else this.#take(packet, codec, rid, extensions);
  }

  /** Asks the publisher for a key frame of a layer; often is as good as once. */
  requestKeyframe(rid: string): void {
    const layer = this.#layers.get(rid);
    if (this.kind === "audio" || layer === undefined || this.#asking.has(rid)) return;
    const waitMs = layer.askedForKeyframeAtMs + KEYFRAME_EVERY_MS - performance.now();
    if (waitMs > 0) {
      const later = setTimeout(() => {
        this.#asking.delete(rid);
        this.requestKeyframe(rid);
      }, waitMs);
      this.#asking.set(rid, later);
      return;
    }
    layer.askedForKeyframeAtMs = performance.now();
    this.#send([pictureLoss(this.#reporter, layer.ssrc)]);
  }

  /** A sender report of the publisher; false where it is about something else. */
  reported(ssrc: number, ntpTimestamp: bigint, rtpTimestamp: number): void {
    const layer = this.layers.find((each) => each.ssrc === ssrc);
    if (layer === undefined) return;
    layer.clock = { ntpTimestamp, rtpTimestamp, atMs: performance.now() };
    for (const sink of this.#sinks) sink.clock(layer.clock, layer);
  }

  /** Asks for what is missing now. */
  askForLost(nowMs: number): void {
    if (!this.codecs.some(({ rtcpFeedback }) => rtcpFeedback.some(({ type }) => type === "nack"))) {
      return;
    }
    for (const layer of this.#layers.values()) {
      const lost = layer.reception.lost(nowMs);
      if (lost.length > 0) this.#send([negative(this.#reporter, layer.ssrc, lost)]);
    }
  }

  /** Blocks of the receiver report, one per layer (RFC 3550 s6.4.2). */
  reports(nowMs: number): readonly RtcpReceiverInfo[] {
    return this.layers.map(({ ssrc, reception, clock }) => {
      const sinceMs = clock === undefined ? 0 : nowMs - clock.atMs;
      return new RtcpReceiverInfo({
        ssrc,
        ...reception.report(),
        // The middle 32 bits, and units of 1/65536 s (RFC 3550 s6.4.1).
        lsr: clock === undefined ? 0 : Number((clock.ntpTimestamp >> 16n) & 0xffffffffn),
        dlsr: Math.round((sinceMs * 65_536) / 1000),
      });
    });
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#asking.values()) clearTimeout(timer);
    this.#asking.clear();
    this.#sinks.clear();
  }

  #take(
    packet: RtpPacket,
    codec: RTCRtpCodecParameters,
    rid: string,
    extensions: ReadonlyMap<string, Buffer>,
  ): void {
    const { ssrc } = packet.header;
    let layer = this.#layers.get(rid);
    // A publisher that starts its encoder anew may begin with another SSRC.
    if (layer === undefined || layer.ssrc !== ssrc) {
      layer = new UplinkLayer(rid, ssrc, codec.clockRate);
      this.#layers.set(rid, layer);
    }
    const media = layer.receive(packet, codec, extensions, performance.now());
    if (media === undefined) return;
    for (const sink of this.#sinks) sink.packet(media, layer);
  }

  // RFC 4588 s4: the original sequence number, then the original payload; padding has neither.
  #repair(
    packet: RtpPacket,
    codec: RTCRtpCodecParameters,
    rid: string,
    extensions: ReadonlyMap<string, Buffer>,
  ): void {
    const layer = this.#layers.get(rid);
    const repaired = this.codecs.find(
      ({ payloadType }) => formatParameter(codec, "apt") === String(payloadType),
    );
    if (layer === undefined || repaired === undefined || packet.payload.length <= 2) return;
    layer.rtxSsrc = packet.header.ssrc;
    const original = unwrapRtx(packet, repaired.payloadType, layer.ssrc);
    this.#take(original, repaired, rid, extensions);
  }
}

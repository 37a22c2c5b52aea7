import type { RTCRtpCodecParameters, RtpPacket } from "werift";
import { BitrateMeter } from "./bitrate-meter.ts";
import { beginsKeyframe } from "./keyframe.ts";
import { Reception } from "./reception.ts";

/** A packet of a publisher, as downlinks take it. */
export interface MediaPacket {
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
  readonly codec: RTCRtpCodecParameters;
  /** A stream can be taken up here. */
  readonly entry: boolean;
  /** Values of header extensions that are passed on, by URI. */
  readonly extensions: ReadonlyMap<string, Buffer>;
}

/** What a publisher's sender report says: when, by its own clock, a timestamp was (RFC 3550 s6.4.1). */
export interface SenderClock {
  readonly ntpTimestamp: bigint;
  readonly rtpTimestamp: number;
  readonly atMs: number;
}

/** One encoding of an uplink: all of it, or a layer of a simulcast. */
export class UplinkLayer {
  /** Empty where there is no simulcast. */
  readonly rid: string;
  readonly reception: Reception;
  readonly #meter = new BitrateMeter();
  ssrc: number;
  rtxSsrc: number | undefined;
  clock: SenderClock | undefined;
  askedForKeyframeAtMs = Number.NEGATIVE_INFINITY;

  constructor(rid: string, ssrc: number, clockRate: number) {
    this.rid = rid;
    this.ssrc = ssrc;
    this.reception = new Reception(clockRate);
  }

  bitrateBps(nowMs: number): number {
    return this.#meter.bitrateBps(nowMs);
  }

  /** None for a packet that came already. */
  receive(
    { header, payload }: RtpPacket,
    codec: RTCRtpCodecParameters,
    extensions: ReadonlyMap<string, Buffer>,
    nowMs: number,
  ): MediaPacket | undefined {
    const bytes = header.serializeSize + payload.length;
    this.#meter.add(bytes, nowMs);
    if (!this.reception.receive(header, bytes, nowMs)) return undefined;
    const { sequenceNumber, timestamp, marker } = header;
    const entry = beginsKeyframe(codec.mimeType, payload);
    return { sequenceNumber, timestamp, marker, payload, codec, entry, extensions };
  }
}

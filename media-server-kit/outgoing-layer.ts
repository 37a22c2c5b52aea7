import { randomInt } from "node:crypto";
import { type RTCDtlsTransport, RtcpSenderInfo, RtcpSrPacket, RtpHeader, RtpPacket } from "werift";
import type { Pictures } from "./pictures.ts";

/** What the payloads say of where they come from: a media server that forwards leaves it as it is. */
export const markOf = (publisher: string, rid: string): string => `<kit:${publisher}:${rid}>`;

/** RFC 6716 s3.2.5: one silent frame of 20 ms (code 3, with padding), and the mark as the padding. */
export function silence(mark: string): Buffer {
  return Buffer.concat([
    Buffer.from([0xfb, 0x41, mark.length, 0xff, 0xfe]),
    Buffer.from(mark, "latin1"),
  ]);
}

const PAYLOAD_BYTES = 1_100;

/** RFC 7741 s4.2: X, I and M are set (a picture id of 15 bits); S in the first packet of a picture. */
const descriptor = (first: boolean, pictureId: number): Buffer =>
  Buffer.from([first ? 0x90 : 0x80, 0x80, 0x80 | (pictureId >> 8), pictureId & 0xff]);

/** The payloads of one picture. What follows its last partition is no concern of decoders: there is the mark. */
export function picturePayloads(
  picture: Buffer,
  pictureId: number,
  bytes: number,
  mark: string,
): Buffer[] {
  const padding = Buffer.alloc(Math.max(0, bytes - picture.length - mark.length), 0x55);
  const whole = Buffer.concat([picture, padding]);
  const payloads: Buffer[] = [];
  for (let at = 0; at < whole.length; at += PAYLOAD_BYTES) {
    const part = whole.subarray(at, at + PAYLOAD_BYTES);
    payloads.push(
      Buffer.concat([descriptor(at === 0, pictureId), part, Buffer.from(mark, "latin1")]),
    );
  }
  return payloads;
}

export interface OutgoingLayerShape {
  readonly transport: () => RTCDtlsTransport;
  readonly ssrc: number;
  readonly payloadType: number;
  readonly clockRate: number;
  /** Header extensions of every packet. */
  readonly extensions: readonly { readonly id: number; readonly payload: Buffer }[];
}

/** Packets that can be sent again when they are missing. */
const REMEMBERED = 512;
const NTP_EPOCH_MS = 2_208_988_800_000;

/** One SSRC that the kit sends. */
export class OutgoingLayer {
  readonly ssrc: number;
  readonly #shape: OutgoingLayerShape;
  readonly #sent = new Map<number, RtpPacket>();
  readonly #firstTimestamp = randomInt(0x1_0000_0000);
  readonly #beganMs = performance.now();
  #sequenceNumber = randomInt(0x10000);
  #packets = 0;
  #octets = 0;

  constructor(shape: OutgoingLayerShape) {
    this.#shape = shape;
    this.ssrc = shape.ssrc;
  }

  /** What belongs to one moment; the last packet is marked (RFC 7741 s4.1). */
  send(payloads: readonly Buffer[]): void {
    const timestamp = this.#timestampNow();
    for (const [index, payload] of payloads.entries()) {
      this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
      const header = new RtpHeader({
        sequenceNumber: this.#sequenceNumber,
        timestamp,
        ssrc: this.ssrc,
        payloadType: this.#shape.payloadType,
        marker: index === payloads.length - 1,
        extensions: [...this.#shape.extensions],
        extension: this.#shape.extensions.length > 0,
      });
      const packet = new RtpPacket(header, payload);
      this.#sent.set(this.#sequenceNumber, packet);
      this.#sent.delete((this.#sequenceNumber - REMEMBERED) & 0xffff);
      this.#packets += 1;
      this.#octets += payload.length;
      this.#transmit(packet);
    }
  }

  sendAgain(sequenceNumber: number): void {
    const packet = this.#sent.get(sequenceNumber);
    if (packet !== undefined) this.#transmit(packet);
  }

  /** A sender report (RFC 3550 s6.4.1). */
  report(): void {
    const transport = this.#shape.transport();
    if (transport.state !== "connected" || this.#packets === 0) return;
    const ntpMs = BigInt(Date.now() + NTP_EPOCH_MS);
    const report = new RtcpSrPacket({
      ssrc: this.ssrc,
      senderInfo: new RtcpSenderInfo({
        ntpTimestamp: ((ntpMs / 1000n) << 32n) | (((ntpMs % 1000n) << 32n) / 1000n),
        rtpTimestamp: this.#timestampNow(),
        packetCount: this.#packets,
        octetCount: this.#octets,
      }),
    });
    transport.sendRtcp([report]).catch(() => {});
  }

  #timestampNow(): number {
    const passedMs = performance.now() - this.#beganMs;
    return (this.#firstTimestamp + Math.round((passedMs * this.#shape.clockRate) / 1000)) >>> 0;
  }

  #transmit({ header, payload }: RtpPacket): void {
    const transport = this.#shape.transport();
    if (transport.state === "connected") transport.sendRtp(payload, header).catch(() => {});
  }
}

export interface PictureStreamShape {
  readonly layer: OutgoingLayer;
  readonly pictures: Pictures;
  readonly mark: string;
  readonly bytesPerPicture: number;
}

/** Pictures of one encoding; a key frame only at the beginning and when one is asked for. */
export class PictureStream {
  readonly layer: OutgoingLayer;
  readonly #shape: PictureStreamShape;
  #pictureId = randomInt(0x8000);
  #keyframe = true;

  constructor(shape: PictureStreamShape) {
    this.#shape = shape;
    this.layer = shape.layer;
  }

  requestKeyframe(): void {
    this.#keyframe = true;
  }

  sendPicture(): void {
    const { pictures, bytesPerPicture, mark } = this.#shape;
    const picture = this.#keyframe ? pictures.keyframe : pictures.delta;
    this.#keyframe = false;
    this.#pictureId = (this.#pictureId + 1) & 0x7fff;
    this.layer.send(picturePayloads(picture, this.#pictureId, bytesPerPicture, mark));
  }
}

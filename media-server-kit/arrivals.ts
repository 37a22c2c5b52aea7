import type { RtpPacket } from "werift";

/** A packet that reached a receiver of the kit. */
export interface Arrival {
  readonly atMs: number;
  readonly kind: "audio" | "video";
  readonly ssrc: number;
  readonly sequenceNumber: number;
  readonly payloadType: number;
  readonly bytes: number;
  /** It begins a key frame. */
  readonly keyframe: boolean;
  /** Of a retransmission: what it repeats (RFC 4588 s4). */
  readonly repairs: number | undefined;
  /** Who publishes it, and in which layer: of a media server that leaves payloads as they are. */
  readonly publisher: string | undefined;
  readonly rid: string | undefined;
}

const MARK = /<kit:([^:>]*):([^:>]*)>$/;

/** RFC 7741 s4.2 and s4.3: after the descriptor of a picture's first packet, bit 0 is 0 for a key frame. */
function beginsKeyframe(payload: Buffer): boolean {
  const [first = 0, extension = 0, pictureId = 0] = payload;
  if ((first & 0x17) !== 0x10) return false;
  let length = 1;
  if (first & 0x80) {
    length += 1;
    if (extension & 0x80) length += pictureId & 0x80 ? 2 : 1;
    if (extension & 0x40) length += 1;
    if (extension & 0x30) length += 1;
  }
  return ((payload[length] ?? 1) & 1) === 0;
}

export function readArrival(
  { header, payload }: RtpPacket,
  {
    kind,
    repairs,
    atMs,
  }: { readonly kind: Arrival["kind"]; readonly repairs: boolean; readonly atMs: number },
): Arrival {
  const tail = payload.subarray(Math.max(0, payload.length - 64)).toString("latin1");
  const [, publisher, rid] = MARK.exec(tail) ?? [];
  return {
    atMs,
    kind,
    ssrc: header.ssrc,
    sequenceNumber: header.sequenceNumber,
    payloadType: header.payloadType,
    bytes: payload.length,
    keyframe: kind === "video" && !repairs && beginsKeyframe(payload),
    repairs: repairs && payload.length > 2 ? payload.readUInt16BE(0) : undefined,
    publisher,
    rid: rid === "" ? undefined : rid,
  };
}

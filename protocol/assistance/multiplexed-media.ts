import type { AssistedSection, WireFormat } from "./assisted.ts";

/** TS 29.514 MpxMediaInfo: tells one m-section from others on its 5-tuple. */
export interface MpxMediaInfo {
  readonly ssrcId?: number;
  readonly payloadType?: number;
  /** The mid. */
  readonly identificationTag?: string;
  /** Id of the header extension that has the mid. */
  readonly rtpSdesHdrExtId?: number;
}

/** Of both directions; empty for data, which has no RTP. */
export interface MultiplexedMedia {
  readonly uplink: readonly MpxMediaInfo[];
  readonly downlink: readonly MpxMediaInfo[];
}

/**
 * What tells the packets of a section: one entry per payload type, with the mid and the header extension that carries it,
 * and the SSRC where only one can send that type (TS 26.113 10.3.4). Between two UEs both directions list the same.
 *
 * A direction that is switched off has a filter, which would take what others send there, if nothing told its packets.
 */
export function multiplexedMediaOf(
  { mid, uplink, downlink, idleUplink, idleDownlink }: AssistedSection,
  isBetweenUes: boolean,
): MultiplexedMedia {
  const [up, down] = [infosOf(uplink ?? idleUplink, mid), infosOf(downlink ?? idleDownlink, mid)];
  if (!isBetweenUes) return { uplink: up, downlink: down };
  const both = new Map([...up, ...down].map((info) => [JSON.stringify(info), info]));
  const all = [...both.values()];
  return { uplink: all, downlink: all };
}

function infosOf(format: WireFormat | undefined, mid: string): readonly MpxMediaInfo[] {
  if (!format) return [];
  const { payloadTypes, ssrcByPayloadType = {}, midExtension } = format;
  const tag = {
    ...(mid === "" ? {} : { identificationTag: mid }),
    ...(mid === "" || midExtension === undefined ? {} : { rtpSdesHdrExtId: midExtension }),
  };
  // Without a codec that both ends have.
  if (payloadTypes.length === 0) return mid === "" ? [] : [tag];
  return payloadTypes.map((payloadType) => ({
    ...(ssrcByPayloadType[payloadType] === undefined
      ? {}
      : { ssrcId: ssrcByPayloadType[payloadType] }),
    payloadType,
    ...tag,
  }));
}

import type { Flow } from "../flow.ts";
import { parametersOf } from "../flows/codec-configuration.ts";
import { bpsOfCt, lowestOf } from "../flows/flow-limits.ts";
import { usualRate } from "../flows/usual-rate.ts";
import type { Section, SessionPart } from "../sdp/section.ts";

/**
 * What a stream may take on the wire at most, bits per second, IP and UDP headers included and RTCP not (TS 26.114 A.6.1):
 * the lower of what the receiver's description says and of what was asked for by peers and the application, and of the
 * stream's share of a ceiling of the session or of a peer. What the network itself recommends does not count: asked for
 * less because it gave less, it would never give more again.
 */

/** IPv6 and UDP: IPv4 has fewer, but a rate that depends on the path would change whenever that becomes known. */
const IP_UDP_OCTETS = 40 + 8;
const RTP_OCTETS = 12;

/** RFC 3551 s4.2: an audio packet has 20 ms. */
const AUDIO_PACKETS = 50;

/** Of video: what fits every path, less headers. */
const PAYLOAD_OCTETS = 1200;

const MAX_PACKETS_PER_SECOND = 100_000;

/** `a=maxprate:40.5`: packets per second (RFC 3890 s6.3). */
function maxPacketRate({ attributes }: Pick<Section, "attributes">): number | undefined {
  const value = attributes.get("maxprate")?.at(-1)?.value.trim() ?? "";
  const isRate = /^\d{1,6}(?:\.\d{1,6})?$/.test(value) && Number(value) <= MAX_PACKETS_PER_SECOND;
  return isRate ? Number(value) : undefined;
}

/** A rate above UDP as one on the wire (RFC 3890 s6.4). */
function onWire(bps: number, packetRate: number, octets = IP_UDP_OCTETS): number {
  return Math.ceil(bps + packetRate * octets * 8);
}

const packetsOf = (kind: Flow["kind"], bps: number): number =>
  kind === "audio" ? AUDIO_PACKETS : bps / (PAYLOAD_OCTETS * 8);

/** TIAS goes before AS (RFC 3890 s6.4), which has the headers in it; then what the codec is configured to. */
function describedBps(
  { kind, codecs, limits: { receiverTias, receiverAs } }: Flow,
  receiver: Section,
): number | undefined {
  const packets = (bps: number): number => maxPacketRate(receiver) ?? packetsOf(kind, bps);
  if (receiverTias !== undefined) return onWire(receiverTias, packets(receiverTias));
  if (receiverAs !== undefined) return receiverAs * 1000;
  const codec = codecs.find(({ role }) => role === "primary");
  const isSaid = codec !== undefined && Number(parametersOf(codec).get("maxaveragebitrate")) > 0;
  return isSaid ? onWire(usualRate({ codecs }), AUDIO_PACKETS) : undefined;
}

/** Undefined where nothing says anything. `receiver` is its section of the description of the stream's receiver. */
export function maxBpsOf(flow: Flow, receiver: Section): number | undefined {
  const { kind, limits } = flow;
  const carried = (bps: number | undefined, octets = IP_UDP_OCTETS): number | undefined =>
    bps === undefined ? undefined : onWire(bps, packetsOf(kind, bps), octets);
  const isShare = limits.source === "session" || limits.source === "peer";
  return lowestOf([
    { bps: describedBps(flow, receiver), source: "tias" },
    // RFC 8851 s5: of the payload alone.
    { bps: carried(limits.layersBps, IP_UDP_OCTETS + RTP_OCTETS), source: "layers" },
    // maxBitrate of the W3C is a TIAS.
    { bps: carried(limits.requestedBps), source: "request" },
    { bps: isShare ? carried(limits.effectiveBps) : undefined, source: "session" },
  ])?.bps;
}

/** What the session part of a receiver's description allows all sections together, bits per second. */
export function sessionBpsOf(session: SessionPart): number | undefined {
  const said = (wanted: string): number | undefined =>
    session.bandwidths.findLast(({ type }) => type === wanted)?.value;
  const [tias, as, ct] = [said("TIAS"), said("AS"), said("CT")];
  const ofTias =
    tias === undefined
      ? undefined
      : onWire(tias, maxPacketRate(session) ?? packetsOf("video", tias));
  return lowestOf([
    { bps: ofTias ?? (as === undefined ? undefined : as * 1000), source: "tias" },
    { bps: ct === undefined ? undefined : bpsOfCt(ct), source: "ct" },
  ])?.bps;
}

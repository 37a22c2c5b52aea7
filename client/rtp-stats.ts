import type { Flow } from "../protocol/flow.ts";

/** The members of getStats entries read of flows (W3C webrtc-stats); TypeScript's DOM lacks several. */
export interface RtpStat {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
  readonly mid?: string;
  readonly rid?: string;
  readonly ssrc?: number;
  readonly rtxSsrc?: number;
  readonly fecSsrc?: number;
  readonly codecId?: string;
  readonly localId?: string;
  readonly payloadType?: number;
  readonly bytesSent?: number;
  readonly headerBytesSent?: number;
  readonly packetsSent?: number;
  readonly bytesReceived?: number;
  readonly headerBytesReceived?: number;
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly jitter?: number;
  readonly roundTripTime?: number;
  readonly framesPerSecond?: number;
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  readonly qualityLimitationReason?: "none" | "cpu" | "bandwidth" | "other";
}

export type RtpStats = ReadonlyMap<string, RtpStat>;

/** What getStats says of a connection. */
export async function rtpStatsOf(connection: RTCPeerConnection): Promise<RtpStats> {
  return (await connection.getStats()) as RtpStats;
}

/** The entries that are about a flow, `sent` or received by this side: of simulcast, one per layer. */
export function statsOfFlow(stats: RtpStats, flow: Flow, sent: boolean): RtpStat[] {
  return [...stats.values()].filter((stat) => carries(stat, flow, sent));
}

function carries({ type, mid, ssrc }: RtpStat, flow: Flow, sent: boolean): boolean {
  if (flow.kind === "data") return type === "data-channel";
  if (type !== (sent ? "outbound-rtp" : "inbound-rtp")) return false;
  if (mid !== undefined) return mid === flow.mid;
  return flow.sources.some((source) => source.ssrc === ssrc);
}

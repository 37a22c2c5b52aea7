import type { FlowSummary } from "../protocol/flow-summary.ts";
import { midsBySsrc } from "./sections.ts";

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
  readonly retransmittedBytesSent?: number;
  readonly retransmittedBytesReceived?: number;
  readonly framesEncoded?: number;
  readonly framesDecoded?: number;
  readonly framesRendered?: number;
  readonly freezeCount?: number;
  readonly totalFreezesDuration?: number;
  readonly totalInterFrameDelay?: number;
  readonly totalSquaredInterFrameDelay?: number;
  readonly totalProcessingDelay?: number;
  readonly concealmentEvents?: number;
  readonly concealedSamples?: number;
  readonly silentConcealedSamples?: number;
  readonly totalSamplesReceived?: number;
  readonly totalSamplesDuration?: number;
  readonly jitterBufferDelay?: number;
  readonly jitterBufferEmittedCount?: number;
  readonly estimatedPlayoutTimestamp?: number;
}

export type RtpStats = ReadonlyMap<string, RtpStat>;

const isNameless = ({ type, mid }: RtpStat): boolean =>
  mid === undefined && (type === "outbound-rtp" || type === "inbound-rtp");

/** What getStats says of a connection. Browsers that leave out the mids of streams have announced their SSRCs. */
export async function rtpStatsOf(connection: RTCPeerConnection): Promise<RtpStats> {
  const stats = (await connection.getStats()) as RtpStats;
  if (![...stats.values()].some(isNameless)) return stats;
  const sent = midsBySsrc(connection.currentLocalDescription?.sdp);
  const received = midsBySsrc(connection.currentRemoteDescription?.sdp);
  const named = (stat: RtpStat): RtpStat => {
    const mids = stat.type === "outbound-rtp" ? sent : received;
    const mid = isNameless(stat) ? mids.get(stat.ssrc ?? -1) : undefined;
    return mid === undefined ? stat : { ...stat, mid };
  };
  return new Map([...stats].map(([id, stat]) => [id, named(stat)]));
}

/** The entries that are about a flow, `sent` or received by this side: of simulcast, one per layer. */
export function statsOfFlow(stats: RtpStats, flow: FlowSummary, sent: boolean): RtpStat[] {
  return [...stats.values()].filter((stat) => carries(stat, flow, sent));
}

function carries({ type, mid }: RtpStat, flow: FlowSummary, sent: boolean): boolean {
  if (flow.kind === "data") return type === "data-channel";
  return type === (sent ? "outbound-rtp" : "inbound-rtp") && mid === flow.mid;
}

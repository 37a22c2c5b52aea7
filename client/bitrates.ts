import type { Flow } from "../protocol/flow.ts";

interface Sample {
  readonly bytes: number;
  readonly timeMs: number;
}

/** The members of getStats entries read here (W3C webrtc-stats). */
interface RtpStat {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
  readonly mid?: string;
  readonly ssrc?: number;
  readonly bytesSent?: number;
  readonly headerBytesSent?: number;
  readonly bytesReceived?: number;
  readonly headerBytesReceived?: number;
}

/** Bytes of RTP, headers included, without transport overhead. */
function bytesOf(stat: RtpStat, sent: boolean): number {
  return sent
    ? (stat.bytesSent ?? 0) + (stat.headerBytesSent ?? 0)
    : (stat.bytesReceived ?? 0) + (stat.headerBytesReceived ?? 0);
}

/** Bit rates of a link's flows, from the difference between two looks at its statistics. */
export class Bitrates {
  #samples = new Map<string, Sample>();

  /**
   * Bits per second by flow id since the look before; flows seen for the first time are not in it. `self` is
   * the peer whose connection this is.
   */
  async measure(
    connection: RTCPeerConnection,
    self: string,
    flows: readonly Flow[],
  ): Promise<Map<string, number>> {
    const stats = [...((await connection.getStats()) as ReadonlyMap<string, RtpStat>).values()];
    const samples = new Map<string, Sample>();
    const rates = new Map<string, number>();
    for (const flow of flows) {
      const sent = flow.from === self;
      for (const stat of stats.filter((one) => carries(one, flow, sent))) {
        const key = `${stat.type} ${stat.id} ${sent}`;
        const sample = { bytes: bytesOf(stat, sent), timeMs: stat.timestamp };
        samples.set(key, sample);
        const rate = rateBetween(this.#samples.get(key), sample);
        if (rate !== undefined) rates.set(flow.id, (rates.get(flow.id) ?? 0) + rate);
      }
    }
    this.#samples = samples;
    return rates;
  }
}

function carries({ type, mid, ssrc }: RtpStat, flow: Flow, sent: boolean): boolean {
  if (flow.kind === "data") return type === "data-channel";
  if (type !== (sent ? "outbound-rtp" : "inbound-rtp")) return false;
  if (mid !== undefined) return mid === flow.mid;
  return flow.sources.some((source) => source.ssrc === ssrc);
}

function rateBetween(before: Sample | undefined, now: Sample): number | undefined {
  if (before === undefined || now.timeMs <= before.timeMs) return undefined;
  return Math.max(0, ((now.bytes - before.bytes) * 8000) / (now.timeMs - before.timeMs));
}

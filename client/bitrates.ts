import type { Flow } from "../protocol/flow.ts";
import { type RtpStat, type RtpStats, statsOfFlow } from "./rtp-stats.ts";

interface Sample {
  readonly bytes: number;
  readonly timeMs: number;
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
  measure(stats: RtpStats, self: string, flows: readonly Flow[]): Map<string, number> {
    const samples = new Map<string, Sample>();
    const rates = new Map<string, number>();
    for (const flow of flows) {
      const sent = flow.from === self;
      for (const stat of statsOfFlow(stats, flow, sent)) {
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

function rateBetween(before: Sample | undefined, now: Sample): number | undefined {
  if (before === undefined || now.timeMs <= before.timeMs) return undefined;
  return Math.max(0, ((now.bytes - before.bytes) * 8000) / (now.timeMs - before.timeMs));
}

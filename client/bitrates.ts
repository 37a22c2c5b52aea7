import type { FlowSummary } from "../protocol/flow-summary.ts";
import { type RtpStat, type RtpStats, statsOfFlow } from "./rtp-stats.ts";

interface Sample {
  readonly bytes: number;
  readonly timeMs: number;
}

/** Bytes of RTP, headers included, without transport overhead. */
export function bytesOf(stat: RtpStat, sent: boolean): number {
  return sent
    ? (stat.bytesSent ?? 0) + (stat.headerBytesSent ?? 0)
    : (stat.bytesReceived ?? 0) + (stat.headerBytesReceived ?? 0);
}

const keyOf = ({ type, id }: RtpStat, sent: boolean): string => `${type} ${id} ${sent}`;

/** Data channels go both ways. */
const STREAMS = ["outbound-rtp", "inbound-rtp", "data-channel"];

function samplesOf(stats: RtpStats): Map<string, Sample> {
  const streams = [...stats.values()].filter(({ type }) => STREAMS.includes(type));
  return new Map(
    streams.flatMap((stat) =>
      [true, false].map(
        (sent) =>
          [keyOf(stat, sent), { bytes: bytesOf(stat, sent), timeMs: stat.timestamp }] as const,
      ),
    ),
  );
}

/** Bit rates of a link's flows, from the difference between two looks at its statistics. */
export class Bitrates {
  #samples: ReadonlyMap<string, Sample> = new Map();

  /**
   * Bits per second by flow id since the look before; flows whose media was not there then are not in it. `self` is
   * the peer whose connection this is.
   */
  measure(stats: RtpStats, self: string, flows: readonly FlowSummary[]): Map<string, number> {
    // Of all streams: media runs a little before the server has told of its flow.
    const samples = samplesOf(stats);
    const rates = new Map<string, number>();
    for (const flow of flows) {
      const sent = flow.from === self;
      for (const stat of statsOfFlow(stats, flow, sent)) {
        const key = keyOf(stat, sent);
        const rate = rateBetween(this.#samples.get(key), samples.get(key));
        if (rate !== undefined) rates.set(flow.id, (rates.get(flow.id) ?? 0) + rate);
      }
    }
    this.#samples = samples;
    return rates;
  }
}

function rateBetween(before: Sample | undefined, now: Sample | undefined): number | undefined {
  // A stream that counts anew has not stood still.
  if (!before || !now || now.timeMs <= before.timeMs || now.bytes < before.bytes) return undefined;
  return ((now.bytes - before.bytes) * 8000) / (now.timeMs - before.timeMs);
}

import type { Flow } from "../../protocol/flow.ts";
import type { FlowQuality } from "../../protocol/flow-quality.ts";

/** What was measured of a flow at one time; what nobody measured is absent. */
export interface Sample {
  /** Milliseconds from the start of the session. */
  readonly at: number;
  /** Bits per second, as its sender and as its receiver measure them. */
  readonly sentBps?: number;
  readonly receivedBps?: number;
  /** Packets lost since the sample before, in percent of those that were sent. */
  readonly lossPercent?: number;
  readonly jitterMs?: number;
  readonly roundTripMs?: number;
  readonly framesPerSecond?: number;
}

export type Metric = Exclude<keyof Sample, "at" | "sentBps" | "receivedBps"> | "bitrateBps";

/** An hour of reports that come every five seconds, from both ends. */
const MOST = 1_440;

interface Series {
  samples: Sample[];
  /** As reported last, to see what is new. */
  readonly last: Map<string, string>;
  lost: number;
  packets: number;
}

/** The quality of every flow over the time that this page looks on: the server keeps the newest reports only. */
export class Samples {
  readonly #series = new Map<string, Series>();

  of(flow: string): readonly Sample[] {
    return this.#series.get(flow)?.samples ?? [];
  }

  /** Takes what is new in a record; true where something was. */
  take(flow: Flow, at: number): boolean {
    const series = this.#seriesOf(flow.id);
    const fresh = Object.entries(flow.quality ?? {}).filter(([peer, quality]) => {
      const text = JSON.stringify(quality);
      if (series.last.get(peer) === text) return false;
      series.last.set(peer, text);
      return true;
    });
    if (fresh.length === 0) return false;
    // The clock is set by what the server says of it: no line runs backwards for that.
    const time = Math.max(at, series.samples.at(-1)?.at ?? 0);
    for (const [peer, quality] of fresh) {
      const sample = sampleOf(flow, peer, quality, time, series);
      series.samples.push(sample);
      if (series.samples.length > MOST) series.samples = series.samples.slice(-MOST);
    }
    return true;
  }

  #seriesOf(flow: string): Series {
    const known = this.#series.get(flow);
    if (known !== undefined) return known;
    const series: Series = { samples: [], last: new Map(), lost: 0, packets: 0 };
    this.#series.set(flow, series);
    return series;
  }
}

function sampleOf(
  flow: Flow,
  reporter: string,
  quality: FlowQuality,
  at: number,
  series: Series,
): Sample {
  const { bitrateBps, jitterMs, roundTripMs, framesPerSecond } = quality;
  const isSender = reporter === flow.from;
  const lossPercent = isSender ? undefined : lossOf(quality, series);
  return {
    at,
    ...(bitrateBps !== undefined &&
      (isSender ? { sentBps: bitrateBps } : { receivedBps: bitrateBps })),
    ...(lossPercent !== undefined && { lossPercent }),
    ...(jitterMs !== undefined && { jitterMs }),
    ...(roundTripMs !== undefined && { roundTripMs }),
    ...(framesPerSecond !== undefined && { framesPerSecond }),
  };
}

/** Counters grow; what is shown is what they grew by. */
function lossOf({ packets, packetsLost }: FlowQuality, series: Series): number | undefined {
  if (packets === undefined || packetsLost === undefined) return undefined;
  const came = packets - series.packets;
  const lost = packetsLost - series.lost;
  series.packets = packets;
  series.lost = packetsLost;
  // A counter that fell belongs to another source.
  if (came < 0 || came + lost <= 0) return undefined;
  return (100 * Math.max(0, lost)) / (came + Math.max(0, lost));
}

/** The points of one metric: `[at, value]`, oldest first. */
export function pointsOf(
  samples: readonly Sample[],
  metric: keyof Sample,
): readonly (readonly [number, number])[] {
  return samples.flatMap((sample) => {
    const value = sample[metric];
    return value === undefined ? [] : [[sample.at, value] as const];
  });
}

/** What runs now, as its receiver sees it, else its sender: bits per second. */
export function bitrateOf(flow: Flow): number {
  if (flow.state !== "active") return 0;
  const reports = Object.entries(flow.quality ?? {});
  const received = reports.find(([peer]) => peer === flow.to)?.[1].bitrateBps;
  return received ?? reports.find(([peer]) => peer === flow.from)?.[1].bitrateBps ?? 0;
}

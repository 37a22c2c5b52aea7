import type { QualityReport } from "../protocol/message-parts.ts";

/** What was lost of a received flow, from one look to the next. */
export interface LossWatch {
  readonly packets: number;
  readonly lost: number;
  /** So much was lost since the look before that it is heard or seen. */
  readonly isLossy: boolean;
  /** Looks since that last began or ended. */
  readonly looks: number;
  /** Reports that are still to be made of it. */
  readonly due: number;
}

/** Of what was sent; the server speaks of it from a tenth on. */
const LOSSY_PART = 0.05;
/** Of a few packets one may always be late. */
const LEAST_LOST = 3;

const UNSEEN: LossWatch = { packets: 0, lost: 0, isLossy: false, looks: 1, due: 0 };

/** What came between two reports is what counts, so the second one is the first that is about nothing else. */
const REPORTS = 2;

/**
 * After another look at the counters of a flow. That loss has begun, or ended, is news. While it goes on, it is told again
 * every `repeat` looks, because what is old is not believed.
 */
export function watched(
  { packets = 0, packetsLost = 0 }: Pick<QualityReport, "packets" | "packetsLost">,
  repeat: number,
  before: LossWatch = UNSEEN,
): LossWatch {
  const came = Math.max(0, packets - before.packets);
  const lost = packetsLost - before.lost;
  const isLossy = lost >= LEAST_LOST && lost >= LOSSY_PART * (came + lost);
  const looks = isLossy === before.isLossy ? before.looks + 1 : 0;
  const isRepeated = isLossy && looks % repeat === 0;
  const due = looks === 0 ? REPORTS : Math.max(before.due, isRepeated ? 1 : 0);
  return { packets, lost: packetsLost, isLossy, looks, due };
}

/** After a report was made. */
export const toldOf = (watch: LossWatch): LossWatch => ({
  ...watch,
  due: Math.max(0, watch.due - 1),
});

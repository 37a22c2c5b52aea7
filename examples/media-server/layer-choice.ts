/** A layer of a simulcast as it comes in now. */
export interface MeasuredLayer {
  readonly rid: string;
  /** Zero while nothing comes: a sender short of bandwidth switches its best layers off. */
  readonly bitrateBps: number;
}

export interface LayerLimits {
  readonly maxBitrateBps?: number | undefined;
  /** The layer forwarded now. */
  readonly current?: string | undefined;
}

/** A layer is only left for a better one that leaves this much of the limit free: rates sway. */
const UPWARDS = 0.9;

/**
 * The best layer that fits the limit, or the smallest one where none does: a receiver that asks for very
 * little still gets a picture. None while no layer comes in.
 */
export function chooseLayer(
  layers: readonly MeasuredLayer[],
  { maxBitrateBps = Number.POSITIVE_INFINITY, current }: LayerLimits,
): string | undefined {
  const live = layers
    .filter(({ bitrateBps }) => bitrateBps > 0)
    .toSorted((a, b) => b.bitrateBps - a.bitrateBps);
  const fitting = live.find(({ rid, bitrateBps }) =>
    rid === current ? bitrateBps <= maxBitrateBps : bitrateBps <= maxBitrateBps * UPWARDS,
  );
  return (fitting ?? live.at(-1))?.rid;
}

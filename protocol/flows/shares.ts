/** A rate that several flows draw on together, bits per second. */
export interface Pool {
  readonly bps: number;
}

/** One that draws on pools. Rates are bits per second; Infinity: whatever there is. */
export interface Claim {
  /** More than this it never gets. */
  readonly capBps: number;
  /** More than this it gets only of what nobody else needs. */
  readonly needBps: number;
  readonly weight: number;
  readonly pools: readonly Pool[];
}

/** What each claim gets, and what is left in each pool: whole bits per second. */
export interface Shares<C> {
  readonly rates: ReadonlyMap<C, number>;
  readonly left: ReadonlyMap<Pool, number>;
}

interface Want<C> {
  readonly claim: C;
  readonly bps: number;
}

/**
 * Shares pools out by weighted max-min: nobody gets more than it can use, and what one could have more of is
 * only what others with a smaller share for their weight would lose. Needs come first. No pool is overdrawn,
 * and none is left with anything while a claim on it could use more and is not held back by another pool.
 *
 * The order of the claims decides about single bits per second alone.
 */
export function sharedOut<C extends Claim>(claims: readonly C[]): Shares<C> {
  const rates = new Map(claims.map((claim) => [claim, 0]));
  const left = new Map(claims.flatMap(({ pools }) => pools.map((pool) => [pool, pool.bps])));
  const grant = ({ claim, bps }: Want<C>): void => {
    rates.set(claim, rateIn(rates, claim) + bps);
    for (const pool of claim.pools) left.set(pool, rateIn(left, pool) - bps);
  };
  const more = (claim: C): number => claim.capBps - rateIn(rates, claim);
  fill(
    wants(claims, ({ capBps, needBps }) => Math.min(capBps, needBps)),
    left,
    grant,
  );
  fill(wants(claims, more), left, grant);
  // What rounding down left over.
  for (const claim of claims) {
    const free = Math.min(...claim.pools.map((pool) => rateIn(left, pool)));
    grant({ claim, bps: Math.min(more(claim), free) });
  }
  return { rates, left };
}

const wants = <C extends Claim>(claims: readonly C[], bpsOf: (claim: C) => number) =>
  claims.map((claim): Want<C> => ({ claim, bps: bpsOf(claim) })).filter(({ bps }) => bps > 0);

/** Of all keys there is a rate from the start. */
const rateIn = <K>(rates: ReadonlyMap<K, number>, key: K): number => rates.get(key) as number;

/**
 * Raises the share of all by their weights until a claim has what it wants or a pool is used up; these are
 * settled, and the others go on rising.
 */
function fill<C extends Claim>(
  wanted: readonly Want<C>[],
  left: ReadonlyMap<Pool, number>,
  grant: (share: Want<C>) => void,
): void {
  let open = wanted;
  while (open.length > 0) {
    const levels = levelsOf(open, left);
    let lowest = Number.POSITIVE_INFINITY;
    for (const level of levels.values()) lowest = Math.min(lowest, level);
    const content = open.filter(({ claim, bps }) => bps <= claim.weight * lowest);
    const settled = content.length > 0 ? content : drained(open, levels, lowest);
    settled.forEach(grant);
    const claims = new Set(settled.map(({ claim }) => claim));
    open = open.filter(({ claim }) => !claims.has(claim));
  }
}

/** How far each pool reaches, bits per second for a weight of 1. */
function levelsOf<C extends Claim>(
  open: readonly Want<C>[],
  left: ReadonlyMap<Pool, number>,
): ReadonlyMap<Pool, number> {
  const weights = new Map<Pool, number>();
  for (const { claim } of open) {
    for (const pool of claim.pools) weights.set(pool, (weights.get(pool) ?? 0) + claim.weight);
  }
  return new Map([...weights].map(([pool, weight]) => [pool, rateIn(left, pool) / weight]));
}

/** The claims on the pools that reach no further, with what they get there. */
const drained = <C extends Claim>(
  open: readonly Want<C>[],
  levels: ReadonlyMap<Pool, number>,
  lowest: number,
): readonly Want<C>[] =>
  open
    .filter(({ claim }) => claim.pools.some((pool) => levels.get(pool) === lowest))
    .map(({ claim }) => ({ claim, bps: Math.floor(claim.weight * lowest) }));

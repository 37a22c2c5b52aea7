/** How the waits of a series of retries grow. */
export interface BackoffShape {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** The wait before retry number `attempt` (from 0): doubling, capped, with half of it random. */
export function backoffMs(attempt: number, { firstMs, mostMs }: BackoffShape): number {
  const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 16));
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

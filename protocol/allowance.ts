/** A token bucket as a value: survives eviction in a socket's attachment (S7). */
export interface Allowance {
  readonly left: number;
  /** When `left` was true, milliseconds since 1970. */
  readonly at: number;
}

export interface AllowanceRule {
  readonly burst: number;
  readonly perSecond: number;
}

/** Takes one from the allowance; null when nothing is left. */
export function spend(
  allowance: Allowance | undefined,
  rule: AllowanceRule,
  at: number,
): Allowance | null {
  const elapsedMs = Math.max(0, at - (allowance?.at ?? at));
  const refilled = (allowance?.left ?? rule.burst) + (elapsedMs / 1000) * rule.perSecond;
  const left = Math.min(rule.burst, refilled) - 1;
  return left < 0 ? null : { left, at };
}

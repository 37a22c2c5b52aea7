/** A token bucket as a value: survives eviction in a socket's attachment (S7). */
export interface Allowance {
  readonly left: number;
  /** When `left` was true, milliseconds since 1970. */
  readonly at: number;
}

/** What one socket may still spend; absent is full. */
export interface Allowances {
  readonly messages?: Allowance;
  readonly problems?: Allowance;
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
  const left = levelOf(allowance, rule, at) - 1;
  return left < 0 ? null : { left, at };
}

/** What is left of an allowance by now. */
export function levelOf(allowance: Allowance | undefined, rule: AllowanceRule, at: number): number {
  if (!allowance) return rule.burst;
  const elapsedMs = Math.max(0, at - allowance.at);
  return Math.min(rule.burst, allowance.left + (elapsedMs / 1000) * rule.perSecond);
}

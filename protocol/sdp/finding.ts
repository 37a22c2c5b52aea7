/** What a rule of `docs/rules.md` found in a description. Never holds passwords, keys or candidates (D2). */
export interface SdpFinding {
  /** Id of the rule, such as `mid-duplicate`. */
  readonly rule: string;
  readonly level: "error" | "warning" | "info";
  readonly description?: "offer" | "answer" | "pair";
  /** Line number from 1; in a finding about a pair, a line of the answer. */
  readonly line?: number;
  /** Index of the m-section from 0. */
  readonly mLine?: number;
  readonly mid?: string;
  readonly message: string;
  /** The clause that the rule comes from. */
  readonly source: string;
}

/** Tells a finding from a description that could be read. */
export function isFinding(read: object): read is SdpFinding {
  return "rule" in read && "level" in read && "source" in read;
}

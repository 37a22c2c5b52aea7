/** How much a finding weighs: an error refuses the description, the others are told and recorded (D1). */
export type Level = "error" | "warning" | "info";

/** What a rule found in a description. Never holds passwords, keys or full candidates (D2). */
export interface SdpFinding {
  /** Id of the rule, such as `mid-duplicate`: `docs/sdp-rules.md` lists them. */
  readonly rule: string;
  readonly level: Level;
  /** `pair` when the two do not fit each other; a finding about the history is one of the newest description. */
  readonly description?: "offer" | "answer" | "pair" | undefined;
  /** Line number from 1; in a finding about a pair, a line of the answer. */
  readonly line?: number | undefined;
  /** Index of the m-section from 0. */
  readonly mLine?: number | undefined;
  readonly mid?: string | undefined;
  /** What is wrong and what to do about it. */
  readonly message: string;
  /** The clause that the rule comes from. */
  readonly source: string;
}

/** Tells a finding from a description that could be read. */
export function isFinding(read: object): read is SdpFinding {
  return "rule" in read && "level" in read && "source" in read;
}

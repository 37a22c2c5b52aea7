import type { TimelineEntry } from "../timeline/entry.ts";
import { CAUSES, type Cause } from "./causes.ts";
import { type NamesOf, sentenceOf } from "./sentence.ts";

/** What is thought of a link, or of a session, before it is told whose it is. */
export interface Judgement {
  readonly state: "waiting" | "connecting" | "working" | "degraded" | "failed" | "over";
  readonly cause?: Cause;
  readonly says: string;
  readonly evidence: readonly Evidence[];
  readonly advice?: string;
}

export interface Evidence {
  readonly says: string;
  /** Milliseconds from the start of the session. */
  readonly at?: number;
  /** Number of an entry of the timeline. */
  readonly entry?: number;
  /** Id of an SDP rule. */
  readonly finding?: string;
  readonly flow?: string;
}

/** Nothing is wrong, or not yet. */
export const plain = (
  state: Judgement["state"],
  says: string,
  evidence: readonly Evidence[] = [],
): Judgement => ({ state, says, evidence });

/** What the table says of a cause. */
export const caused = <C extends Cause>(
  state: Judgement["state"],
  cause: C,
  names: NamesOf<C>,
  evidence: readonly Evidence[],
): Judgement => ({
  state,
  cause,
  says: sentenceOf(cause, names),
  evidence,
  advice: CAUSES[cause].advice,
});

/** An entry of the timeline as evidence. */
export const seen = ({ n, at }: TimelineEntry, says: string): Evidence => ({ says, at, entry: n });

/** Whole seconds of milliseconds, none below 0. */
export const secondsOf = (ms: number): number => Math.max(0, Math.round(ms / 1000));

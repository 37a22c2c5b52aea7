import { type Problem, problem } from "../problem.ts";
import type { Credentials } from "./fragment.ts";

/** What If-Match asks of a session: nothing, that it is there, or one of these ICE generations (strong tags, unquoted). */
export type Condition = "none" | "any" | readonly string[];

/** `"abc"`, `W/"abc"`, and what somebody wrote without quotes. */
const TAG = /(W\/)?"([^"]*)"|([^\s,"]+)/gi;

/**
 * Reads If-Match (RFC 9110 s13.1.1). `"*"` is what figure 4 of RFC 9725 prints for `*`; some clients say `ETag` where
 * they mean If-Match. A weak tag matches nothing, as the comparison is a strong one.
 */
export function conditionOf(ifMatch: string | undefined, etag?: string): Condition {
  const said = [ifMatch, etag].find((value) => value !== undefined && value.trim() !== "");
  if (said === undefined) return "none";
  const members = [...said.matchAll(TAG)].map(([, weak, quoted, bare]) => ({
    tag: quoted ?? String(bare),
    isWeak: weak !== undefined,
  }));
  if (members.some(({ tag, isWeak }) => tag === "*" && !isWeak)) return "any";
  return members.filter(({ isWeak }) => !isWeak).map(({ tag }) => tag);
}

/** Whether the condition holds while this is the tag. */
export function passes(condition: Condition, tag: string): boolean {
  return condition === "any" || (condition !== "none" && condition.includes(tag));
}

/** The ICE generations of an HTTP session. */
export interface Generations {
  /** Entity tag and ufrag of the client in the current generation. */
  readonly tag: string;
  readonly iceUfrag: string;
  /** Of the client, before the current one. */
  readonly retiredUfrags: readonly string[];
  /** The tag before the last restart; absent when there was none. */
  readonly previousTag?: string;
}

/**
 * `trickle`: the candidates belong to the current generation (204). `restart`: a new one begins (200). `repeat`: the
 * restart that began the current one came again, its answer may have been lost; it is answered as before (200).
 */
export type PatchMeaning = "trickle" | "restart" | "repeat";

const anotherGeneration = (): Problem =>
  problem("precondition-failed", "the session is at another ICE generation");

/**
 * What a fragment is to a session (RFC 9725 s4.3). The ufrag tells a restart from trickle: also where If-Match is `*`,
 * which some clients always send, and whatever the password is.
 *
 * Problems: `precondition-required`, `precondition-failed`, `fragment-invalid` for a new ufrag without a password.
 */
export function meaningOf(
  { tag, iceUfrag, retiredUfrags, previousTag }: Generations,
  condition: Condition,
  said: Credentials,
): PatchMeaning | Problem {
  if (condition === "none") {
    return problem("precondition-required", "say in If-Match which ETag the candidates are for");
  }
  const isCurrent = said.iceUfrag === undefined || said.iceUfrag === iceUfrag;
  if (!passes(condition, tag)) {
    // RFC 9110 s13.1.1: a change that appears to be made already may be answered as such.
    const isRepeated =
      previousTag !== undefined && said.iceUfrag === iceUfrag && said.icePwd !== undefined;
    return isRepeated && passes(condition, previousTag) ? "repeat" : anotherGeneration();
  }
  if (isCurrent) return "trickle";
  // Late candidates, sent with `*`, must not take the session back.
  if (retiredUfrags.includes(said.iceUfrag)) return anotherGeneration();
  return said.icePwd === undefined
    ? problem("fragment-invalid", "an ICE restart has ice-ufrag and ice-pwd")
    : "restart";
}

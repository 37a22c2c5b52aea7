import type { Session } from "../protocol/session.ts";
import { type Verdict, verdictsOf } from "../protocol/verdict/verdict.ts";

/** A session with more links is a large one. */
export const JUDGED_LINKS = 64;

/** Everybody who looks at a large session asks again whenever something happens in it, and something always does. */
const RECENT_MS = 2_000;

/** What is thought of a session; of a large one it may have been thought a moment ago, for somebody else. */
export class RecentVerdicts {
  #latest: { readonly at: number; readonly verdicts: readonly Verdict[] } | undefined;

  /** `at` is now, milliseconds since 1970. */
  of(session: Session, at: number): readonly Verdict[] {
    if (session.links.size <= JUDGED_LINKS) return verdictsOf(session, at);
    const known = this.#latest;
    if (known && at >= known.at && at - known.at < RECENT_MS) return known.verdicts;
    const verdicts = verdictsOf(session, at);
    this.#latest = { at, verdicts };
    return verdicts;
  }
}

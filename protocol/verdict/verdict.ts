import { z } from "zod";
import type { Session } from "../session.ts";

/** What became of a link, in plain words, and why it is thought so. */
export const Verdict = z
  .object({
    link: z.string().optional().describe("absent: it is about the session"),
    peers: z.tuple([z.string(), z.string()]).optional(),
    state: z
      .enum(["waiting", "connecting", "working", "degraded", "failed", "over"])
      .describe(
        "waiting: nothing is negotiated yet; connecting: agreed, no path yet; degraded: it runs, not as it should; failed: it did not come up, or broke; over: a peer left",
      ),
    cause: z
      .string()
      .optional()
      .describe("the most likely cause by its name; absent where nothing is wrong"),
    says: z.string().describe("one sentence that a developer understands"),
    evidence: z.array(
      z.object({
        says: z.string(),
        at: z.number().optional().describe("milliseconds from the start of the session"),
        entry: z.int().optional().describe("number of an entry of the timeline"),
        finding: z.string().optional().describe("id of an SDP rule"),
        flow: z.string().optional(),
      }),
    ),
    advice: z.string().optional().describe("what to do about it"),
  })
  .meta({ id: "Verdict" });
export type Verdict = z.infer<typeof Verdict>;

/** One verdict per link that is not forgotten, and one for a session in which nobody met. `at` is now, ms since 1970. */
export function verdictsOf(_session: Session, _at: number): readonly Verdict[] {
  return [];
}

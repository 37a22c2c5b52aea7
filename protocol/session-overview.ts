import { z } from "zod";
import { currentLinksOf, LinkState, linkStateOf, worstOf } from "./link-state.ts";
import { isConnected, type Session } from "./session.ts";
import { Verdict } from "./verdict/verdict.ts";

/** A session at a glance. */
export const SessionOverview = z
  .object({
    id: z.string(),
    createdAt: z.number().describe("milliseconds since 1970"),
    endsAt: z
      .number()
      .optional()
      .describe("nobody is connected: the session ends then, milliseconds since 1970"),
    topology: z.string(),
    peers: z.object({
      connected: z.int(),
      away: z.int().describe("lost, and may come back"),
      observers: z.int().describe("connected, and counted nowhere else"),
    }),
    links: z
      .partialRecord(LinkState, z.int())
      .describe("how many are in each state; a state without any is left out"),
    state: LinkState.optional().describe("of the worst link; absent while there is none"),
    verdict: Verdict.pick({ link: true, state: true, cause: true, says: true })
      .optional()
      .describe("of what is worst, where something is wrong"),
    metadata: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: "SessionOverview" });
export type SessionOverview = z.infer<typeof SessionOverview>;

/** States of a verdict that an operator wants to see, worst first. */
const WRONG = ["failed", "degraded"] as const;

function worstVerdict(verdicts: readonly Verdict[]): SessionOverview["verdict"] {
  const [worst] = WRONG.flatMap((wrong) => verdicts.filter(({ state }) => state === wrong));
  if (!worst) return undefined;
  const { link, state, cause, says } = worst;
  return {
    state,
    says,
    ...(link !== undefined && { link }),
    ...(cause !== undefined && { cause }),
  };
}

/**
 * A session at a glance: who is there, how its links do, what is wrong. `verdicts` are those of `verdictsOf`, or none where
 * that would take too long.
 */
export function overviewOf(session: Session, verdicts: readonly Verdict[]): SessionOverview {
  const { id, createdAt, emptySince, config } = session;
  const peers = [...session.peers.values()];
  const members = peers.filter(({ role }) => role !== "observer");
  const states = currentLinksOf(session).map(linkStateOf);
  const counted = LinkState.options
    .map((state) => [state, states.filter((each) => each === state).length] as const)
    .filter(([, count]) => count > 0);
  const state = worstOf(states);
  const verdict = worstVerdict(verdicts);
  const { topology, metadata, emptyTtlSeconds } = config;
  return {
    id,
    createdAt,
    ...(emptySince !== null && { endsAt: emptySince + emptyTtlSeconds * 1000 }),
    topology,
    peers: {
      connected: members.filter(isConnected).length,
      away: members.filter((peer) => !isConnected(peer)).length,
      observers: peers.filter((peer) => peer.role === "observer" && isConnected(peer)).length,
    },
    links: Object.fromEntries(counted),
    ...(state && { state }),
    ...(verdict && { verdict }),
    ...(metadata && { metadata }),
  };
}

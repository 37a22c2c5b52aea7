import { z } from "zod";
import type { Link, Session } from "./session.ts";

/** How far a link is, by what its ends report of its transports; the words of a verdict, worst last. */
export const LinkState = z
  .enum(["working", "waiting", "connecting", "degraded", "failed"])
  .describe(
    "waiting: nothing is negotiated yet; connecting: agreed, no path yet; degraded: interrupted; failed: it did not come up, or broke",
  );
export type LinkState = z.infer<typeof LinkState>;

const STATE_OF = {
  new: "connecting",
  checking: "connecting",
  connected: "working",
  disconnected: "degraded",
  failed: "failed",
  closed: "working",
} as const satisfies Record<string, LinkState>;

/** The worst of some states; undefined of none. */
export const worstOf = (states: readonly LinkState[]): LinkState | undefined =>
  LinkState.options.findLast((state) => states.includes(state));

/**
 * The state of a link: that of the worst transport that is not closed. `waiting` before the first answer, and where no
 * transport is left.
 */
export function linkStateOf({ inForce, flows }: Pick<Link, "inForce" | "flows">): LinkState {
  if (!inForce) return "waiting";
  const open = flows.transports.filter(({ state }) => state !== "closed");
  return worstOf(open.map(({ state }) => STATE_OF[state])) ?? "waiting";
}

/** Links whose peers are both in the session and have negotiated anything. */
export const currentLinksOf = ({ links, peers }: Session): readonly Link[] =>
  [...links.values()].filter(
    ({ open, inForce, peers: ends }) => (open ?? inForce) && ends.every((id) => peers.has(id)),
  );

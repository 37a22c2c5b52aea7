import { assistanceAfter } from "../flows/assist.ts";
import { commit, isLive } from "../flows/commit.ts";
import { flowContext } from "../move.ts";
import { type Session, type Step, withFlows } from "../session.ts";
import type { FlowAssistance } from "./record.ts";

/** What a mobile network does for one end of a link, as its flows are to show it. */
export interface AssistanceNews {
  readonly link: string;
  /** The UE. */
  readonly peer: string;
  /** null: nothing any more. */
  readonly assistance: FlowAssistance | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * A mobile network does something else for an end of a link than before: its live flows say so, and those that begin later
 * on. What it recommends is shared out among the audio and video of the end (ceilings.ts). Of a link or peer that is not
 * there nothing is kept, nor of a link whose flows are all over.
 */
export function assist(session: Session, { link: id, peer, assistance, at }: AssistanceNews): Step {
  const link = session.links.get(id);
  if (!link?.peers.includes(peer)) return { session, effects: [] };
  const { flows } = link;
  const record = flows.flows.some(isLive) ? assistance : null;
  const changed = commit(flowContext(session, link, at), flows, {
    flows: flows.flows,
    assistance: assistanceAfter(flows, peer, record),
  });
  return { session: withFlows(session, link, changed), effects: [] };
}

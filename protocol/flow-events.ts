import type { FlowsView } from "./flow.ts";
import type { FlowSummary } from "./flow-summary.ts";
import { flowsSince } from "./flows/since.ts";
import { summaryNews } from "./flows/summary.ts";
import type { ToPeer } from "./messages.ts";
import {
  type Effect,
  isConnected,
  type Link,
  type Peer,
  revisionOf,
  type Session,
  type Step,
} from "./session.ts";
import { transportFor } from "./shown-transports.ts";
import { welcomeFlows } from "./views.ts";

/** What of flows is told to whom (F4). */

/** A link whose flows changed, and what they were. */
interface Changed {
  readonly link: Link;
  readonly before: Link | undefined;
}

/**
 * Whoever may read a link is told what changed of its flows. Whoever is sent a welcome has all in it, with what followed
 * from the event after it was written.
 */
export function withFlowEvents(before: Session, { session, effects }: Step): readonly Effect[] {
  const changed = [...session.links.values()]
    .map((link): Changed => ({ link, before: before.links.get(link.id) }))
    .filter((each) => each.link.flows !== each.before?.flows);
  if (changed.length === 0) return effects;
  const revision = revisionOf(session);
  const welcomed = new Set<string>();
  const first = effects.map((effect) => {
    const peer = effect.type === "send" ? session.peers.get(effect.to) : undefined;
    if (!peer || effect.type !== "send" || effect.message.type !== "welcome") return effect;
    welcomed.add(peer.id);
    return { ...effect, message: { ...effect.message, flows: welcomeFlows(session, peer) } };
  });
  const told = [...readersOf(session, changed)].flatMap(([reader, links]) => {
    if (welcomed.has(reader.id)) return [];
    const news = links.map((each) => newsOf(each, reader));
    const flows = news.flatMap((each) => each.flows);
    const transports = news.flatMap((each) => each.transports);
    const message: ToPeer = { type: "flows", revision, changed: flows, transports };
    return flows.length + transports.length === 0
      ? []
      : [{ type: "send", to: reader.id, message } as const];
  });
  return [...first, ...told];
}

interface News {
  readonly flows: readonly FlowSummary[];
  readonly transports: FlowsView["transports"];
}

/** What a reader does not know yet of a link. */
function newsOf({ link, before }: Changed, reader: Peer): News {
  const { flows, transports } = flowsSince(link.flows, before?.flows.revision ?? 0);
  if (reader.asked?.flows !== "brief") {
    return { flows, transports: transports.map((each) => transportFor(reader, each)) };
  }
  if (flows.length === 0) return { flows, transports: [] };
  const known = new Map(before?.flows.flows.map((flow) => [flow.id, flow]));
  return {
    flows: flows.flatMap((flow) => summaryNews(flow, known.get(flow.id)) ?? []),
    transports: [],
  };
}

/** Connected peers that may read some of these links, each with those it may read (A2). */
function readersOf(
  session: Session,
  changed: readonly Changed[],
): ReadonlyMap<Peer, readonly Changed[]> {
  const ofEnds = new Map<string, Changed[]>();
  for (const each of changed) {
    for (const id of each.link.peers) {
      const own = ofEnds.get(id);
      if (own) own.push(each);
      else ofEnds.set(id, [each]);
    }
  }
  return new Map(
    [...session.peers.values()].filter(isConnected).flatMap((peer) => {
      if (peer.http) return [];
      const readable = peer.role === "observer" ? changed : ofEnds.get(peer.id);
      return readable ? [[peer, readable] as const] : [];
    }),
  );
}

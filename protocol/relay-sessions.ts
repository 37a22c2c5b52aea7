import type { Flow } from "./flow.ts";
import { commit } from "./flows/commit.ts";
import { flowContext } from "./move.ts";
import { revisionOf, type Session, withLink } from "./session.ts";

/**
 * A relay (transport translator) passes packets on as they are: the transports of a flow and of what it
 * carries on are legs of one RTP session, one space of SSRCs (RFC 7667 s3.2.2). It is named after the first
 * of them; every other transport is a session of its own. RFC 8834 s12.1.2 advises against relays: it is
 * recorded none the less.
 *
 * Asked after every event that changed flows, in whose revision it is; gives the session itself when the RTP
 * sessions are as they were.
 */
export function withRelaySessions(before: Session, after: Session, at: number): Session {
  const named = relaySessions(after);
  const revision = Math.max(revisionOf(before) + 1, revisionOf(after));
  let next = after;
  for (const link of after.links.values()) {
    const isNamedSo = link.flows.transports.every(
      ({ id, state, rtpSession }) => state === "closed" || rtpSession === (named.get(id) ?? id),
    );
    if (isNamedSo) continue;
    const transports = link.flows.transports.map((transport) => ({
      ...transport,
      rtpSession: named.get(transport.id) ?? transport.id,
    }));
    const context = { ...flowContext(after, link, at), revision };
    const flows = commit(context, link.flows, { flows: link.flows.flows, transports });
    next = withLink(next, { ...link, flows });
  }
  return next;
}

/** The session of each transport that a relay has joined with others. */
function relaySessions({ links }: Session): ReadonlyMap<string, string> {
  const relayed = [...links.values()].flatMap(({ flows }) => flows.flows.filter(isRelayed));
  if (relayed.length === 0) return new Map();
  const wanted = new Set(relayed.flatMap(({ sourceFlows }) => sourceFlows));
  const transportOf = new Map(
    [...links.values()]
      .flatMap(({ flows }) => flows.flows)
      .filter(({ id, state }) => wanted.has(id) && isAgreed(state))
      .map(({ id, transport }) => [id, transport]),
  );
  const joins = relayed.flatMap(({ transport, sourceFlows }) =>
    sourceFlows.flatMap((source): readonly (readonly [string, string])[] => {
      const other = transportOf.get(source);
      return other === undefined ? [] : [[transport, other]];
    }),
  );
  return firstOfEach(joins);
}

/** The first of all that are joined, by each of the others. */
function firstOfEach(joins: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const earlier = new Map<string, string>();
  const firstOf = (transport: string): string => {
    let found = transport;
    for (let next = earlier.get(found); next !== undefined; next = earlier.get(found)) found = next;
    return found;
  };
  for (const [one, other] of joins) {
    const [a, b] = [firstOf(one), firstOf(other)];
    if (a !== b) earlier.set(a < b ? b : a, a < b ? a : b);
  }
  return new Map([...earlier.keys()].map((transport) => [transport, firstOf(transport)]));
}

const isAgreed = (state: Flow["state"]): boolean => state !== "proposed" && state !== "ended";

const isRelayed = (flow: Flow): boolean => flow.topology === "relay" && isAgreed(flow.state);

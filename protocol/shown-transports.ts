import type { Peer } from "./session.ts";
import type { FiveTuple, PairEnd, Transport } from "./transport.ts";

/** Addresses are shown to whom they belong (decision 0017). */

/** What is left of an end of a pair that another peer reported: what it is, not where. */
function placeless({ candidateType, protocol, relayProtocol }: PairEnd): PairEnd {
  return {
    candidateType,
    ...(protocol == null ? {} : { protocol }),
    ...(relayProtocol == null ? {} : { relayProtocol }),
  };
}

function withoutPlaces({ local: _local, remote: _remote, relay, ...rest }: FiveTuple): FiveTuple {
  const beyond = relay && {
    relayed: {},
    remote: {},
    ...(relay.protocol === undefined ? {} : { protocol: relay.protocol }),
  };
  return { ...rest, local: {}, remote: {}, ...(beyond ? { relay: beyond } : {}) };
}

/**
 * A transport as a reader may see it. The back end (no reader) and observers see all. An end of the link sees what
 * it reported itself; of what the other end reported the addresses and ports are left out: that is the other end's own
 * interface, its relay and its network, of which signalling told no more than its candidates. What the reader knows
 * of the other end is in its own report. Counts, states, types and protocols are seen by both.
 */
export function transportFor(
  reader: Pick<Peer, "id" | "role"> | undefined,
  transport: Transport,
): Transport {
  if (!reader || reader.role === "observer") return transport;
  const { selectedPair, fiveTuples } = transport;
  return {
    ...transport,
    ...(selectedPair && {
      selectedPair: Object.fromEntries(
        Object.entries(selectedPair).map(([peer, pair]) => [
          peer,
          peer === reader.id
            ? pair
            : { local: placeless(pair.local), remote: placeless(pair.remote) },
        ]),
      ),
    }),
    fiveTuples: fiveTuples.map((tuple) =>
      tuple.peer === reader.id ? tuple : withoutPlaces(tuple),
    ),
  };
}

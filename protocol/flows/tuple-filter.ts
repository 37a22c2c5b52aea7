import type { FlowFilter } from "../flow-query.ts";
import { canonicalAddressOf } from "../sdp/address.ts";
import type { FiveTuple, Transport } from "../transport.ts";

/** Look-up by 5-tuple: packets are seen anywhere on their way, and from either end. */

/** What of an end of a hop was reported, or is asked for. */
interface End {
  readonly address?: string | null | undefined;
  readonly port?: number | null | undefined;
}

/** A stretch of the way on which packets keep their addresses. */
interface Hop {
  readonly protocol: string;
  readonly ends: readonly [End, End];
}

/** True when the filter has a member of the 5-tuple. */
export const isTupleAsked = (filter: FlowFilter): boolean =>
  [
    filter.protocol,
    filter.localAddress,
    filter.localPort,
    filter.remoteAddress,
    filter.remotePort,
  ].some((member) => member !== undefined);

/**
 * True when a hop of the transport has all members of a 5-tuple that are given, `local` being either of its
 * ends. What was not reported fits nothing that is asked for (F5).
 */
export function fitsTuple(transport: Transport, filter: FlowFilter): boolean {
  const local = { address: filter.localAddress, port: filter.localPort };
  const remote = { address: filter.remoteAddress, port: filter.remotePort };
  return hopsOf(transport).some(
    ({ protocol, ends: [one, other] }) =>
      (filter.protocol === undefined || filter.protocol.toLowerCase() === protocol) &&
      ((isAt(one, local) && isAt(other, remote)) || (isAt(one, remote) && isAt(other, local))),
  );
}

const isAt = (end: End, asked: End): boolean =>
  (asked.address === undefined || comparable(asked.address) === comparable(end.address)) &&
  (asked.port === undefined || asked.port === end.port);

/** An IPv4 address in IPv6 clothes is on the wire what it is in IPv4; names have no case and end anywhere. */
const comparable = (address: string | null | undefined): string | undefined =>
  address == null
    ? undefined
    : canonicalAddressOf(address)
        .toLowerCase()
        .replace(/^::ffff:(?=\d+\.)/, "")
        .replace(/\.$/, "");

/** As the 5-tuples were reported, and between the selected candidates: what is seen beyond a NAT. */
function hopsOf({ fiveTuples, selectedPair = {} }: Transport): readonly Hop[] {
  return [
    ...fiveTuples.flatMap(hopsOfTuple),
    ...Object.values(selectedPair).map(({ local, remote }) => ({
      protocol: (local.protocol || remote.protocol || "").toLowerCase(),
      ends: [local, remote] as const,
    })),
  ];
}

function hopsOfTuple({ protocol, local, remote, relay }: FiveTuple): readonly Hop[] {
  const access: Hop = { protocol, ends: [local, remote] };
  // The record has the protocol to the TURN server; beyond it, an allocation speaks UDP (RFC 8656 s2).
  return relay ? [access, { protocol: "udp", ends: [relay.relayed, relay.remote] }] : [access];
}

import type { Flow, Kind, Priority } from "../flow.ts";
import type { Transport } from "../transport.ts";
import { carrierOf } from "./five-tuple.ts";
import { isSame } from "./same.ts";

type Dscp = Flow["dscp"];
type Marking = Pick<Dscp, "suggested" | "alternatives">;

/**
 * DSCP values to suggest (RFC 8837 table 1, in decimal). Browser video is interactive. The endpoint
 * marks its packets, or not; the network may remark them: hence suggested.
 */
const DSCP: Readonly<Record<Kind, Readonly<Record<Priority, Marking>>>> = {
  audio: {
    "very-low": { suggested: 1 },
    low: { suggested: 0 },
    medium: { suggested: 46 },
    high: { suggested: 46 },
  },
  video: {
    "very-low": { suggested: 1 },
    low: { suggested: 0 },
    medium: { suggested: 36, alternatives: [38] },
    high: { suggested: 34, alternatives: [36] },
  },
  data: {
    "very-low": { suggested: 1 },
    low: { suggested: 0 },
    medium: { suggested: 10 },
    high: { suggested: 18 },
  },
};

const PRIORITIES: readonly Priority[] = ["very-low", "low", "medium", "high"];
/** Of equal priority, what suffers most from waiting is marked best. */
const KINDS: readonly Kind[] = ["data", "video", "audio"];

/** One step up, for feedback that cannot wait. */
const raised = (priority: Priority): Priority =>
  PRIORITIES[PRIORITIES.indexOf(priority) + 1] ?? priority;

type Marked = Pick<Flow, "kind" | "priority">;

const markingOf = ({ kind, priority }: Marked): Marking => DSCP[kind][priority];

const rankOf = ({ kind, priority }: Marked): number =>
  PRIORITIES.indexOf(priority) * KINDS.length + KINDS.indexOf(kind);

const foremost = (flows: readonly Marked[]): Marking =>
  markingOf(flows.reduce((best, flow) => (rankOf(flow) > rankOf(best) ? flow : best)));

/** The DSCP to suggest for a flow that shares its path with no other. */
export function dscpOf(kind: Kind, priority: Priority): Dscp {
  const own = DSCP[kind][priority];
  if (kind === "data") return { ...own, constraint: "shared-sctp" };
  return { ...own, rtcp: rtcpOf({ kind, priority }, own.suggested, own.suggested) };
}

const rtcpOf = (
  { kind, priority }: Marked,
  senderReports: number,
  receiverReports: number,
): NonNullable<Dscp["rtcp"]> => ({
  senderReports,
  receiverReports,
  feedback: DSCP[kind][raised(priority)].suggested,
});

/** What one peer sends on one transport. */
interface Sending {
  readonly all: Marking;
  readonly data: Marking;
  /** What most of its audio and video flows are marked with. */
  readonly majority: number;
}

/**
 * The flows with the DSCP to suggest for each. What shares a TCP connection, or an SCTP association, has one
 * value: that of the highest priority (RFC 8837 s5). Reports of a receiver are about all that it gets on a
 * transport and are marked as most of that; those of a sender as their media (RFC 8834 s12.1.3).
 */
export function withDscp(
  flows: readonly Flow[],
  transports: readonly Transport[],
): readonly Flow[] {
  const sendings = new Map(
    [...Map.groupBy(flows.filter(isAgreed), ({ transport, from }) => laneOf(transport, from))].map(
      ([lane, sent]) => [lane, sendingOf(sent)] as const,
    ),
  );
  const tcp = new Set(transports.flatMap(tcpLanesOf));
  return flows.map((flow) => {
    if (flow.state === "ended") return flow;
    const own = isAgreed(flow) ? sendings.get(laneOf(flow.transport, flow.from)) : undefined;
    const dscp = own ? sharedDscp(flow, own, sendings, tcp) : dscpOf(flow.kind, flow.priority);
    return isSame(dscp, flow.dscp) ? flow : { ...flow, dscp };
  });
}

/** One direction of a transport. */
const laneOf = (transport: string, from: string): string => `${transport} ${from}`;

/** What is only proposed is not sent yet: it counts for nothing else. */
const isAgreed = ({ state }: Flow): boolean => state !== "ended" && state !== "proposed";

function sendingOf(sent: readonly Flow[]): Sending {
  const data = sent.filter(({ kind }) => kind === "data");
  return {
    all: foremost(sent),
    data: foremost(data.length > 0 ? data : sent),
    majority: majorityOf(sent.filter(({ kind }) => kind !== "data")),
  };
}

interface Tally {
  readonly suggested: number;
  readonly count: number;
  readonly rank: number;
}

/** What most of these are marked with; of as many, the more urgent. */
function majorityOf(media: readonly Flow[]): number {
  const tallies = new Map<number, Tally>();
  for (const flow of media) {
    const { suggested } = markingOf(flow);
    const known = tallies.get(suggested);
    const count = (known?.count ?? 0) + 1;
    tallies.set(suggested, { suggested, count, rank: Math.max(known?.rank ?? 0, rankOf(flow)) });
  }
  const none: Tally = { suggested: 0, count: 0, rank: 0 };
  return [...tallies.values()].reduce(
    (most, tally) =>
      tally.count > most.count || (tally.count === most.count && tally.rank > most.rank)
        ? tally
        : most,
    none,
  ).suggested;
}

function sharedDscp(
  flow: Flow,
  own: Sending,
  sendings: ReadonlyMap<string, Sending>,
  tcp: ReadonlySet<string>,
): Dscp {
  const isTcp = tcp.has(laneOf(flow.transport, flow.from));
  if (flow.kind === "data") {
    return isTcp
      ? { ...own.all, constraint: "shared-tcp" }
      : { ...own.data, constraint: "shared-sctp" };
  }
  const marking = isTcp ? own.all : markingOf(flow);
  const rtcp = rtcpOf(flow, marking.suggested, own.majority);
  const back = laneOf(flow.transport, flow.to);
  const shared = tcp.has(back) ? (sendings.get(back)?.all.suggested ?? own.majority) : undefined;
  return {
    ...marking,
    rtcp: shared === undefined ? rtcp : { ...rtcp, receiverReports: shared, feedback: shared },
    ...(isTcp ? { constraint: "shared-tcp" } : {}),
  };
}

/** Where all that a peer sends on a transport goes into one TCP connection. */
const tcpLanesOf = (transport: Transport): readonly string[] =>
  Object.keys(transport.candidates)
    .filter((peer) => usesTcp(transport, peer))
    .map((peer) => laneOf(transport.id, peer));

/**
 * Whether the connection of a peer, to the other peer or to its TURN server, is one of TCP. Without a report of
 * its own that of the other peer tells, unless a relay of this peer is between them.
 */
function usesTcp({ fiveTuples, selectedPair = {} }: Transport, peer: string): boolean {
  const own = fiveTuples.find((tuple) => tuple.peer === peer && tuple.component === undefined);
  if (own) return own.protocol === "tcp";
  return Object.values(selectedPair).some(
    ({ local, remote }) =>
      remote.candidateType !== "relay" && carrierOf(local.protocol || remote.protocol) === "tcp",
  );
}

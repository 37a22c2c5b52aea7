import type { Flow } from "../flow.ts";
import { type Problem, problem } from "../problem.ts";
import type {
  DtlsReport,
  FiveTuple,
  SelectedPair,
  Transport,
  TransportState,
} from "../transport.ts";
import { commit, ended, entered, isLive } from "./commit.ts";
import { fiveTupleOf } from "./five-tuple.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { FAILED } from "./running-state.ts";
import { stated } from "./transport-state.ts";

/** What a peer sees of a transport, out of getStats. */
export interface TransportReport {
  /** Id of the transport, or a mid of it; every open transport of the link when left out. */
  readonly transport?: string | undefined;
  readonly state: TransportState;
  readonly pair?: SelectedPair | undefined;
  /** Of the RTCP component, where RTP and RTCP are not multiplexed. */
  readonly rtcpPair?: SelectedPair | undefined;
  readonly dtls?: DtlsReport | undefined;
  /** Of disconnected or failed. */
  readonly reason?: string | undefined;
}

/**
 * A peer reports on a transport; of two reporting peers, the latest report wins. `connected` makes its
 * agreed flows active, `disconnected` impairs them, `failed` takes them back to negotiated, `closed`
 * ends them. Pairs and DTLS without the name of a transport count only where the link has one transport.
 * What comes late about a closed transport changes nothing.
 *
 * Problem: `invalid-message` when no transport has this id or mid.
 */
export function reportTransport(
  context: FlowContext,
  before: LinkFlows,
  reporter: string,
  report: TransportReport,
): LinkFlows | Problem {
  const open = before.transports.filter(({ state }) => state !== "closed");
  const targets = report.transport === undefined ? open : named(before, report.transport);
  if (targets === undefined) {
    return problem("invalid-message", "`transport` names no transport of this link");
  }
  const isOfOne = report.transport !== undefined || open.length === 1;
  const news = isOfOne ? report : stateAlone(report);
  const after = new Map(
    targets
      .filter((target) => open.includes(target))
      .map((target) => [target.id, reported(context, target, reporter, news)]),
  );
  return commit(context, before, {
    transports: before.transports.map((transport) => after.get(transport.id) ?? transport),
    flows: before.flows.map((flow) => {
      const transport = after.get(flow.transport);
      return transport && isLive(flow) && flow.state !== "proposed"
        ? carried(context, flow, transport)
        : flow;
    }),
  });
}

const stateAlone = ({ state, reason }: TransportReport): TransportReport => ({ state, reason });

/** By id, else by mid: the open one before a closed one that had the mid. */
function named({ transports }: LinkFlows, name: string): readonly Transport[] | undefined {
  const byMid = transports.filter(({ mids }) => mids.includes(name));
  const found =
    transports.find(({ id }) => id === name) ??
    byMid.find(({ state }) => state !== "closed") ??
    byMid[0];
  return found && [found];
}

function reported(
  context: FlowContext,
  transport: Transport,
  reporter: string,
  { state, pair, rtcpPair, dtls, reason }: TransportReport,
): Transport {
  const isTrouble = state === "disconnected" || state === "failed";
  const { restartingSince, ...next } = stated(
    context,
    transport,
    state,
    isTrouble ? reason : undefined,
  );
  const isRestarting =
    restartingSince !== undefined && !isNewPath(transport, reporter, state, pair);
  return {
    ...next,
    ...(isRestarting ? { restartingSince } : {}),
    dtls: { ...next.dtls, ...negotiatedDtls(dtls) },
    ...(pair ? { selectedPair: { ...next.selectedPair, [reporter]: pair } } : {}),
    fiveTuples: tuplesAfter(transport, reporter, {
      ...(pair ? { rtp: fiveTupleOf(reporter, pair) } : {}),
      // With rtcp-mux there is no such component, whatever is said of it (RFC 5761 s5.1.3).
      ...(rtcpPair && !transport.rtcpMux ? { rtcp: fiveTupleOf(reporter, rtcpPair, "rtcp") } : {}),
    }),
  };
}

/**
 * ICE has come to a path again: a pair is in use, or the transport was down and is up. A pair of the generation
 * before, which media may use for a while yet, is none; some browsers do not tell the generation.
 */
function isNewPath(
  { state: former, ice }: Transport,
  reporter: string,
  state: TransportState,
  pair: SelectedPair | undefined,
): boolean {
  if (state !== "connected") return false;
  if (!pair) return former !== "connected";
  const current = ice[reporter]?.ufrag;
  return (pair.local.usernameFragment ?? current) === current;
}

function negotiatedDtls({
  srtpCipher,
  tlsVersion,
  dtlsCipher,
}: DtlsReport = {}): Pick<Transport["dtls"], "srtpProfile" | "tlsVersion" | "cipher"> {
  return {
    ...(srtpCipher === undefined ? {} : { srtpProfile: srtpCipher }),
    ...(tlsVersion === undefined ? {} : { tlsVersion }),
    ...(dtlsCipher === undefined ? {} : { cipher: dtlsCipher }),
  };
}

/** By peer, RTP before RTCP; a report replaces what it tells anew. */
function tuplesAfter(
  { fiveTuples }: Transport,
  reporter: string,
  fresh: { readonly rtp?: FiveTuple; readonly rtcp?: FiveTuple },
): FiveTuple[] {
  const kept = fiveTuples.filter(
    ({ peer, component }) => peer !== reporter || !fresh[component ?? "rtp"],
  );
  const rankOf = ({ peer, component }: FiveTuple): string => `${peer} ${component ?? ""}`;
  return [...kept, ...Object.values(fresh)].toSorted((one, other) =>
    rankOf(one) < rankOf(other) ? -1 : 1,
  );
}

/** An agreed flow after its transport got into a state. */
function carried(context: FlowContext, flow: Flow, { state, restartingSince }: Transport): Flow {
  const { impaired: _, ...sound } = flow;
  switch (state) {
    case "connected": {
      // Connected as it was before the restart: that the new path is late is as true as before.
      const next = restartingSince === undefined ? sound : flow;
      return flow.state === "negotiated" ? entered(context, next, "active") : next;
    }
    case "disconnected":
      return { ...flow, impaired: true };
    case "failed":
      return flow.state === "held"
        ? { ...flow, impaired: true }
        : entered(context, { ...flow, impaired: true }, "negotiated", FAILED);
    case "closed":
      return ended(context, flow, "closed");
    case "new":
    case "checking":
      return flow;
  }
}

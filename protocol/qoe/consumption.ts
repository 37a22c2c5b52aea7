import { z } from "zod";
import type { Flow } from "../flow.ts";
import type { FiveTuple, Transport } from "../transport.ts";

/** Consumption reports of TS 26.510 clause 9.6, with what TS 26.113 clause 10.6.2 makes of them. */

const EndpointAddress = z.object({
  domainName: z.string().describe("name or IP address"),
  portNumbers: z.array(z.int()),
  portNumber: z.int().describe("the same: the published schema requires it and defines the other"),
});

const ConsumptionReportingUnit = z.object({
  mediaConsumed: z.string().describe("mid of the m-line"),
  startTime: z.string().describe("when media first ran on it, ISO 8601"),
  duration: z.int().min(1).describe("seconds that media ran on it, up to now"),
  clientEndpointAddress: EndpointAddress.optional(),
  serverEndpointAddress: EndpointAddress.optional().describe(
    "the other end of the path: a TURN server, a media server, or the other peer",
  ),
});

export const ConsumptionReport = z
  .object({
    reportingClientId: z.string().describe("id of the peer"),
    sessionId: z.string().describe("`<session>/<link>`"),
    mediaPlayerEntry: z
      .string()
      .describe("address of the WebSocket that the session is signalled on (TS 26.113 10.6.2)"),
    consumptionReportingUnits: z.array(ConsumptionReportingUnit),
  })
  .meta({ id: "ConsumptionReport" });
export type ConsumptionReport = z.infer<typeof ConsumptionReport>;

type Unit = ConsumptionReport["consumptionReportingUnits"][number];

/** Who has consumed, and when this is asked. */
export interface Consumer {
  readonly session: string;
  readonly peer: string;
  /** Address of the WebSocket of its signalling. */
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** RFC 3339 of milliseconds since 1970. */
  readonly dateTime: (at: number) => string;
}

/** Time that a flow has run, milliseconds. */
const ranMs = ({ state, since, timing }: Flow, at: number): number =>
  timing.activeMs + (state === "active" ? Math.max(0, at - since) : 0);

/**
 * One report for each link of the peer on which media have run, one unit for each of its m-lines, whichever way they went.
 * A report that is made later has the same units and start times, and what runs has lasted longer.
 */
export function consumptionReports(
  consumer: Consumer,
  flows: readonly Flow[],
  transports: readonly Transport[],
): ConsumptionReport[] {
  const { session, peer, url } = consumer;
  const own = flows.filter(({ from, to }) => from === peer || to === peer);
  const links = Map.groupBy(own, ({ link }) => link);
  return [...links].flatMap(([link, all]) => {
    const sections = Map.groupBy(all, ({ mid }) => mid);
    const units = [...sections].flatMap(
      ([mid, section]) => unitOf(consumer, mid, section, transports) ?? [],
    );
    if (units.length === 0) return [];
    return {
      reportingClientId: peer,
      sessionId: `${session}/${link}`,
      mediaPlayerEntry: url,
      consumptionReportingUnits: units,
    };
  });
}

/** Undefined where no media have run. */
function unitOf(
  { peer, at, dateTime }: Consumer,
  mid: string,
  flows: readonly Flow[],
  transports: readonly Transport[],
): Unit | undefined {
  const starts = flows.flatMap(({ timing: { activeAt } }) => activeAt ?? []);
  if (starts.length === 0) return undefined;
  // An m-line that is used again has flows one after the other; both directions run at once.
  const ranIn = (isSent: boolean): number =>
    flows
      .filter(({ from }) => (from === peer) === isSent)
      .reduce((sum, flow) => sum + ranMs(flow, at), 0);
  const latest = flows.reduce((one, other) => (other.since > one.since ? other : one));
  const path = pathOf(peer, latest, transports);
  return {
    mediaConsumed: mid,
    startTime: dateTime(Math.min(...starts)),
    // More than nothing (TS 26.510).
    duration: Math.max(1, Math.floor(Math.max(ranIn(true), ranIn(false)) / 1000)),
    ...endpointOf("clientEndpointAddress", path?.local),
    ...endpointOf("serverEndpointAddress", path?.remote),
  };
}

/** The path of RTP, as this peer sees it. */
const pathOf = (
  peer: string,
  { transport }: Flow,
  transports: readonly Transport[],
): FiveTuple | undefined =>
  transports
    .find(({ id }) => id === transport)
    ?.fiveTuples.find((tuple) => tuple.peer === peer && tuple.component === undefined);

const endpointOf = (
  name: "clientEndpointAddress" | "serverEndpointAddress",
  { address, port }: FiveTuple["local"] = {},
): Partial<Unit> =>
  address === undefined || port === undefined
    ? {}
    : { [name]: { domainName: address, portNumbers: [port], portNumber: port } };

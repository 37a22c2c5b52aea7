import type { Codec, Flow, Layer, MediaSource } from "../protocol/flow.ts";
import type { LinkFlows } from "../protocol/flows/link-flows.ts";
import type { Transport } from "../protocol/transport.ts";
import type { Expectation, ExpectedFlow, ExpectedTransport, Party } from "./flow-expectation.ts";

/** Flows and transports of a link in the words of the fixtures, so that the two can be compared. */

const files = import.meta.glob("./fixtures/flows/*.json", {
  eager: true,
  import: "default",
}) as Record<string, Expectation>;

/** The expectation of every answered offer of the corpus, by the name of its record. */
export const FIXTURES: ReadonlyMap<string, Expectation> = new Map(
  Object.entries(files).map(([path, fixture]) => [
    path.slice(path.lastIndexOf("/") + 1).replace(/\.json$/, ""),
    fixture,
  ]),
);

/** Only the members that are there: records never have a member that is undefined. */
const present = <T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;

const codecText = ({ pt, name, rate, channels, role, fmtp }: Codec): string => {
  const encoding = channels === undefined ? `${name}/${rate}` : `${name}/${rate}/${channels}`;
  return [pt, encoding, role, ...(fmtp === undefined ? [] : [fmtp])].join(" ");
};

const sourceText = ({ ssrc, rtx, fec }: MediaSource): string => {
  const repair = Object.entries({ rtx, fec }).filter(([, other]) => other !== undefined);
  return [ssrc, ...repair.flat()].join(" ");
};

const layerText = ({ rid, paused }: Layer): string => (paused ? `~${rid}` : rid);

const REPAIRS = ["nack", "rtx", "red", "ulpfec", "flexfec", "inbandFec"] as const;

function limitsWords({ effectiveBps, source, ...limits }: Flow["limits"]): ExpectedFlow["limits"] {
  const { receiverAs, receiverTias, sessionCt, layersBps } = limits;
  return present({ receiverAs, receiverTias, sessionCt, layersBps, effectiveBps, source });
}

function flowWords(flow: Flow, offerer: string, transports: readonly Transport[]): ExpectedFlow {
  const { mid, kind, simulcast, streams, track, cname, congestion, repair, rtcp, sctp } = flow;
  return present({
    section: flow.mLineIndex,
    mid,
    kind,
    from: partyOf(flow.from, offerer),
    state: flow.state as "negotiated",
    transport: transports.findIndex(({ id }) => id === flow.transport),
    codecs: flow.codecs.map(codecText),
    sources: flow.sources.map(sourceText),
    simulcast,
    layers: flow.layers.toSorted((one, other) => one.order - other.order).map(layerText),
    streams,
    track,
    cname,
    feedback: flow.feedback.toSorted(),
    congestion,
    repair: repair && REPAIRS.filter((each) => repair[each]),
    headerExtensions: flow.headerExtensions
      .toSorted((one, other) => one.id - other.id)
      .map(({ id, uri }) => `${id} ${uri}`),
    rtcp,
    limits: limitsWords(flow.limits),
    sctp: sctp as ExpectedFlow["sctp"],
  }) as ExpectedFlow;
}

const partyOf = (peer: string, offerer: string): Party =>
  peer === offerer ? "offerer" : "answerer";

function transportWords(transport: Transport, offerer: string) {
  const peers = Object.keys(transport.candidates);
  const byParty = <T>(of: (peer: string) => T) =>
    Object.fromEntries(
      ["offerer", "answerer"].flatMap((party) => {
        const peer = peers.find((each) => partyOf(each, offerer) === party);
        const value = peer === undefined ? undefined : of(peer);
        return value === undefined ? [] : [[party, value]];
      }),
    );
  const { client = "", server = "", fingerprints = {} } = transport.dtls;
  return present({
    mids: [...transport.mids],
    rtcpMux: transport.rtcpMux,
    dtls: {
      client: partyOf(client, offerer),
      server: partyOf(server, offerer),
      fingerprints: byParty((peer) => fingerprints[peer]),
    },
    ufrags: byParty((peer) => transport.ice[peer]?.ufrag),
    candidates: byParty((peer) => transport.candidates[peer]),
  }) as unknown as ExpectedTransport;
}

/** What is open and what has ended, sorted by section and party as fixtures are. */
export function inWords({ flows, transports }: LinkFlows, offerer: string): Expectation {
  const open = transports.filter(({ state }) => state !== "closed");
  const ordered = flows.toSorted(
    (one, other) =>
      one.mLineIndex - other.mLineIndex ||
      Number(one.from !== offerer) - Number(other.from !== offerer),
  );
  const isOver = ({ state }: Flow): boolean => state === "ended";
  return {
    flows: ordered.filter((each) => !isOver(each)).map((each) => flowWords(each, offerer, open)),
    ended: ordered
      .filter(isOver)
      .map(({ mLineIndex, from, reason }) => `${mLineIndex} ${partyOf(from, offerer)} ${reason}`),
    transports: open.map((each) => transportWords(each, offerer)),
  };
}

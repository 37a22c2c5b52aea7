import type { Flow, Layer, MediaSource } from "../flow.ts";
import type { Description } from "../sdp/description.ts";
import type { Rid, SimulcastStreams } from "../sdp/grammar.ts";
import { once } from "../sdp/notes.ts";
import { carriesData, type Section } from "../sdp/section.ts";
import { exceedsBytes } from "../utf8.ts";
import { sharedCodecs } from "./codecs.ts";
import { headerExtensionsOf } from "./header-extensions.ts";
import { congestionOf, feedbackOf, namedFeedback, repairOf, rtcpOf } from "./rtcp.ts";

/** Parts of a record that offer and answer settle, each from the end that decides it (F3). */
export type Terms = Pick<
  Flow,
  | "codecs"
  | "sources"
  | "layers"
  | "simulcast"
  | "feedback"
  | "congestion"
  | "repair"
  | "headerExtensions"
  | "rtcp"
  | "sctp"
>;

/** What a sender calls what it sends. */
export type Identity = Pick<Flow, "streams" | "track" | "cname" | "content">;

/** One direction of one section. */
export interface Ends {
  readonly sender: Section;
  readonly receiver: Section;
}

/** RFC 8841 s6: without `a=max-message-size`. */
const DEFAULT_MESSAGE_BYTES = 65_536;

/** What a receiver says of its SCTP end. */
export function sctpOf({ sctpPort, maxMessageSize }: Section): NonNullable<Flow["sctp"]> {
  return {
    ...(sctpPort === undefined ? {} : { port: sctpPort }),
    maxMessageSize: maxMessageSize ?? DEFAULT_MESSAGE_BYTES,
  };
}

/** The terms of a direction that both sides agreed on. */
export function termsOf(ends: Ends, kind: Flow["kind"]): Terms {
  if (kind === "data") return { ...NO_MEDIA, sctp: sctpOf(ends.receiver) };
  const shared = sharedCodecs(ends.sender, ends.receiver);
  const codecs = [...shared.received];
  const named = namedFeedback(ends, shared);
  const feedback = feedbackOf(named);
  const layers = layersOf(ends);
  const isSimulcast = (ends.sender.simulcast?.send.length ?? 0) > 0;
  return {
    codecs,
    sources: sourcesOf(ends.sender),
    layers,
    simulcast: isSimulcast ? (layers.length > 0 ? "accepted" : "declined") : undefined,
    feedback,
    congestion: congestionOf(feedback),
    repair: repairOf(codecs, feedback),
    headerExtensions: headerExtensionsOf(ends),
    rtcp: rtcpOf(ends, named),
    sctp: undefined,
  };
}

const NO_MEDIA: Terms = {
  codecs: [],
  sources: [],
  layers: [],
  simulcast: undefined,
  feedback: [],
  congestion: undefined,
  repair: undefined,
  headerExtensions: [],
  rtcp: undefined,
};

/** A group of these names a source first, then what repairs it (RFC 4588 s8.3, RFC 5956 s4.3, RFC 5576 s4.2). */
const REPAIRS: ReadonlyMap<string, "rtx" | "fec"> = new Map([
  ["FID", "rtx"],
  ["FEC-FR", "fec"],
  ["FEC", "fec"],
]);

/**
 * Sources with an `a=ssrc` line of their own; a member of a group without one is no announcement of
 * this sender (RFC 5576 s4.2; libdatachannel mirrors the groups of its peer).
 */
export function sourcesOf({ ssrcs, ssrcGroups }: Section): MediaSource[] {
  const announced = new Set(ssrcs.map(({ ssrc }) => ssrc));
  const repairs = ssrcGroups.flatMap(({ semantics, ssrcs: [source, repair] }) => {
    const by = REPAIRS.get(semantics.toUpperCase());
    if (by === undefined || source === undefined || repair === undefined) return [];
    return announced.has(source) && announced.has(repair) ? [{ by, source, repair }] : [];
  });
  const repairSsrcs = new Set(repairs.map(({ repair }) => repair));
  const repairOf = new Map(repairs.map(({ by, source, repair }) => [`${by} ${source}`, repair]));
  return ssrcs
    .filter(({ ssrc }) => !repairSsrcs.has(ssrc))
    .map(({ ssrc, previous }) => {
      const rtx = repairOf.get(`rtx ${ssrc}`);
      const fec = repairOf.get(`fec ${ssrc}`);
      return {
        ssrc,
        ...(rtx === undefined ? {} : { rtx }),
        ...(fec === undefined ? {} : { fec }),
        ...(previous.length === 0 ? {} : { previous: [...previous] }),
      };
    });
}

/** Simulcast layers: what the sender sends and the receiver accepts (RFC 8853 s5.3). */
function layersOf({ sender, receiver }: Ends): Layer[] {
  const accepted = choicesOf(receiver.simulcast?.recv);
  const sendRids = restrictionsOf(sender.rids, "send");
  const recvRids = restrictionsOf(receiver.rids, "recv");
  return (sender.simulcast?.send ?? []).flatMap((alternatives, order): Layer[] => {
    const chosen = alternatives.find(({ rid }) => accepted.has(rid));
    if (!chosen) return [];
    const { rid } = chosen;
    const limits = limitsOf(sendRids.get(rid), recvRids.get(rid));
    return [
      {
        rid,
        order,
        ...(chosen.paused || accepted.get(rid) ? { paused: true } : {}),
        ...(Object.keys(limits).length > 0 ? { limits } : {}),
      },
    ];
  });
}

type Restrictions = Rid["restrictions"];

/** The restrictions of both ends; a number of the receiver's cannot widen the sender's (RFC 8851 s6.3). */
function limitsOf(
  sent: Restrictions = new Map(),
  received: Restrictions = new Map(),
): Record<string, string> {
  const isWider = ([name, value]: readonly [string, string]): boolean =>
    Number(value) > Number(sent.get(name));
  const restrictions = [...sent, ...[...received].filter((each) => !isWider(each))];
  return Object.fromEntries(restrictions.filter(([name]) => name !== "pt"));
}

/** Whether each rid of the streams is paused. */
const choicesOf = (streams: SimulcastStreams = []): ReadonlyMap<string, boolean> =>
  new Map(streams.flat().map(({ rid, paused }) => [rid, paused]));

const restrictionsOf = (rids: readonly Rid[], wanted: Rid["direction"]) =>
  new Map(
    rids
      .filter(({ direction }) => direction === wanted)
      .map(({ id, restrictions }) => [id, restrictions]),
  );

/** Octets of an SDES item (RFC 3550 s6.5); what is longer is no CNAME. */
const MAX_CNAME_BYTES = 255;

const cnameIn = ({ ssrcs }: Pick<Section, "ssrcs">): string | undefined =>
  ssrcs.find(({ cname }) => cname && !exceedsBytes(cname, MAX_CNAME_BYTES))?.cname;

/** Every section without sources asks for that of the description; none is an empty one. */
const cnameOf = once(({ sections }: Description): string => {
  for (const section of sections) {
    const cname = cnameIn(section);
    if (cname !== undefined) return cname;
  }
  return "";
});

/**
 * Streams, track, CNAME and content out of the sender's section; undefined where it says nothing. A section
 * without sources has the CNAME of the other ones: an endpoint has one (RFC 8834 s4.9).
 */
export function identityOf(
  section: Section,
  description: Description,
): { readonly [K in keyof Identity]: Identity[K] | undefined } {
  if (carriesData(section)) return NO_IDENTITY;
  const bySource = section.ssrcs.flatMap(({ msid }) => msid ?? []);
  const msids = section.msids.length > 0 ? section.msids : bySource;
  const streams = new Set(msids.map(({ stream }) => stream).filter((stream) => stream !== "-"));
  return {
    streams: msids.length > 0 ? [...streams] : undefined,
    track: msids.find(({ track }) => track !== undefined)?.track,
    cname: cnameIn(section) ?? (cnameOf(description) || undefined),
    content: contentOf(section),
  };
}

const NO_IDENTITY = {
  streams: undefined,
  track: undefined,
  cname: undefined,
  content: undefined,
};

/** `slides` of `a=content:slides,main` (RFC 4796 s5): the first that it names. */
function contentOf({ attributes }: Section): string | undefined {
  const [line] = attributes.get("content") ?? [];
  return line?.value.split(",", 1).join().trim() || undefined;
}

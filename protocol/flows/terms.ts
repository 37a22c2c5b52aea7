import type { Codec, Flow, Layer, MediaSource } from "../flow.ts";
import type { Description } from "../sdp/description.ts";
import type { ExtMap, Rid, SimulcastStreams } from "../sdp/grammar.ts";
import type { Section } from "../sdp/section.ts";
import { codecsOf, commonCodecs, encodingOf } from "./codecs.ts";

/** Parts of a record that offer and answer settle, each from the end that decides it (F3). */
export type Terms = Pick<
  Flow,
  "codecs" | "sources" | "layers" | "simulcast" | "feedback" | "headerExtensions" | "sctp"
>;

/** What a sender calls what it sends. */
export type Identity = Pick<Flow, "streams" | "track" | "cname">;

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
  const codecs = [...commonCodecs(ends.sender, ends.receiver)];
  const layers = layersOf(ends);
  const isSimulcast = (ends.sender.simulcast?.send.length ?? 0) > 0;
  return {
    codecs,
    sources: sourcesOf(ends.sender),
    layers,
    simulcast: isSimulcast ? (layers.length > 0 ? "accepted" : "declined") : undefined,
    feedback: feedbackOf(ends, codecs),
    headerExtensions: headerExtensionsOf(ends),
    sctp: undefined,
  };
}

const NO_MEDIA: Terms = {
  codecs: [],
  sources: [],
  layers: [],
  simulcast: undefined,
  feedback: [],
  headerExtensions: [],
};

/**
 * Sources with an `a=ssrc` line of their own; a member of a group without one is no announcement of
 * this sender (RFC 5576 s4.2; libdatachannel mirrors the groups of its peer).
 */
export function sourcesOf({ ssrcs, ssrcGroups }: Section): MediaSource[] {
  const announced = new Set(ssrcs.map(({ ssrc }) => ssrc));
  const repairs = ssrcGroups.flatMap(({ semantics, ssrcs: [source, repair] }) => {
    const isRepair = semantics === "FID" || semantics === "FEC-FR";
    if (!isRepair || source === undefined || repair === undefined) return [];
    return announced.has(source) && announced.has(repair) ? [{ semantics, source, repair }] : [];
  });
  const repairSsrcs = new Set(repairs.map(({ repair }) => repair));
  const repairOf = new Map(
    repairs.map(({ semantics, source, repair }) => [`${semantics} ${source}`, repair]),
  );
  return [...announced]
    .filter((ssrc) => !repairSsrcs.has(ssrc))
    .map((ssrc) => {
      const rtx = repairOf.get(`FID ${ssrc}`);
      const fec = repairOf.get(`FEC-FR ${ssrc}`);
      return {
        ssrc,
        ...(rtx === undefined ? {} : { rtx }),
        ...(fec === undefined ? {} : { fec }),
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
    const restrictions = [...(sendRids.get(rid) ?? []), ...(recvRids.get(rid) ?? [])];
    const limits = Object.fromEntries(restrictions.filter(([name]) => name !== "pt"));
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

/** Whether each rid of the streams is paused. */
const choicesOf = (streams: SimulcastStreams = []): ReadonlyMap<string, boolean> =>
  new Map(streams.flat().map(({ rid, paused }) => [rid, paused]));

const restrictionsOf = (rids: readonly Rid[], wanted: Rid["direction"]) =>
  new Map(
    rids
      .filter(({ direction }) => direction === wanted)
      .map(({ id, restrictions }) => [id, restrictions]),
  );

/** Feedback on the agreed codecs that both list, in the receiver's order (RFC 4585 s4.2). */
function feedbackOf({ sender, receiver }: Ends, codecs: readonly Codec[]): string[] {
  const payloadTypes = new Set(codecs.map(({ pt }) => String(pt)));
  const encodings = new Set(codecs.map(encodingOf));
  const sentTypes = codecsOf(sender)
    .filter((codec) => encodings.has(encodingOf(codec)))
    .map(({ pt }) => String(pt));
  const understood = new Set(
    sender.feedback
      .filter(({ format }) => format === "*" || sentTypes.includes(format))
      .map(({ type }) => type.toLowerCase()),
  );
  const types = receiver.feedback
    .filter(({ format }) => format === "*" || payloadTypes.has(format))
    .map(({ type }) => type)
    .filter((type) => understood.has(type.toLowerCase()));
  return [...new Set(types)];
}

const canSend = ({ direction }: ExtMap): boolean =>
  direction === undefined || direction === "sendrecv" || direction === "sendonly";
const canReceive = ({ direction }: ExtMap): boolean =>
  direction === undefined || direction === "sendrecv" || direction === "recvonly";

/** Header extensions that both map to the same id and that may travel this way (RFC 8285 s6, s7). */
function headerExtensionsOf({ sender, receiver }: Ends): Flow["headerExtensions"] {
  const keyOf = ({ id, uri, attributes }: ExtMap): string => `${id} ${uri} ${attributes}`;
  const sent = new Set(sender.extMaps.filter(canSend).map(keyOf));
  return receiver.extMaps
    .filter((extMap) => canReceive(extMap) && sent.has(keyOf(extMap)))
    .map(({ id, uri, direction }) => ({ id, uri, ...(direction ? { direction } : {}) }));
}

/**
 * Streams, track and CNAME out of the sender's section; undefined where it says nothing. A section
 * without sources has the CNAME of the other ones: an endpoint has one (RFC 8834 s4.9).
 */
export function identityOf(
  section: Section,
  { sections }: Description,
): { readonly [K in keyof Identity]: Identity[K] | undefined } {
  const bySource = section.ssrcs.flatMap(({ msid }) => msid ?? []);
  const msids = section.msids.length > 0 ? section.msids : bySource;
  const streams = new Set(msids.map(({ stream }) => stream).filter((stream) => stream !== "-"));
  const cname = [section, ...sections]
    .flatMap(({ ssrcs }) => ssrcs)
    .find((ssrc) => ssrc.cname)?.cname;
  return {
    streams: msids.length > 0 ? [...streams] : undefined,
    track: msids.find(({ track }) => track !== undefined)?.track,
    cname,
  };
}

import type { Codec, Flow } from "../flow.ts";
import { codecsOf, encodingOf, sharedCodecs } from "../flows/codecs.ts";
import { headerExtensionsOf } from "../flows/header-extensions.ts";
import type { Ends } from "../flows/terms.ts";
import type { Section } from "../sdp/section.ts";
import { maxBpsOf } from "./asked-rate.ts";
import type { AssistedStream, WireFormat } from "./assisted.ts";

/** RFC 8843 s15: the mid in a header extension. */
const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";

/** The sections that a stream comes from and goes to, and that of the answer. */
export interface StreamSections {
  readonly receiver: Section;
  readonly answered: Section;
}

/**
 * One direction of one m-section, out of its flow record: payload types, `b=` and parameters in it are those of the
 * receiver's description, SSRCs those of the sender's, header extensions what both map for this direction (F3).
 */
export function streamOf(flow: Flow, { receiver, answered }: StreamSections): AssistedStream {
  const { codecs, headerExtensions, rtcp, state } = flow;
  const announced = flow.sources.filter(({ reported }) => !reported);
  const clear = clearOf(headerExtensions);
  const maxBps = maxBpsOf(flow, receiver);
  const midExtension = midExtensionIn(clear);
  const ssrcByPayloadType = soleSources(flow);
  return {
    flow: flow.id,
    isRunning: state !== "held",
    ...(maxBps === undefined ? {} : { maxBps }),
    ...(rtcp?.rs === undefined ? {} : { rs: rtcp.rs }),
    ...(rtcp?.rr === undefined ? {} : { rr: rtcp.rr }),
    payloadTypes: codecs.map(({ pt }) => pt),
    codecs: namesIn(codecs, answered),
    ssrcs: announced.flatMap(({ ssrc, rtx, fec }) => [ssrc, rtx ?? [], fec ?? []].flat()),
    ...(ssrcByPayloadType ? { ssrcByPayloadType } : {}),
    ...(midExtension === undefined ? {} : { midExtension }),
    extensions: clear.filter(({ uri }) => uri !== MID).map(({ id, uri }) => ({ id, uri })),
    isCryptic: headerExtensions.length > clear.length && clear.length === 0,
  };
}

/** What tells the packets of a direction that has no flow, because none was ever agreed. */
export function formatOf(ends: Ends): WireFormat {
  const midExtension = midExtensionIn(clearOf(headerExtensionsOf(ends)));
  return {
    payloadTypes: sharedCodecs(ends.sender, ends.receiver).received.map(({ pt }) => pt),
    ...(midExtension === undefined ? {} : { midExtension }),
  };
}

type Extensions = Flow["headerExtensions"];

const clearOf = (extensions: Extensions): Extensions =>
  extensions.filter(({ encrypted }) => !encrypted);

const midExtensionIn = (clear: Extensions): number | undefined =>
  clear.find(({ uri }) => uri === MID)?.id;

/** Primary codecs that are agreed, in the answer's order. */
function namesIn(codecs: readonly Codec[], answered: Section): readonly string[] {
  const primary = codecs.filter(({ role }) => role === "primary");
  const names = new Map(primary.map((codec) => [encodingOf(codec), codec.name]));
  const inOrder = codecsOf(answered).flatMap((codec) => names.get(encodingOf(codec)) ?? []);
  return [...new Set(inOrder)];
}

/** FEC that has a stream of its own; `ulpfec` is sent within the media's, as redundant payload. */
const hasOwnSource = ({ name }: Codec): boolean => name.toLowerCase().startsWith("flexfec");

/**
 * Which source sends which payload type, where there is one source: of several, any may send any. Layers have a source each,
 * also those that nobody has announced or reported (werift announces one for all).
 */
function soleSources({
  codecs,
  sources: [source, ...others],
  layers,
}: Flow): Readonly<Record<number, number>> | undefined {
  if (source === undefined || source.reported) return undefined;
  if (others.length > 0 || layers.length > 1) return undefined;
  const senderOf = (codec: Codec): number | undefined => {
    if (codec.role === "rtx") return source.rtx;
    return hasOwnSource(codec) ? source.fec : source.ssrc;
  };
  return Object.fromEntries(
    codecs.flatMap((codec) => {
      const ssrc = senderOf(codec);
      return ssrc === undefined ? [] : [[codec.pt, ssrc] as const];
    }),
  );
}

import type { Codec, Flow } from "../flow.ts";
import { words } from "../sdp/grammar.ts";
import type { Attribute } from "../sdp/line.ts";
import type { Section } from "../sdp/section.ts";
import { parametersOf } from "./codec-configuration.ts";
import type { SharedCodecs } from "./codecs.ts";
import type { Ends } from "./terms.ts";

/** Feedback that a section names for some formats, each once; `*` is all of them (RFC 4585 s4.2). */
function feedbackFor({ feedback }: Section, codecs: readonly Codec[]): readonly string[] {
  const formats = new Set(codecs.map(({ pt }) => String(pt)));
  const types = new Set<string>();
  for (const { format, type } of feedback) {
    if (format === "*" || formats.has(format)) types.add(type);
  }
  return [...types];
}

/** What each end of a direction names for the agreed codecs, each in its own order. */
export interface NamedFeedback {
  readonly sent: readonly string[];
  readonly received: readonly string[];
}

export const namedFeedback = (
  { sender, receiver }: Ends,
  { sent, received }: SharedCodecs,
): NamedFeedback => ({
  sent: feedbackFor(sender, sent),
  received: feedbackFor(receiver, received),
});

/** Feedback on the agreed codecs that both list, in the receiver's order (RFC 4585 s4.2). */
export function feedbackOf({ sent, received }: NamedFeedback): string[] {
  const understood = new Set(sent.map((type) => type.toLowerCase()));
  return received.filter(
    // An interval is no message (RFC 4585 s4.2): it is told as `rtcp.trrInt`.
    (type) => understood.has(type.toLowerCase()) && !/^trr-int\b/i.test(type),
  );
}

/** What the rate control of the sender is fed with: the standard first (RFC 8888 s6). */
export function congestionOf(feedback: readonly string[]): NonNullable<Flow["congestion"]> {
  const types = new Set(feedback.map((type) => type.toLowerCase()));
  if (types.has("ack ccfb")) return "ccfb";
  if (types.has("transport-cc")) return "transport-cc";
  return types.has("goog-remb") ? "remb" : "none";
}

/** What is done against loss, as far as both ends can. */
export function repairOf(
  codecs: readonly Codec[],
  feedback: readonly string[],
): NonNullable<Flow["repair"]> {
  const names = new Set(codecs.map(({ name }) => name.toLowerCase()));
  const inbandFec = codecs.some(
    (codec) => codec.role === "primary" && parametersOf(codec).get("useinbandfec") === "1",
  );
  return {
    nack: feedback.some((type) => type.toLowerCase() === "nack"),
    rtx: names.has("rtx"),
    red: names.has("red"),
    ulpfec: names.has("ulpfec"),
    flexfec: names.has("flexfec") || names.has("flexfec-03"),
    inbandFec,
  };
}

/** The session part is asked for every section of its description: its lines are read once. */
const BANDWIDTHS = new WeakMap<Section["bandwidths"], ReadonlyMap<string, number>>();

function bandwidthsIn(lines: Section["bandwidths"]): ReadonlyMap<string, number> {
  const known = BANDWIDTHS.get(lines);
  if (known) return known;
  const byType = new Map(lines.map(({ type, value }) => [type, value]));
  BANDWIDTHS.set(lines, byType);
  return byType;
}

/** Of the section, else of the session part, which speaks for all its sections (RFC 3556 s2). */
const bandwidthOf = ({ bandwidths, session }: Section, wanted: string): number | undefined =>
  bandwidthsIn(bandwidths).get(wanted) ?? bandwidthsIn(session.bandwidths).get(wanted);

/** More than there are registered; what a session part says is repeated in every flow. */
const MAX_REPORTS = 32;
const REPORT = /^[\w-]{1,32}$/;

const REPORTS = new WeakMap<readonly Attribute[], readonly string[]>();

/** `rcvr-rtt` and the like of `a=rtcp-xr:rcvr-rtt=all:10 stat-summary=loss` (RFC 3611 s5.1). */
function reportsIn(lines: readonly Attribute[]): readonly string[] {
  const known = REPORTS.get(lines);
  if (known) return known;
  const names = lines
    .flatMap(({ value }) => words(value))
    .map((format) => format.split("=", 1).join())
    .filter((name) => REPORT.test(name));
  const reports = [...new Set(names)].slice(0, MAX_REPORTS);
  REPORTS.set(lines, reports);
  return reports;
}

const NO_LINES: readonly Attribute[] = [];

const reportsOf = ({ attributes, session }: Section): readonly string[] =>
  reportsIn(attributes.get("rtcp-xr") ?? session.attributes.get("rtcp-xr") ?? NO_LINES);

function extendedReports({ sender, receiver }: Ends): readonly string[] {
  const known = new Set(reportsOf(sender));
  return reportsOf(receiver).filter((name) => known.has(name));
}

const TRR_INT = /^trr-int (\d{1,9})$/i;

/** `a=rtcp-fb:* trr-int 100`: the receiver's, where the sender has one as well (RFC 4585 s4.2). */
function trrIntOf({ sent, received }: NamedFeedback): number | undefined {
  const isTrrInt = (type: string): boolean => TRR_INT.test(type);
  const own = received.find(isTrrInt);
  if (own === undefined || !sent.some(isTrrInt)) return undefined;
  return Number(own.replace(TRR_INT, "$1"));
}

/**
 * RTCP of a direction: who gets the packets says how many there may be, `b=RS` of the receiver for the
 * sender's reports, `b=RR` of the sender for those of the receiver (RFC 3556 s2).
 */
export function rtcpOf(ends: Ends, feedback: NamedFeedback): NonNullable<Flow["rtcp"]> {
  const { sender, receiver } = ends;
  const rs = bandwidthOf(receiver, "RS");
  const rr = bandwidthOf(sender, "RR");
  const trrInt = trrIntOf(feedback);
  const xr = extendedReports(ends);
  return {
    mux: sender.rtcpMux && receiver.rtcpMux,
    rsize: sender.rtcpRsize && receiver.rtcpRsize,
    ...(rs === undefined ? {} : { rs }),
    ...(rr === undefined ? {} : { rr }),
    ...(trrInt === undefined ? {} : { trrInt }),
    ...(xr.length === 0 ? {} : { xr: [...xr] }),
  };
}

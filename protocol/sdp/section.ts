import {
  type Bandwidth,
  bandwidthOf,
  type CandidateLine,
  candidateLineOf,
  DIRECTIONS,
  type Direction,
  type ExtMap,
  extMapOf,
  type Feedback,
  type Fingerprint,
  type FormatParameters,
  feedbackOf,
  fingerprintOf,
  formatParametersOf,
  integerOf,
  type MediaLine,
  type Msid,
  msidOf,
  type Rid,
  type RtpMap,
  ridOf,
  rtpMapOf,
  type Simulcast,
  type SsrcGroup,
  simulcastOf,
  ssrcAttributeOf,
  ssrcGroupOf,
} from "./grammar.ts";
import { type Attribute, attributesOf, type Line } from "./line.ts";

/** A source that a section announces: its `a=ssrc` lines taken together (RFC 5576). */
export interface Ssrc {
  readonly ssrc: number;
  readonly cname: string | undefined;
  readonly msid: Msid | undefined;
}

/** Attributes of the transport, which bundled sections share (RFC 9143 s7.1.3). */
export interface TransportAttributes {
  readonly iceUfrag: string | undefined;
  readonly icePwd: string | undefined;
  /** All of them: RFC 8122 s5 allows several. */
  readonly fingerprints: readonly Fingerprint[];
  readonly setup: string | undefined;
  /** `a=rtcp-mux`; `a=rtcp-mux-only` alone does not count (RFC 8858). */
  readonly rtcpMux: boolean;
  readonly rtcpRsize: boolean;
}

/** What the session part (lines before the first m-line) says. */
export interface SessionPart {
  readonly lines: readonly Line[];
  readonly direction: Direction | undefined;
  readonly extMaps: readonly ExtMap[];
  readonly bandwidths: readonly Bandwidth[];
  readonly iceLite: boolean;
  readonly transport: TransportAttributes;
}

/** One m-section with what it inherits: from the session part, then from the tagged section of its bundle. */
export interface Section extends TransportAttributes {
  /** From 0. */
  readonly index: number;
  /** Number of the m-line. */
  readonly line: number;
  /** From the m-line on. */
  readonly lines: readonly Line[];
  /** `audio`, `video`, `application` or another media type. */
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly mid: string | undefined;
  readonly bundleOnly: boolean;
  /** Port 0 without `a=bundle-only`: disabled, whatever else it says. */
  readonly rejected: boolean;
  /** `sendrecv` when nothing is said, and always for SCTP, where it has no meaning (RFC 8841 s9.2). */
  readonly direction: Direction;
  readonly rtpMaps: readonly RtpMap[];
  readonly formatParameters: readonly FormatParameters[];
  readonly feedback: readonly Feedback[];
  readonly extMaps: readonly ExtMap[];
  readonly ssrcs: readonly Ssrc[];
  readonly ssrcGroups: readonly SsrcGroup[];
  readonly msids: readonly Msid[];
  readonly rids: readonly Rid[];
  readonly simulcast: Simulcast | undefined;
  /** The section's own; those of a bundle are in its tagged section. */
  readonly candidates: readonly CandidateLine[];
  readonly endOfCandidates: boolean;
  readonly bandwidths: readonly Bandwidth[];
  readonly sctpPort: number | undefined;
  /** Bytes; 0 is any size, absent is 64 KiB (RFC 8841 s6). */
  readonly maxMessageSize: number | undefined;
}

/** Attributes by name. Reading each line once keeps the whole linear. */
export type Attributes = ReadonlyMap<string, readonly Attribute[]>;

/** The attributes of some lines by name. */
export function byName(lines: readonly Line[]): Attributes {
  return Map.groupBy(attributesOf(lines), ({ name }) => name);
}

/** All readable values of an attribute. */
export function every<T>(
  attributes: Attributes,
  name: string,
  read: (value: string) => T | undefined,
): readonly T[] {
  return (attributes.get(name) ?? [])
    .map(({ value }) => read(value))
    .filter((value) => value !== undefined);
}

/** The last value counts where one is allowed, as it does in browsers. */
function last(attributes: Attributes, name: string): string | undefined {
  return attributes.get(name)?.at(-1)?.value.trim();
}

function directionOf(attributes: Attributes): Direction | undefined {
  return DIRECTIONS.map((name) => ({ name, line: attributes.get(name)?.at(-1)?.line ?? 0 }))
    .filter(({ line }) => line > 0)
    .toSorted((one, other) => one.line - other.line)
    .at(-1)?.name;
}

const bandwidthsOf = (lines: readonly Line[]): readonly Bandwidth[] =>
  lines
    .filter(({ type }) => type === "b")
    .map(({ value }) => bandwidthOf(value))
    .filter((bandwidth) => bandwidth !== undefined);

function transportOf(attributes: Attributes): TransportAttributes {
  return {
    iceUfrag: last(attributes, "ice-ufrag"),
    icePwd: last(attributes, "ice-pwd"),
    fingerprints: every(attributes, "fingerprint", fingerprintOf),
    setup: last(attributes, "setup"),
    rtcpMux: attributes.has("rtcp-mux"),
    rtcpRsize: attributes.has("rtcp-rsize"),
  };
}

/** What is missing is taken from a wider scope: the session part, or the tagged section of the bundle. */
export function inherit(own: TransportAttributes, wider: TransportAttributes): TransportAttributes {
  return {
    iceUfrag: own.iceUfrag ?? wider.iceUfrag,
    icePwd: own.icePwd ?? wider.icePwd,
    fingerprints: own.fingerprints.length > 0 ? own.fingerprints : wider.fingerprints,
    setup: own.setup ?? wider.setup,
    rtcpMux: own.rtcpMux || wider.rtcpMux,
    rtcpRsize: own.rtcpRsize || wider.rtcpRsize,
  };
}

/** Reads the lines before the first m-line. */
export function sessionPartOf(lines: readonly Line[]): SessionPart {
  const attributes = byName(lines);
  return {
    lines,
    direction: directionOf(attributes),
    extMaps: every(attributes, "extmap", extMapOf),
    bandwidths: bandwidthsOf(lines),
    iceLite: attributes.has("ice-lite"),
    // At session level neither rtcp-mux nor rtcp-rsize has a meaning (RFC 5761 s8, RFC 5506 s5).
    transport: { ...transportOf(attributes), rtcpMux: false, rtcpRsize: false },
  };
}

function ssrcsOf(attributes: Attributes): readonly Ssrc[] {
  const bySsrc = Map.groupBy(every(attributes, "ssrc", ssrcAttributeOf), ({ ssrc }) => ssrc);
  return [...bySsrc].map(([ssrc, said]) => {
    const msid = said.find(({ name }) => name === "msid");
    return {
      ssrc,
      cname: said.find(({ name }) => name === "cname")?.value.trim(),
      msid: msid && msidOf(msid.value),
    };
  });
}

/** SCTP over DTLS, in the form of RFC 8841 or the older `m=application 9 DTLS/SCTP 5000`. */
export function carriesData(section: Pick<Section, "kind" | "protocol">): boolean {
  return section.kind === "application" && /(?:^|\/)SCTP$/i.test(section.protocol);
}

/** The older form names the port on the m-line instead of `a=sctp-port`. */
function sctpPortOf(media: MediaLine, attributes: Attributes): number | undefined {
  if (!carriesData(media)) return undefined;
  return integerOf(last(attributes, "sctp-port") ?? "") ?? integerOf(media.formats[0] ?? "");
}

/** Reads a section from its m-line on, with what it inherits from the session part. */
export function sectionOf(
  lines: readonly Line[],
  media: MediaLine,
  place: { readonly index: number; readonly line: number },
  session: SessionPart,
): Section {
  const attributes = byName(lines);
  const bundleOnly = attributes.has("bundle-only");
  const extMaps = every(attributes, "extmap", extMapOf);
  return {
    ...place,
    ...media,
    ...inherit(transportOf(attributes), session.transport),
    lines,
    mid: last(attributes, "mid") || undefined,
    bundleOnly,
    rejected: media.port === 0 && !bundleOnly,
    direction: carriesData(media)
      ? "sendrecv"
      : (directionOf(attributes) ?? session.direction ?? "sendrecv"),
    rtpMaps: every(attributes, "rtpmap", rtpMapOf),
    formatParameters: every(attributes, "fmtp", formatParametersOf),
    feedback: every(attributes, "rtcp-fb", feedbackOf),
    extMaps: extMaps.length > 0 ? extMaps : session.extMaps,
    ssrcs: ssrcsOf(attributes),
    ssrcGroups: every(attributes, "ssrc-group", ssrcGroupOf),
    msids: every(attributes, "msid", msidOf),
    rids: every(attributes, "rid", ridOf),
    simulcast: every(attributes, "simulcast", simulcastOf).at(-1),
    candidates: every(attributes, "candidate", candidateLineOf),
    endOfCandidates: attributes.has("end-of-candidates"),
    bandwidths: bandwidthsOf(lines),
    sctpPort: sctpPortOf(media, attributes),
    maxMessageSize: integerOf(last(attributes, "max-message-size") ?? ""),
  };
}

import { type CandidateLine, candidateLineOf } from "./candidate.ts";
import {
  type Bandwidth,
  bandwidthOf,
  DIRECTIONS,
  type Direction,
  type ExtMap,
  extMapOf,
  type Feedback,
  type FormatParameters,
  feedbackOf,
  fingerprintOf,
  formatParametersOf,
  type Group,
  groupOf,
  integerOf,
  type MediaLine,
  type Msid,
  mediaLineOf,
  msidOf,
  type Origin,
  originOf,
  type Rid,
  type RtpMap,
  ridOf,
  rtpMapOf,
  type Simulcast,
  type SsrcAttribute,
  type SsrcGroup,
  simulcastOf,
  ssrcAttributeOf,
  ssrcGroupOf,
} from "./grammar.ts";
import { type Attribute, attributeOf, type Line } from "./line.ts";
import { type Noted, Notes } from "./notes.ts";
import { type Ssrc, ssrcsOf } from "./ssrc.ts";
import { inherit, type TransportAttributes } from "./transport.ts";

/** What a line says and where it stands. */
export type Lined<T> = T & { readonly line: number };

/** Lines of a description that belong together. */
export interface Part extends Noted {
  readonly lines: readonly Line[];
  /** Those that are no attributes, m-line included: few, and asked for by rules about each of their types. */
  readonly plainLines: readonly Line[];
  /** Its own, nothing inherited. */
  readonly attributes: Attributes;
  /** Attributes whose value does not fit their grammar. */
  readonly unreadable: readonly Attribute[];
}

/** What the session part (lines before the first m-line) says. */
export interface SessionPart extends Part {
  readonly origin: Lined<Origin> | undefined;
  readonly groups: readonly Lined<Group>[];
  readonly direction: Direction | undefined;
  readonly extMaps: readonly Lined<ExtMap>[];
  readonly bandwidths: readonly Lined<Bandwidth>[];
  readonly iceLite: boolean;
  readonly transport: TransportAttributes;
}

/** One m-section with what it inherits: from the session part, then from the tagged section of its bundle. */
export interface Section extends TransportAttributes, Part {
  /** What holds for it as well: attributes of the session part that it does not say itself. */
  readonly session: SessionPart;
  /** From 0. */
  readonly index: number;
  /** Number of the m-line. */
  readonly line: number;
  /** False when the m-line itself does not fit its grammar: nothing of the section counts then. */
  readonly isReadable: boolean;
  /** `audio`, `video`, `application` or another media type. */
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly mid: string | undefined;
  readonly bundleOnly: boolean;
  /** Port 0 without `a=bundle-only`, or not readable: disabled, whatever else it says. */
  readonly rejected: boolean;
  /** `sendrecv` when nothing is said, and always for SCTP, where it has no meaning (RFC 8841 s9.2). */
  readonly direction: Direction;
  readonly rtpMaps: readonly Lined<RtpMap>[];
  readonly formatParameters: readonly Lined<FormatParameters>[];
  readonly feedback: readonly Lined<Feedback>[];
  readonly extMaps: readonly Lined<ExtMap>[];
  /** Its `a=ssrc` lines. */
  readonly ssrcLines: readonly Lined<SsrcAttribute>[];
  readonly ssrcs: readonly Ssrc[];
  readonly ssrcGroups: readonly Lined<SsrcGroup>[];
  readonly msids: readonly Lined<Msid>[];
  readonly rids: readonly Lined<Rid>[];
  readonly simulcast: Lined<Simulcast> | undefined;
  /** The section's own; those of a bundle are in its tagged section. */
  readonly candidates: readonly Lined<CandidateLine>[];
  readonly endOfCandidates: boolean;
  readonly bandwidths: readonly Lined<Bandwidth>[];
  readonly sctpPort: number | undefined;
  /** Bytes; 0 is any size, absent is 64 KiB (RFC 8841 s6). */
  readonly maxMessageSize: number | undefined;
}

/** Attributes by name. */
export type Attributes = ReadonlyMap<string, readonly Attribute[]>;

/** What lines say: attributes by name, and what is none. */
type Contents = Pick<Part, "attributes" | "plainLines">;

/** Reads each line once. */
function contentsOf(lines: readonly Line[]): Contents {
  const attributes = new Map<string, Attribute[]>();
  const plainLines: Line[] = [];
  for (const line of lines) {
    if (line.type !== "a") {
      plainLines.push(line);
      continue;
    }
    const attribute = attributeOf(line);
    const known = attributes.get(attribute.name);
    if (known) known.push(attribute);
    else attributes.set(attribute.name, [attribute]);
  }
  return { attributes, plainLines };
}

/** Reads all values of an attribute with their lines; those that do not fit go to `unreadable`. */
function every<T extends object>(
  attributes: Attributes,
  unreadable: Attribute[],
  name: string,
  read: (value: string) => T | undefined,
): readonly Lined<T>[] {
  const lines = attributes.get(name);
  if (lines === undefined) return [];
  const readable: Lined<T>[] = [];
  for (const attribute of lines) {
    const value = read(attribute.value);
    if (value === undefined) unreadable.push(attribute);
    else readable.push(placed(value, attribute.line));
  }
  return readable;
}

/** Adds its line to what was just read and is nobody else's yet: to copy values of a dozen shapes would cost more. */
function placed<T extends object>(value: T & { line?: number }, line: number): Lined<T> {
  value.line = line;
  return value as Lined<T>;
}

/** The last value counts where one is allowed, as it does in browsers. */
function last(attributes: Attributes, name: string): string | undefined {
  return attributes.get(name)?.at(-1)?.value.trim();
}

function directionOf(attributes: Attributes): Direction | undefined {
  let last: { readonly name: Direction; readonly line: number } | undefined;
  for (const name of DIRECTIONS) {
    const line = attributes.get(name)?.at(-1)?.line ?? 0;
    if (line > (last?.line ?? 0)) last = { name, line };
  }
  return last?.name;
}

function bandwidthsOf(plainLines: readonly Line[]): readonly Lined<Bandwidth>[] {
  const bandwidths: Lined<Bandwidth>[] = [];
  for (const { type, value, number: line } of plainLines) {
    const bandwidth = type === "b" ? bandwidthOf(value) : undefined;
    if (bandwidth) bandwidths.push({ ...bandwidth, line });
  }
  return bandwidths;
}

function transportOf(attributes: Attributes, unreadable: Attribute[]): TransportAttributes {
  return {
    iceUfrag: last(attributes, "ice-ufrag"),
    icePwd: last(attributes, "ice-pwd"),
    fingerprints: every(attributes, unreadable, "fingerprint", fingerprintOf),
    setup: last(attributes, "setup"),
    rtcpMux: attributes.has("rtcp-mux"),
    rtcpRsize: attributes.has("rtcp-rsize"),
  };
}

/** Reads the lines before the first m-line. */
export function sessionPartOf(lines: readonly Line[]): SessionPart {
  const { attributes, plainLines } = contentsOf(lines);
  const unreadable: Attribute[] = [];
  const originLine = plainLines.find(({ type }) => type === "o");
  const origin = originLine && originOf(originLine.value);
  return {
    notes: new Notes(),
    lines,
    plainLines,
    attributes,
    unreadable,
    origin: originLine && origin && { ...origin, line: originLine.number },
    groups: every(attributes, unreadable, "group", groupOf),
    direction: directionOf(attributes),
    extMaps: every(attributes, unreadable, "extmap", extMapOf),
    bandwidths: bandwidthsOf(plainLines),
    iceLite: attributes.has("ice-lite"),
    // At session level neither rtcp-mux nor rtcp-rsize has a meaning (RFC 5761 s8, RFC 5506 s5).
    transport: { ...transportOf(attributes, unreadable), rtcpMux: false, rtcpRsize: false },
  };
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

/** What an m-line says that could not be read: enough to keep the index of the sections after it. */
const unreadableMedia = (value: string): MediaLine => ({
  kind: value.trim().replace(/ .*/s, ""),
  port: 0,
  protocol: "",
  formats: [],
});

/** Reads a section, whose lines begin with its m-line, with what it inherits from the session part. */
export function sectionOf(
  mediaLine: Line,
  lines: readonly Line[],
  index: number,
  session: SessionPart,
): Section {
  const { attributes, plainLines } = contentsOf(lines);
  const unreadable: Attribute[] = [];
  const all = <T extends object>(name: string, read: (value: string) => T | undefined) =>
    every(attributes, unreadable, name, read);
  const read = mediaLineOf(mediaLine.value);
  const media = read ?? unreadableMedia(mediaLine.value);
  const bundleOnly = attributes.has("bundle-only");
  const transport = inherit(transportOf(attributes, unreadable), session.transport);
  const extMaps = all("extmap", extMapOf);
  const rtpMaps = all("rtpmap", rtpMapOf);
  const formatParameters = all("fmtp", formatParametersOf);
  const feedback = all("rtcp-fb", feedbackOf);
  const ssrcLines = all("ssrc", ssrcAttributeOf);
  // Member by member: every rule reads sections, and those made by spreading are slower to make and to read.
  return {
    notes: new Notes(),
    session,
    index,
    line: mediaLine.number,
    isReadable: read !== undefined,
    kind: media.kind,
    port: media.port,
    protocol: media.protocol,
    formats: media.formats,
    iceUfrag: transport.iceUfrag,
    icePwd: transport.icePwd,
    fingerprints: transport.fingerprints,
    setup: transport.setup,
    rtcpMux: transport.rtcpMux,
    rtcpRsize: transport.rtcpRsize,
    lines,
    plainLines,
    attributes,
    unreadable,
    mid: last(attributes, "mid") || undefined,
    bundleOnly,
    rejected: read === undefined || (media.port === 0 && !bundleOnly),
    direction: carriesData(media)
      ? "sendrecv"
      : (directionOf(attributes) ?? session.direction ?? "sendrecv"),
    rtpMaps,
    formatParameters,
    feedback,
    extMaps: extMaps.length > 0 ? extMaps : session.extMaps,
    ssrcLines,
    ssrcs: ssrcsOf(ssrcLines),
    ssrcGroups: all("ssrc-group", ssrcGroupOf),
    msids: all("msid", msidOf),
    rids: all("rid", ridOf),
    simulcast: all("simulcast", simulcastOf).at(-1),
    candidates: all("candidate", candidateLineOf),
    endOfCandidates: attributes.has("end-of-candidates"),
    bandwidths: bandwidthsOf(plainLines),
    sctpPort: sctpPortOf(media, attributes),
    maxMessageSize: integerOf(last(attributes, "max-message-size") ?? ""),
  };
}

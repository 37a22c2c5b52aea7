import type { RtpMap } from "./grammar.ts";
import { listedFormats } from "./inherited.ts";
import { once } from "./notes.ts";
import type { Section } from "./section.ts";

type StaticEntry = readonly [format: number, name: string, rate: number, channels?: number];

const STATIC: readonly StaticEntry[] = [
  [0, "PCMU", 8000],
  [3, "GSM", 8000],
  [4, "G723", 8000],
  [5, "DVI4", 8000],
  [6, "DVI4", 16_000],
  [7, "LPC", 8000],
  [8, "PCMA", 8000],
  [9, "G722", 8000],
  [10, "L16", 44_100, 2],
  [11, "L16", 44_100],
  [12, "QCELP", 8000],
  [13, "CN", 8000],
  [14, "MPA", 90_000],
  [15, "G728", 8000],
  [16, "DVI4", 11_025],
  [17, "DVI4", 22_050],
  [18, "G729", 8000],
  [25, "CelB", 90_000],
  [26, "JPEG", 90_000],
  [28, "nv", 90_000],
  [31, "H261", 90_000],
  [32, "MPV", 90_000],
  [33, "MP2T", 90_000],
  [34, "H263", 90_000],
];

/** What payload types mean that need no rtpmap (RFC 3551 s6), by the payload type as it is spelt. */
export const STATIC_RTP_MAPS: ReadonlyMap<string, RtpMap> = new Map(
  STATIC.map(([format, name, rate, channels]) => [
    String(format),
    { format: String(format), name, rate, channels },
  ]),
);

/** A parameter of a format, `apt=96`, and the line that says it. */
export interface Parameter {
  readonly value: string;
  readonly line: number;
}

/** One payload type of an m-line with what the attributes of its section say about it. */
export interface PayloadType {
  /** As it is spelt on the m-line. */
  readonly format: string;
  /** Of the encoding, in lower case. */
  readonly name: string;
  /** Hz */
  readonly rate: number;
  readonly channels: number;
  /** Number of its rtpmap line, or of the m-line where it needs none. */
  readonly line: number;
  /** By name in lower case. */
  readonly parameters: ReadonlyMap<string, Parameter>;
}

/** `apt=96;rtx-time=3000`; blanks part them as well, as some stacks write them. */
const PARAMETER_END = /[;\s]+/;

/** The parameters in a text; an empty one has no name. */
export const parametersIn = (text: string): readonly string[] =>
  text.split(/\s/.test(text) ? PARAMETER_END : ";");

function addParameters(known: Map<string, Parameter>, text: string, line: number): void {
  for (const part of parametersIn(text)) {
    const equals = part.indexOf("=");
    if (equals > 0) {
      known.set(part.slice(0, equals).toLowerCase(), { value: part.slice(equals + 1), line });
    }
  }
}

const NO_PARAMETERS: PayloadType["parameters"] = new Map();

/**
 * The payload types of a section in its order, each once; those that nothing maps to an encoding are left out. A dozen
 * rules ask for those of the same section, which may be a hundred thousand.
 */
export const payloadTypesOf = once(readPayloadTypes);

function readPayloadTypes(section: Section): readonly PayloadType[] {
  const maps = new Map(section.rtpMaps.map((map) => [map.format, map]));
  const parameters = new Map<string, Map<string, Parameter>>();
  for (const { format, parameters: text, line } of section.formatParameters) {
    const known = parameters.get(format) ?? new Map<string, Parameter>();
    addParameters(known, text, line);
    parameters.set(format, known);
  }
  const payloadTypes: PayloadType[] = [];
  for (const format of listedFormats(section)) {
    const said = maps.get(format);
    const map = said ?? STATIC_RTP_MAPS.get(format);
    if (!map) continue;
    payloadTypes.push({
      format,
      name: map.name.toLowerCase(),
      rate: map.rate,
      channels: map.channels ?? 1,
      line: said?.line ?? section.line,
      parameters: parameters.get(format) ?? NO_PARAMETERS,
    });
  }
  return payloadTypes;
}

/** What the payload types of a section are called, in lower case: a dozen rules are about one encoding each. */
export const encodingsOf = once(
  (section: Section): ReadonlySet<string> =>
    new Set(payloadTypesOf(section).map(({ name }) => name)),
);

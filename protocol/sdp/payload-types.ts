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
  /** What is said of its parameters, line by line. */
  readonly said: Section["formatParameters"];
}

/** `apt=96;rtx-time=3000`; blanks part them as well, as some stacks write them. */
const PARAMETER_END = /[;\s]+/;

/** The parameters in a text; an empty one has no name. */
export const parametersIn = (text: string): readonly string[] =>
  text.split(/\s/.test(text) ? PARAMETER_END : ";");

/** The parameter of this name in lower case; of several the last. Few formats are asked for any. */
export function parameterOf({ said }: PayloadType, name: string): Parameter | undefined {
  let found: Parameter | undefined;
  for (const { parameters, line } of said) {
    for (const part of parametersIn(parameters)) {
      const equals = part.indexOf("=");
      if (equals === name.length && part.slice(0, equals).toLowerCase() === name) {
        found = { value: part.slice(equals + 1), line };
      }
    }
  }
  return found;
}

const NOTHING_SAID: PayloadType["said"] = [];

/** The rtpmap of each format; of several the last. */
export const rtpMapsByFormat = once(
  ({ rtpMaps }: Section): ReadonlyMap<string, Section["rtpMaps"][number]> => {
    const maps = new Map<string, Section["rtpMaps"][number]>();
    for (const map of rtpMaps) maps.set(map.format, map);
    return maps;
  },
);

/** The fmtp lines of each format. */
const parametersByFormat = once(
  ({ formatParameters }: Section): ReadonlyMap<string, PayloadType["said"]> => {
    const lines = new Map<string, PayloadType["said"][number][]>();
    for (const line of formatParameters) {
      const known = lines.get(line.format);
      if (known) known.push(line);
      else lines.set(line.format, [line]);
    }
    return lines;
  },
);

/** What a section says of the parameters of a format, line by line. */
export const parametersSaid = (section: Section, format: string): PayloadType["said"] =>
  section.formatParameters.length === 0
    ? NOTHING_SAID
    : (parametersByFormat(section).get(format) ?? NOTHING_SAID);

/**
 * The payload types of a section in its order, each once; those that nothing maps to an encoding are left out. A dozen
 * rules ask for those of the same section, which may be a hundred thousand.
 */
export const payloadTypesOf = once((section: Section): readonly PayloadType[] => {
  const maps = rtpMapsByFormat(section);
  const payloadTypes: PayloadType[] = [];
  for (const format of listedFormats(section)) {
    const own = maps.get(format);
    const map = own ?? STATIC_RTP_MAPS.get(format);
    if (!map) continue;
    payloadTypes.push({
      format,
      name: map.name.toLowerCase(),
      rate: map.rate,
      channels: map.channels ?? 1,
      line: own?.line ?? section.line,
      said: parametersSaid(section, format),
    });
  }
  return payloadTypes;
});

/** What the payload types of a section are called, in lower case: a dozen rules are about one encoding each. */
export const encodingsOf = once((section: Section): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { name } of payloadTypesOf(section)) names.add(name);
  return names;
});

import type { Codec } from "../flow.ts";
import type { RtpMap } from "../sdp/grammar.ts";
import type { Section } from "../sdp/section.ts";

/** Payload types that need no rtpmap (RFC 3551 s6). */
const STATIC: ReadonlyMap<string, readonly [name: string, rate: number, channels?: number]> =
  new Map([
    ["0", ["PCMU", 8000]],
    ["3", ["GSM", 8000]],
    ["4", ["G723", 8000]],
    ["5", ["DVI4", 8000]],
    ["6", ["DVI4", 16_000]],
    ["7", ["LPC", 8000]],
    ["8", ["PCMA", 8000]],
    ["9", ["G722", 8000]],
    ["10", ["L16", 44_100, 2]],
    ["11", ["L16", 44_100]],
    ["12", ["QCELP", 8000]],
    ["13", ["CN", 8000]],
    ["14", ["MPA", 90_000]],
    ["15", ["G728", 8000]],
    ["16", ["DVI4", 11_025]],
    ["17", ["DVI4", 22_050]],
    ["18", ["G729", 8000]],
    ["25", ["CelB", 90_000]],
    ["26", ["JPEG", 90_000]],
    ["28", ["nv", 90_000]],
    ["31", ["H261", 90_000]],
    ["32", ["MPV", 90_000]],
    ["33", ["MP2T", 90_000]],
    ["34", ["H263", 90_000]],
  ]);

const ROLES: ReadonlyMap<string, Codec["role"]> = new Map([
  ["rtx", "rtx"],
  ["red", "red"],
  ["ulpfec", "fec"],
  ["flexfec", "fec"],
  ["flexfec-03", "fec"],
  ["parityfec", "fec"],
  ["cn", "cn"],
  ["telephone-event", "dtmf"],
]);

const MAX_PAYLOAD_TYPE = 127;

function mapOf(format: string, maps: ReadonlyMap<string, RtpMap>): RtpMap | undefined {
  const said = maps.get(format);
  if (said) return said;
  const known = STATIC.get(format);
  return known && { format, name: known[0], rate: known[1], channels: known[2] };
}

/** The codecs of a section in its order, with the payload types and parameters it gives them. */
export function codecsOf(section: Section): readonly Codec[] {
  const maps = new Map(section.rtpMaps.map((map) => [map.format, map]));
  const parameters = new Map(
    section.formatParameters.map(({ format, parameters: text }) => [format, text]),
  );
  return [...new Set(section.formats)].flatMap((format): Codec[] => {
    const map = mapOf(format, maps);
    if (!map || !/^\d{1,3}$/.test(format) || Number(format) > MAX_PAYLOAD_TYPE) return [];
    const fmtp = parameters.get(format);
    return [
      {
        pt: Number(format),
        name: map.name,
        rate: map.rate,
        ...(map.channels === undefined ? {} : { channels: map.channels }),
        ...(fmtp === undefined ? {} : { fmtp }),
        role: ROLES.get(map.name.toLowerCase()) ?? "primary",
      },
    ];
  });
}

/** `opus/48000/2`: what tells codecs apart, whatever payload type they have. */
export const encodingOf = ({ name, rate, channels = 1 }: Codec): string =>
  `${name.toLowerCase()}/${rate}/${channels}`;

/** `apt=96` in the parameters of rtx (RFC 4588 s8.1). */
const protectedBy = ({ fmtp = "" }: Codec): number | undefined => {
  const found = /(?:^|[;\s])apt=(\d{1,3})(?!\d)/.exec(fmtp);
  return found ? Number(found[1]) : undefined;
};

/**
 * What the sender may send: the receiver's codecs, in its order and with its payload types, that the
 * sender lists too (RFC 3264 s6.1). Compared by name, rate and channels; rtx stays with what it repairs.
 */
export function commonCodecs(sender: Section, receiver: Section): readonly Codec[] {
  const sent = new Set(codecsOf(sender).map(encodingOf));
  const common = codecsOf(receiver).filter((codec) => sent.has(encodingOf(codec)));
  const payloadTypes = new Set(common.map(({ pt }) => pt));
  return common.filter((codec) => {
    const repaired = codec.role === "rtx" ? protectedBy(codec) : undefined;
    return repaired === undefined || payloadTypes.has(repaired);
  });
}

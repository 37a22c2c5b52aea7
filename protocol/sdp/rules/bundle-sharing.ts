import type { RtpMap } from "../grammar.ts";
import { certificatesOf, extensionOf, extensionsOf, listedFormats, once } from "../inherited.ts";
import { at, carriesMedia, type DescriptionRule, type Hit } from "../rule.ts";
import type { Section } from "../section.ts";
import { eachBundle } from "./scopes.ts";
import { type Saying, unlike, unlikeExtension } from "./unlike.ts";

const MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid";

/** Channels are 1 when nothing is said (RFC 8866 s6.6). */
const codecOf = ({ name, rate, channels = 1 }: RtpMap): string =>
  `${name.toLowerCase()}/${rate}/${channels}`;

/** What counts is on the m-line. */
const mapsOf = once((section: Section): Section["rtpMaps"] => {
  const listed = listedFormats(section);
  return section.rtpMaps.filter(({ format }) => listed.has(format));
});

/** The order of parameters does not matter. */
const parameterSet = (texts: readonly string[]): string =>
  texts
    .flatMap((text) => text.split(";"))
    .map((parameter) => parameter.trim().toLowerCase())
    .filter((parameter) => parameter !== "")
    .toSorted()
    .join(";");

/** What is said in the same words needs no closer look. */
const verbatim = (texts: readonly string[]): string => texts.join(";");

const parametersOf =
  (as: (texts: readonly string[]) => string) =>
  (section: Section): Saying[] => {
    const lines = Map.groupBy(section.formatParameters, ({ format }) => format);
    // Once per format: rtpmaps of one format are as many as a hostile peer likes, and so are its parameters.
    const maps = new Map(mapsOf(section).map((map) => [map.format, map]));
    return [...maps.values()].map((map) => {
      const said = lines.get(map.format) ?? [];
      return {
        of: `${map.format} ${section.kind} ${codecOf(map)}`,
        says: as(said.map(({ parameters }) => parameters)),
        hit: () => ({ line: (said[0] ?? map).line, detail: `payload type ${map.format}` }),
      };
    });
  };

const saidUnlike = unlike(parametersOf(verbatim));
const meantUnlike = unlike(parametersOf(parameterSet));

/** Its packets say which section they belong to (RFC 9143 s15). */
export const tellsMid = (section: Section): boolean => extensionsOf(section).has(MID_URI);

const sends = (section: Section): boolean =>
  carriesMedia(section) && (section.direction === "sendrecv" || section.direction === "sendonly");

/** Sections of a bundle whose packets nothing but a shared payload type tells from those of another. */
function ambiguous(members: readonly Section[]): Hit[] {
  const users = new Map<string, number>();
  const senders = members.filter(sends);
  for (const { formats } of senders) {
    for (const format of new Set(formats)) users.set(format, (users.get(format) ?? 0) + 1);
  }
  return senders.flatMap((section) => {
    const shared = section.formats.find((format) => users.get(format) !== 1);
    return shared === undefined || section.ssrcs.length > 0 || tellsMid(section)
      ? []
      : [{ section, detail: `payload type ${shared}` }];
  });
}

const differentCredentials = unlike((section) =>
  section.iceUfrag === undefined
    ? []
    : [
        {
          of: "credentials",
          says: `${section.iceUfrag} ${section.icePwd}`,
          hit: () => at(section, "ice-ufrag"),
        },
      ],
);

/** Rules about what sections of one bundle must share or may not share (RFC 9143 s9, RFC 8859). */
export const BUNDLE_SHARING_RULES: readonly DescriptionRule[] = [
  {
    id: "bundle-proto-mixed",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 9143 s9.1",
    condition: "audio and video sections of a bundle have different protocols",
    message:
      "the sections of a bundle are one RTP session and need one protocol; use UDP/TLS/RTP/SAVPF for all",
    find: unlike((section) =>
      carriesMedia(section)
        ? [
            {
              of: "protocol",
              says: section.protocol,
              hit: () => ({ detail: section.protocol }),
            },
          ]
        : [],
    ),
  },
  {
    id: "bundle-ice-ufrag-differs",
    on: "both",
    level: "info",
    answerLevel: "error",
    strict: "warning",
    source: "RFC 9143 s7.1.3, RFC 8839 s5.4",
    condition:
      "two sections of a bundle have different ICE credentials; always an error in answers",
    message:
      "a bundle has one transport and so one pair of credentials; an offer may say more in case the bundle is declined, but Pion refuses it, and an answer may not",
    find: (subject) =>
      differentCredentials(subject).map((hit) =>
        subject.role === "answer" ? { ...hit, level: "error" } : hit,
      ),
  },
  {
    id: "bundle-fingerprint-differs",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8829 s5.2.1",
    condition: "two sections of a bundle have different sets of fingerprints",
    message:
      "a bundle has one DTLS association and so one set of certificates; only those of the first section count, use the same for all",
    find: unlike((section) =>
      section.fingerprints.length === 0
        ? []
        : [
            {
              of: "fingerprints",
              says: certificatesOf(section),
              hit: () => at(section, "fingerprint"),
            },
          ],
    ),
  },
  {
    id: "bundle-payload-type-conflict",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8834 s4.3, RFC 9143 s9.1.1",
    requirements: ["R4.3-5"],
    condition:
      "a payload type means two media, codecs, clock rates or channel counts in one bundle",
    message:
      "another section of the bundle gives this number to another format, so receivers cannot tell the packets apart; number one of them anew",
    find: unlike((section) =>
      mapsOf(section).map((map) => ({
        of: map.format,
        says: `${section.kind} ${codecOf(map)}`,
        hit: () => ({ line: map.line, detail: `payload type ${map.format}` }),
      })),
    ),
  },
  {
    id: "bundle-payload-type-fmtp-differs",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8859, RFC 9143 s9.1.1",
    requirements: ["R4.3-5"],
    condition:
      "a payload type of the same codec has different parameters in two sections of a bundle",
    message:
      "another section of the bundle gives this payload type other parameters; receivers may use either, so make them equal or take another number",
    find: (subject) => (saidUnlike(subject).length === 0 ? [] : meantUnlike(subject)),
  },
  {
    id: "bundle-extmap-id-conflict",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8285 s5, RFC 8859",
    condition: "an id below 4096 means two header extensions in one bundle",
    message:
      "another section of the bundle gives this id to another header extension, and Chromium will refuse the description; give each extension one id throughout",
    find: unlikeExtension((map) => ({
      of: map.id,
      says: extensionOf(map),
      hit: () => ({ line: map.line, detail: `id ${map.id}` }),
    })),
  },
  {
    id: "bundle-extmap-uri-two-ids",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8285 s5, RFC 8859",
    condition: "a header extension has different ids below 4096 in one bundle",
    message:
      "another section of the bundle gives this header extension another id, which uses up ids; one id throughout is enough",
    find: unlikeExtension((map) => ({
      of: extensionOf(map),
      says: map.id,
      hit: () => ({ line: map.line, detail: `id ${map.id}` }),
    })),
  },
  {
    id: "bundle-ssrc-duplicate",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 9143 s9.1, RFC 3550 s8",
    requirements: ["R4.1-6"],
    condition: "two sections of a bundle announce the same SSRC",
    message:
      "another section of the bundle announces this SSRC, and Chromium cannot answer that; each source needs a random one of its own",
    find: unlike((section) =>
      section.ssrcs.map(({ ssrc, line }) => ({
        of: ssrc,
        says: section.index,
        hit: () => ({ line, detail: `SSRC ${ssrc}` }),
      })),
    ),
  },
  {
    id: "demux-ambiguous",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 9143 s9.2, RFC 8834 s4.3",
    requirements: ["R4.3-4"],
    condition:
      "a section that sends in a bundle has no MID header extension and no SSRCs, and shares a payload type with another that sends",
    message:
      "packets with this payload type may be of several sections and nothing tells of which; add the MID header extension or a=ssrc",
    find: eachBundle(ambiguous),
  },
  {
    id: "mid-extension-missing",
    on: "both",
    level: "info",
    strict: "error",
    source: "RFC 9143 s9.1",
    requirements: ["R5.2.4-1"],
    condition: "an audio or video section of a bundle has no `sdes:mid` header extension",
    message:
      "packets of this section do not tell their mid, so receivers go by SSRC and payload type; offer the MID header extension",
    find: eachBundle((members) =>
      members
        .filter((section) => carriesMedia(section) && !tellsMid(section))
        .map((section) => ({ section })),
    ),
  },
];

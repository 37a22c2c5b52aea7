import type { RtpMap } from "../grammar.ts";
import { extensionOf, extensionsOf, listedFormats, sharesCertificates } from "../inherited.ts";
import { at, carriesMedia, type DescriptionRule, type Hit, NO_HITS } from "../rule.ts";
import type { Section } from "../section.ts";
import { areVerbatim, describedMapsOf, disputedMapsOf, isSameCodec } from "./disputed-formats.ts";
import { eachBundle } from "./scopes.ts";
import { unlike, unlikeExtension, unlikeFirst } from "./unlike.ts";

const MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid";

/** Channels are 1 when nothing is said (RFC 8866 s6.6). */
const codecOf = ({ name, rate, channels = 1 }: RtpMap): string =>
  `${name.toLowerCase()}/${rate}/${channels}`;

/** The order of parameters does not matter. */
const parameterSet = (texts: readonly string[]): string =>
  texts
    .flatMap((text) => text.split(";"))
    .map((parameter) => parameter.trim().toLowerCase())
    .filter((parameter) => parameter !== "")
    .toSorted()
    .join(";");

const hasFingerprints = ({ fingerprints }: Section): boolean => fingerprints.length > 0;

/** Its packets say which section they belong to (RFC 9143 s15). */
export const tellsMid = (section: Section): boolean => extensionsOf(section).has(MID_URI);

const sends = (section: Section): boolean =>
  carriesMedia(section) && (section.direction === "sendrecv" || section.direction === "sendonly");

/** Sections of a bundle whose packets nothing but a shared payload type tells from those of another. */
function ambiguous(members: readonly Section[]): readonly Hit[] {
  const senders = members.filter(sends);
  const untold = senders.filter((section) => section.ssrcs.length === 0 && !tellsMid(section));
  if (untold.length === 0) return NO_HITS;
  const users = new Map<string, number>();
  for (const section of senders) {
    for (const format of listedFormats(section)) users.set(format, (users.get(format) ?? 0) + 1);
  }
  return untold.flatMap((section) => {
    const shared = section.formats.find((format) => users.get(format) !== 1);
    return shared === undefined ? [] : [{ section, detail: `payload type ${shared}` }];
  });
}

const differentCredentials = unlikeFirst(
  ({ iceUfrag }) => iceUfrag !== undefined,
  ({ iceUfrag, icePwd }, first) => iceUfrag === first.iceUfrag && icePwd === first.icePwd,
  (section) => at(section, "ice-ufrag"),
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
    find: unlikeFirst(
      carriesMedia,
      ({ protocol }, first) => protocol === first.protocol,
      ({ protocol }) => ({ detail: protocol }),
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
      differentCredentials(subject).map(
        (hit): Hit => (subject.role === "answer" ? { ...hit, level: "error" } : hit),
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
    find: unlikeFirst(
      hasFingerprints,
      (section, first) =>
        section.fingerprints === first.fingerprints || sharesCertificates(section, first),
      (section) => at(section, "fingerprint"),
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
    find: unlike(disputedMapsOf, {
      of: ({ format }) => format,
      says: (map, { kind }) => `${kind} ${codecOf(map)}`,
      isSame: isSameCodec,
      hit: ({ format, line }) => ({ line, detail: `payload type ${format}` }),
    }),
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
    find: unlike(describedMapsOf, {
      of: ({ map }, { kind }) => `${map.format} ${kind} ${codecOf(map)}`,
      says: ({ said }) => parameterSet(said.map(({ parameters }) => parameters)),
      isSame: (described, _section, { item }) => areVerbatim(described.said, item.said),
      hit: ({ map, said }) => ({
        line: (said[0] ?? map).line,
        detail: `payload type ${map.format}`,
      }),
    }),
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
    find: unlikeExtension({
      of: ({ id }) => id,
      says: extensionOf,
      isSame: ({ uri, attributes }, _section, { item }) =>
        uri === item.uri && attributes === item.attributes,
      hit: ({ line, id }) => ({ line, detail: `id ${id}` }),
    }),
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
    find: unlikeExtension({
      of: extensionOf,
      says: ({ id }) => id,
      isSame: ({ id }, _section, { item }) => id === item.id,
      hit: ({ line, id }) => ({ line, detail: `id ${id}` }),
    }),
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
    find: unlike(({ ssrcs }) => ssrcs, {
      of: ({ ssrc }) => ssrc,
      says: (_source, { index }) => index,
      isSame: (_source, { index }, { section }) => index === section.index,
      hit: ({ line, ssrc }) => ({ line, detail: `SSRC ${ssrc}` }),
    }),
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

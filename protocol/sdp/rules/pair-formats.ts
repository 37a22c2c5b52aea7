import type { Codec } from "../../flow.ts";
import { codecsOf, commonCodecs } from "../../flows/codecs.ts";
import { listedFormats } from "../inherited.ts";
import { once } from "../notes.ts";
import {
  carriesMedia,
  eachPair,
  type Hit,
  type LivePair,
  NO_HITS,
  type PairRule,
} from "../rule.ts";
import type { Section } from "../section.ts";

/** A payload type that both sides list, with what each takes it for. */
interface SharedType {
  readonly offered: Codec;
  readonly answered: Codec;
}

/** Payload types that both sides of an RTP section list and explain. */
const sharedTypes = once(({ offered, answered }: LivePair): readonly SharedType[] => {
  if (!carriesMedia(answered)) return [];
  const known = new Map<number, Codec>();
  for (const codec of codecsOf(offered)) known.set(codec.pt, codec);
  const shared: SharedType[] = [];
  for (const codec of codecsOf(answered)) {
    const counterpart = known.get(codec.pt);
    if (counterpart) shared.push({ offered: counterpart, answered: codec });
  }
  return shared;
});

/** A hit for each codec, at the line that says what it is: its fmtp if that matters, its rtpmap, else the m-line. */
function atCodecs(
  { rtpMaps, formatParameters }: Section,
  codecs: readonly Codec[],
  by: "rtpmap" | "fmtp",
): readonly Hit[] {
  if (codecs.length === 0) return NO_HITS;
  const said = by === "fmtp" ? [...rtpMaps, ...formatParameters] : rtpMaps;
  const lines = new Map(said.map(({ format, line }) => [format, line]));
  return codecs.map(({ pt }) => ({ line: lines.get(String(pt)), detail: `payload type ${pt}` }));
}

const nameOf = ({ name }: Codec): string => name.toLowerCase();

const isSame = ({ offered, answered }: SharedType): boolean =>
  offered.rate === answered.rate &&
  (offered.name === answered.name || nameOf(offered) === nameOf(answered));

/** What the pattern finds in the parameters of a format. */
const parameterOf = ({ fmtp = "" }: Codec, pattern: RegExp): string | undefined =>
  pattern.exec(fmtp)?.[1];

const APT = /(?:^|[;\s])apt=(\d{1,3})(?!\d)/i;
const PROFILE = /(?:^|[;\s])profile-level-id=([\da-f]{2})/i;
const PACKETIZATION = /(?:^|[;\s])packetization-mode=(\d)/i;
const USEDTX = /(?:^|[;\s])usedtx=(1)(?!\d)/i;

/** Baseline in single NAL units is what H264 is when nothing is said (RFC 6184 s8.1). */
const h264ConfigurationOf = (codec: Codec): string => {
  const profile = parameterOf(codec, PROFILE) ?? "42";
  return `${profile.toLowerCase()} ${parameterOf(codec, PACKETIZATION) ?? "0"}`;
};

/** What repairs or wraps other formats is no media by itself. */
const carriesContent = ({ role }: Codec): boolean =>
  role !== "rtx" && role !== "red" && role !== "fec";

const isCommon = (shared: SharedType): boolean => {
  const { offered, answered } = shared;
  return carriesContent(answered) && isSame(shared) && offered.channels === answered.channels;
};

const sendsWithDtx = (section: Section): boolean | undefined => {
  const opus = codecsOf(section).find((codec) => nameOf(codec) === "opus");
  return opus && parameterOf(opus, USEDTX) !== undefined;
};

/** Payload types and formats of an answer against those of its offer (RFC 3264 s6.1). */
export const PAIR_FORMAT_RULES: readonly PairRule[] = [
  {
    id: "payload-no-common-format",
    level: "error",
    strict: "error",
    source: "RFC 3264 s6.1, RFC 8829 s5.3.1",
    requirements: ["R4.3-1"],
    condition: "a section is accepted with no codec in common by name, clock rate and channels",
    message:
      "no codec of the answer is in the offer, so no media can flow; answer with codecs of the offer or reject the m-section with port 0",
    find: eachPair((pair) => {
      const { offered, answered } = pair;
      // Mostly the first payload type that both have means the same to both.
      if (!carriesMedia(answered) || sharedTypes(pair).some(isCommon)) return NO_HITS;
      const isAsked = codecsOf(offered).some(carriesContent);
      return isAsked && !commonCodecs(offered, answered).some(carriesContent) ? [{}] : NO_HITS;
    }),
  },
  {
    id: "payload-type-not-offered",
    level: "info",
    strict: "warning",
    source: "RFC 3264 s6.1",
    condition: "the answer lists a payload type that is not in the offer",
    message:
      "the offer does not have this payload type; that is allowed, but the offerer may neither send nor expect it",
    find: eachPair((pair) => {
      const { offered, answered } = pair;
      const all = codecsOf(answered);
      if (!carriesMedia(answered) || sharedTypes(pair).length === all.length) return NO_HITS;
      const known = new Set(codecsOf(offered).map(({ pt }) => pt));
      const added = all.filter(({ pt }) => !known.has(pt));
      return atCodecs(answered, added, "rtpmap");
    }),
  },
  {
    id: "payload-type-remapped",
    level: "error",
    strict: "error",
    source: "RFC 3264 s6.1, RFC 9143 s9.1.1",
    requirements: ["R4.3-1"],
    condition: "a payload type is another codec or clock rate in the answer than in the offer",
    message:
      "this payload type means another codec in the offer; browsers accept that and then decode nothing, so give each codec the payload type it was offered with",
    find: eachPair((pair) => {
      const remapped = sharedTypes(pair).filter((shared) => !isSame(shared));
      return atCodecs(
        pair.answered,
        remapped.map(({ answered }) => answered),
        "rtpmap",
      );
    }),
  },
  {
    id: "h264-packetization-mode-mismatch",
    level: "warning",
    strict: "warning",
    source: "RFC 6184 s8.2.2",
    condition: "a payload type is H264 on both sides with another packetization-mode or profile",
    message:
      "packetization-mode and the profile of H264 cannot be changed by an answer; repeat those of the offer for this payload type or leave it out",
    find: eachPair((pair) => {
      const changed = sharedTypes(pair).filter(
        (shared) =>
          nameOf(shared.answered) === "h264" &&
          isSame(shared) &&
          h264ConfigurationOf(shared.offered) !== h264ConfigurationOf(shared.answered),
      );
      return atCodecs(
        pair.answered,
        changed.map(({ answered }) => answered),
        "fmtp",
      );
    }),
  },
  {
    id: "fmtp-usedtx-asymmetric",
    level: "off",
    strict: "info",
    source: "RFC 8829 s5.3.3.1",
    condition: "only one side asks for discontinuous transmission of Opus (usedtx=1)",
    message:
      "silence is suppressed in one direction only; set usedtx on both sides if it is meant for both",
    find: eachPair(({ offered, answered }) => {
      const [asked, granted] = [sendsWithDtx(offered), sendsWithDtx(answered)];
      const opus = codecsOf(answered).filter((codec) => nameOf(codec) === "opus");
      const isEqual = asked === undefined || granted === undefined || asked === granted;
      return isEqual ? [] : atCodecs(answered, opus.slice(0, 1), "fmtp");
    }),
  },
  {
    id: "rtx-answered-without-primary",
    level: "error",
    strict: "error",
    source: "RFC 4588 s8.1",
    condition: "the answer keeps an offered rtx payload type but not the one that it repairs",
    message:
      "the answer has retransmission for a codec that it dropped; drop its rtx payload type as well",
    find: eachPair((pair) => {
      const listed = listedFormats(pair.answered);
      const orphans = sharedTypes(pair).filter(({ offered, answered }) => {
        if (offered.role !== "rtx" || answered.role !== "rtx") return false;
        const repaired = parameterOf(answered, APT) ?? parameterOf(offered, APT);
        return repaired !== undefined && !listed.has(repaired);
      });
      return atCodecs(
        pair.answered,
        orphans.map(({ answered }) => answered),
        "fmtp",
      );
    }),
  },
];

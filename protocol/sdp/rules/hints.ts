import { rtpMapsByFormat } from "../payload-types.ts";
import {
  at,
  carriesMedia,
  type DescriptionRule,
  type DescriptionSubject,
  type Hit,
  type Hits,
  located,
  NO_HITS,
  own,
  type PlacedCandidate,
} from "../rule.ts";
import type { Section } from "../section.ts";
import { middleboxSign } from "./naming.ts";
import { secondTrack } from "./sources.ts";

/** Peers of before WebRTC are to stay usable: with less, or through a gateway. */
const LEGACY = ["R2-2", "R4.1-14", "RA.4.2-1"];

/** Hints are told once, of the first of some sections: they are about the peer, and every section shows the same. */
function first(sections: readonly Section[], find: (section: Section) => Hit | false): Hits {
  for (const section of sections) {
    const hit = find(section);
    if (hit) return [located(section, hit)];
  }
  return NO_HITS;
}

const inUse = ({ description }: DescriptionSubject): readonly Section[] => description.live;

/** Of the first section in use that shows it. */
const once =
  (find: (section: Section) => Hit | false): DescriptionRule["find"] =>
  (subject) =>
    first(inUse(subject), find);

/** Of the first that says an attribute and shows it. */
const onceSaying =
  (name: string, find: (section: Section) => Hit | false): DescriptionRule["find"] =>
  ({ description: { saying } }) =>
    first(saying.get(name) ?? [], find);

/** Profiles without early feedback: the name ends with AVP or SAVP instead of AVPF or SAVPF. */
const isWithoutFeedback = ({ protocol }: Section): boolean => /(?:^|\/)S?AVP$/.test(protocol);

const saysFeedback = ({ attributes }: Section): boolean => attributes.has("rtcp-fb");

const ICE_OPTIONS_BLANK = /[ ,]+/;

/** libdatachannel puts commas between the options. */
const saysTrickle = (part: Pick<Section, "attributes">): boolean =>
  own(part, "ice-options").some(({ value }) => value.split(ICE_OPTIONS_BLANK).includes("trickle"));

/** Formats that only protect or repeat another one. */
const REPAIR = /^(?:rtx|red|ulpfec|parityfec|flexfec.*)$/;

/** Names of the codecs of a section, lower case. */
function codecsOf(section: Section): readonly string[] {
  const maps = rtpMapsByFormat(section);
  return section.formats
    .map((format) => maps.get(format)?.name.toLowerCase() ?? `payload type ${format}`)
    .filter((name) => !REPAIR.test(name));
}

/** Says what holds for all candidates of a description that can be read, if there are any. */
function ofCandidates(
  holds: (candidate: NonNullable<PlacedCandidate["parts"]>) => boolean,
): DescriptionRule["find"] {
  return ({ description: { saying } }) => {
    let first: Hit | undefined;
    for (const section of saying.get("candidate") ?? []) {
      for (const { parts, line } of section.candidates) {
        if (!parts) continue;
        if (!holds(parts)) return NO_HITS;
        first ??= { section, line };
      }
    }
    return [first];
  };
}

/** Advice to the application about the peer and the way to it; never a reason to refuse anything. */
export const HINT_RULES: readonly DescriptionRule[] = [
  {
    id: "legacy-profile-label",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.1.2",
    requirements: LEGACY,
    condition: "the protocol of a section is RTP/SAVP or RTP/SAVPF",
    message:
      "the peer labels its media as peers did before RFC 5764; an answer to it must have the same label",
    find: once(({ protocol }) => /^RTP\/SAVPF?$/.test(protocol) && {}),
  },
  {
    id: "legacy-avp-peer",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8834 s4.2",
    requirements: [...LEGACY, "R7.3-2", "R7.3-3"],
    condition: "a section has a profile without feedback, or no section has any `a=rtcp-fb`",
    message:
      "the peer tells of congestion only every few seconds; keep bit rates low on the way to it",
    find: (subject) => {
      const media = inUse(subject).filter(carriesMedia);
      const plain = media.find(isWithoutFeedback);
      const section = plain ?? (media.some(saysFeedback) ? undefined : media[0]);
      return section ? [{ section }] : NO_HITS;
    },
  },
  {
    id: "legacy-trr-int-missing",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8108 s7.1.3",
    requirements: [...LEGACY, "R4.2-2"],
    condition: "a section has the profile AVP or SAVP and no `a=rtcp-fb`",
    message:
      "the peer keeps the slow RTCP timing of plain AVP; use trr-int 4000 in what is sent to it, so that it does not take the sender for gone",
    find: once((section) => isWithoutFeedback(section) && !saysFeedback(section) && {}),
  },
  {
    id: "legacy-no-mux",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8834 s4.5",
    requirements: LEGACY,
    condition: "a section for audio or video has neither `a=rtcp-mux` nor `a=rtcp-mux-only`",
    message:
      "RTCP needs an ICE component of its own here, which Chromium and Firefox do not open in a bundle; connect this peer through a gateway",
    find: once(
      (section) =>
        carriesMedia(section) && !section.rtcpMux && !section.attributes.has("rtcp-mux-only") && {},
    ),
  },
  {
    id: "legacy-no-bundle",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8834 s4.4",
    requirements: LEGACY,
    condition: "two or more sections are in use and no BUNDLE group names any",
    message:
      "every m-section gets a transport of its own, each with ICE and DTLS; expect more candidates and a slower start",
    find: (subject) => {
      const isBundled = subject.description.bundles.some((mids) => mids.length > 0);
      const [, second] = inUse(subject);
      return second && !isBundled ? [{ section: second }] : [];
    },
  },
  {
    id: "legacy-no-mid",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.2.1",
    requirements: LEGACY,
    condition: "a section has no `a=mid`",
    message:
      "the m-sections of this peer can be told apart by their position only; never change their order",
    find: once(({ mid }) => mid === undefined && {}),
  },
  {
    id: "legacy-data",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.1.2",
    requirements: LEGACY,
    condition: "a section has the protocol DTLS/SCTP and `a=sctpmap`",
    message:
      "the peer describes data channels in the form of before RFC 8841; an answer to it must keep that form",
    find: onceSaying(
      "sctpmap",
      (section) => /^DTLS\/SCTP$/i.test(section.protocol) && at(section, "sctpmap"),
    ),
  },
  {
    id: "legacy-plan-b",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.2.1",
    requirements: LEGACY,
    condition: "a section names several tracks",
    message:
      "the peer puts several tracks into one m-section; ask it for one per track, or translate in between",
    find: once((section) => {
      const line = secondTrack(section);
      return line !== undefined && { line };
    }),
  },
  {
    id: "legacy-sdes",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.1.1",
    requirements: LEGACY,
    condition: "a section has `a=crypto` and no fingerprint",
    message: "the peer has only SDES keys, which WebRTC forbids; it takes a gateway to reach it",
    find: onceSaying(
      "crypto",
      (section) => section.fingerprints.length === 0 && at(section, "crypto"),
    ),
  },
  {
    id: "legacy-no-trickle",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8838 s3",
    requirements: LEGACY,
    condition: "no `a=ice-options` has `trickle`",
    message:
      "the peer does not say that it takes candidates later; gather them first and send it a complete description",
    find: (subject) => {
      const { session, saying } = subject.description;
      const [first] = inUse(subject);
      const isSaid = saysTrickle(session) || saying.get("ice-options")?.some(saysTrickle);
      return first && !isSaid ? [{ section: first }] : NO_HITS;
    },
  },
  {
    id: "single-codec-peer",
    on: "offer",
    level: "info",
    strict: "info",
    source: "RFC 7742 s5",
    condition:
      "the video sections of an offer have one codec between them, not counting repair formats",
    message: "an SFU must choose this codec for everyone who is to see or be seen by this peer",
    find: (subject) => {
      const videos = inUse(subject).filter(({ kind }) => kind === "video");
      const codecs = new Set<string>();
      for (const section of videos) {
        for (const codec of codecsOf(section)) codecs.add(codec);
        if (codecs.size > 1) return NO_HITS;
      }
      return [...codecs].map((codec) => ({ section: videos[0], detail: codec }));
    },
  },
  {
    id: "tcp-only-candidates",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8837 s5",
    condition: "there are candidates and none of them is for UDP",
    message:
      "media to this peer goes over TCP: expect stalls after losses, and one DSCP value for all of it",
    find: ofCandidates(({ transport }) => transport.toLowerCase() !== "udp"),
  },
  {
    id: "mdns-only",
    on: "both",
    level: "info",
    strict: "info",
    source: "draft-ietf-mmusic-mdns-ice-candidates s3",
    condition: "there are candidates and all of them are host candidates with a name in .local",
    message:
      "the server cannot see addresses of this peer; ask for network assistance only after a report of the client or a server-reflexive candidate",
    find: ofCandidates(
      ({ type, address }) => type === "host" && address.toLowerCase().endsWith(".local"),
    ),
  },
  {
    id: "sfu-suspected",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 7667 s3.7",
    condition:
      "the description has `a=ice-lite`, or the name janus as CNAME or stream, or sends at least three streams in sections that only send",
    message:
      "this looks like a media server: what it sends comes from other participants, so count those streams once only",
    find: ({ description }) => [middleboxSign(description)],
  },
  {
    id: "simulcast-needs-sfu",
    on: "offer",
    level: "info",
    strict: "info",
    source: "RFC 8829 s3.7",
    requirements: ["R12.8-1"],
    condition: "an offer has a section that sends simulcast",
    message: "a browser declines simulcast and takes one layer; offer it to an SFU only",
    find: onceSaying(
      "simulcast",
      (section) => (section.simulcast?.send.length ?? 0) > 0 && at(section, "simulcast"),
    ),
  },
];

import {
  digestOf,
  type HistorySubject,
  type Leg,
  liveSections,
  type Marks,
  marksOf,
} from "../history.ts";
import { at, type HistoryRule, type Hit, NO_HITS } from "../rule.ts";
import type { Section } from "../section.ts";
import type { TrickleRule } from "./trickle.ts";

type MarkName = Exclude<keyof Marks, "codecs">;

const NO_MARKS: ReadonlySet<number> = new Set();

/** Marks of one sort of some legs, together. */
const gathered = (legs: readonly Leg[], name: MarkName): ReadonlySet<number> =>
  legs.length === 0 ? NO_MARKS : new Set(legs.flatMap(({ marks }) => marks[name]));

/** Other legs of the sender itself. */
const ownLegs = ({ legs, sender }: HistorySubject): readonly Leg[] =>
  legs.filter(({ peer }) => peer === sender.id);

/** Legs of the peer that the description goes to, this link's included. */
const receiverLegs = ({ legs, receiver }: HistorySubject): readonly Leg[] =>
  legs.filter(({ peer }) => peer === receiver.id);

/** Legs of neither. */
const strangers = ({ legs, sender, receiver }: HistorySubject): readonly Leg[] =>
  legs.filter(({ peer }) => peer !== sender.id && peer !== receiver.id);

const shares = (marks: readonly number[], known: ReadonlySet<number>): boolean =>
  known.size > 0 && marks.some((mark) => known.has(mark));

/** Sources of a description that are among these. */
function sourcesAmong({ description }: HistorySubject, known: ReadonlySet<number>): readonly Hit[] {
  if (!shares(marksOf(description).ssrcs, known)) return NO_HITS;
  return liveSections(description).flatMap((section) =>
    section.ssrcs
      .filter(({ ssrc }) => known.has(ssrc))
      .map(({ ssrc, line }) => ({ section, line, detail: `SSRC ${ssrc}` })),
  );
}

const firstLive = ({ description }: HistorySubject): Section | undefined =>
  liveSections(description)[0];

/** One hit at the first section that has this attribute. */
const once = (subject: HistorySubject, name: string, condition: boolean): readonly Hit[] => {
  const section = firstLive(subject);
  return condition && section ? [at(section, name)] : [];
};

/** Why a description is the receiver's own coming back, if it is. */
function loop(subject: HistorySubject): string | undefined {
  const legs = receiverLegs(subject);
  const marks = marksOf(subject.description);
  if (shares(marks.credentials, gathered(legs, "credentials"))) return "ICE credentials";
  const isServerLoop = subject.sender.isServer && !subject.receiver.isServer;
  if (isServerLoop && shares(marks.fingerprints, gathered(legs, "fingerprints"))) {
    return "certificate";
  }
  const ssrcs = gathered(legs, "ssrcs");
  if (!shares(marks.ssrcs, ssrcs)) return undefined;
  const cnames = gathered(legs, "cnames");
  const returned = liveSections(subject.description)
    .flatMap((section) => section.ssrcs)
    .some(
      ({ ssrc, cname }) => ssrcs.has(ssrc) && cname !== undefined && cnames.has(digestOf(cname)),
    );
  return returned ? "source and CNAME" : undefined;
}

/** Kinds of media for which no codec is left that every leg of the server has. */
function kindsWithoutCodec(subject: HistorySubject): readonly ("audio" | "video")[] {
  const { topology, sender, receiver, legs, description } = subject;
  if (topology !== "central" || sender.isServer || !receiver.isServer) return [];
  const others = legs.filter((leg) => leg.peer !== sender.id && leg.to === receiver.id);
  const all = [marksOf(description).codecs, ...others.map(({ marks }) => marks.codecs)];
  return (["audio", "video"] as const).filter((kind) => {
    const lists = all
      .map((codecs) => codecs.filter((codec) => codec.startsWith(`${kind}/`)))
      .filter((codecs) => codecs.length > 0);
    const [first, ...more] = lists;
    const known = more.map((codecs) => new Set(codecs));
    const common = first?.filter((codec) => known.every((codecs) => codecs.has(codec)));
    return common?.length === 0;
  });
}

/** On another link of the session, or in another session of the deployment. */
export const CNAME_REUSED: TrickleRule = {
  id: "cname-reused-across-sessions",
  level: "warning",
  strict: "error",
  source: "RFC 8834 s4.9, RFC 7022 s4.2",
  requirements: ["R4.9-2", "R13-3"],
  condition: "a CNAME that this peer, not a media server, had on another connection",
  message:
    "a CNAME is made anew for every connection, or the user can be followed from call to call; do not set it yourself",
};

/** Of descriptions; of what is in use where a relay makes one RTP session, as well. */
export const SSRC_CLAIMED: TrickleRule = {
  id: "ssrc-claimed-by-two-participants",
  level: "warning",
  strict: "warning",
  source: "RFC 8834 s12.1.2, RFC 3550 s8.2",
  requirements: ["R12.1.2-4"],
  condition: "two peers of one media server announce the same SSRC",
  message: "two peers send with the same SSRC through one server: one of them must take another",
};

/** Of descriptions; of what is in use, as ends report it, as well. */
export const LOOP_DETECTED: TrickleRule = {
  id: "loop-detected",
  level: "error",
  strict: "error",
  source: "RFC 3550 s8.2, draft-ietf-rtcweb-rtp-usage s12.2.2",
  requirements: ["R5.1-2", "R12.1.2-5", "R12.2.2-1"],
  condition: "ICE credentials, or sources with their CNAME, of the peer it is addressed to",
  message:
    "this description holds the receiver's own: it was reflected, and the peer would connect to itself; send what your own connection made",
};

/** What the parties of a session say of each other, and one party on several links. */
export const PARTY_RULES: readonly HistoryRule[] = [
  {
    ...CNAME_REUSED,
    on: "both",
    find: (subject) => {
      if (subject.sender.isServer) return NO_HITS;
      const known = gathered(ownLegs(subject), "cnames");
      if (!shares(marksOf(subject.description).cnames, known)) return NO_HITS;
      const reused = liveSections(subject.description)
        .map((section) => ({
          section,
          line: section.ssrcs.find(({ cname }) => cname && known.has(digestOf(cname)))?.line,
        }))
        .filter(({ line }) => line !== undefined);
      return reused.slice(0, 1);
    },
  },
  {
    id: "ssrc-reused-across-sessions",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 3550 s8.1",
    requirements: ["R4.8-6"],
    condition: "an SSRC that this peer announced on another connection",
    message: "SSRCs are random for every connection; a fixed one makes collisions likely",
    find: (subject) =>
      subject.sender.isServer ? [] : sourcesAmong(subject, gathered(ownLegs(subject), "ssrcs")),
  },
  {
    ...SSRC_CLAIMED,
    on: "both",
    find: (subject) => {
      const { sender, receiver } = subject;
      if (sender.isServer || !receiver.isServer) return [];
      const legs = strangers(subject).filter(({ to }) => to === receiver.id);
      return sourcesAmong(subject, gathered(legs, "ssrcs"));
    },
  },
  {
    ...LOOP_DETECTED,
    on: "both",
    find: (subject) => {
      const detail = loop(subject);
      const section = firstLive(subject);
      return detail !== undefined && section ? [{ section, detail }] : [];
    },
  },
  {
    id: "fingerprint-relayed-unchanged",
    on: "both",
    level: "info",
    strict: "info",
    source: "draft-ietf-rtcweb-rtp-usage-07 sA.3",
    requirements: ["RA.3-1"],
    condition: "the media server shows the certificate of another peer",
    message:
      "the media server passes a peer's certificate on: media are end to end, not through it, though the session says so",
    find: (subject) => {
      const { sender, description } = subject;
      const known = gathered(strangers(subject), "fingerprints");
      const isRelayed = sender.isServer && shares(marksOf(description).fingerprints, known);
      return once(subject, "fingerprint", isRelayed);
    },
  },
  {
    id: "fingerprint-shared-by-participants",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8827 s6.5",
    condition: "the certificate of another peer of the session",
    message:
      "two peers have one certificate, so either can pass for the other; let every RTCPeerConnection make its own",
    find: (subject) => {
      const { sender, description } = subject;
      const others = strangers(subject).filter(({ isServer }) => !isServer);
      const isShared =
        !sender.isServer &&
        shares(marksOf(description).fingerprints, gathered(others, "fingerprints"));
      return once(subject, "fingerprint", isShared);
    },
  },
  {
    id: "sfu-no-common-codec",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "draft-ietf-rtcweb-rtp-usage-07 sA.3.2",
    requirements: ["RA.3.2-1"],
    condition: "no codec is in the descriptions of all peers of the media server",
    message:
      "no codec is common to all peers: unless the media server transcodes, some will see or hear nothing",
    find: (subject) => kindsWithoutCodec(subject).map((kind) => ({ detail: kind })),
  },
  {
    id: "mesh-shared-session",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8834 s12.1.2",
    requirements: ["R12.1.2-2"],
    condition: "ICE credentials or a certificate that this peer uses on another link",
    message:
      "every link of a mesh is a connection of its own; one RTCPeerConnection serves one peer",
    find: (subject) => {
      const legs = ownLegs(subject);
      const marks = marksOf(subject.description);
      const isShared =
        !subject.sender.isServer &&
        (shares(marks.credentials, gathered(legs, "credentials")) ||
          shares(marks.fingerprints, gathered(legs, "fingerprints")));
      return once(subject, "ice-ufrag", isShared);
    },
  },
];

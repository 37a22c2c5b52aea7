import type { Description } from "../description.ts";
import { words } from "../grammar.ts";
import { marksOf, shareMark } from "../history.ts";
import { fingerprintLists } from "../inherited.ts";
import { at, carriesMedia, eachPair, type Hit, NO_HITS, own, type PairRule } from "../rule.ts";
import type { Part, Section } from "../section.ts";

const lastLineOf = (part: Part, name: string): number | undefined =>
  part.attributes.get(name)?.at(-1)?.line;

/** A hit where a section gets an inheritable attribute from: its own line or that of the session part. */
function effective(description: Description, section: Section, name: string): Hit {
  return { section, line: lastLineOf(section, name) ?? lastLineOf(description.session, name) };
}

/** `a=rtcp-mux-only` without `a=rtcp-mux` asks for multiplexing too; that it is incomplete is told about the offer. */
const insistsOnMux = ({ attributes }: Section): boolean => attributes.has("rtcp-mux-only");

/** DTLS roles that only one end can have: with the same on both, both wait or both connect. */
const ROLES: ReadonlySet<string | undefined> = new Set(["active", "passive"]);

/** What a section authenticates its ICE checks with; what is missing or empty is told about each description. */
function credentialsOf({ iceUfrag, icePwd }: Section): string | undefined {
  return iceUfrag && icePwd ? `${iceUfrag} ${icePwd}` : undefined;
}

/** Real stacks separate the options by blanks, or by commas (libdatachannel). */
const saysTrickle = (part: Part): boolean =>
  own(part, "ice-options").some(({ value }) =>
    words(value.replaceAll(",", " ")).includes("trickle"),
  );

const trickles = ({ session, saying }: Description): boolean =>
  saysTrickle(session) || saying.get("ice-options")?.some(saysTrickle) === true;

const isIdentified = ({ session, saying }: Description): boolean =>
  session.attributes.has("identity") || saying.has("identity");

/** RTCP multiplexing, DTLS roles, ICE and certificates of the two ends. */
export const PAIR_TRANSPORT_RULES: readonly PairRule[] = [
  {
    id: "rtcp-mux-not-offered",
    level: "error",
    strict: "error",
    source: "RFC 5761 s5.1.1",
    requirements: ["R10-4"],
    condition: "the answer multiplexes RTP and RTCP, the offer did not ask for it",
    message:
      "the offer has no a=rtcp-mux here, so the offerer waits for RTCP on a transport of its own; leave a=rtcp-mux out of the answer or offer it",
    find: eachPair(({ offered, answered }) => {
      const isOffered = offered.rtcpMux || insistsOnMux(offered);
      return carriesMedia(answered) && answered.rtcpMux && !isOffered
        ? [at(answered, "rtcp-mux")]
        : NO_HITS;
    }),
  },
  {
    id: "rtcp-mux-declined",
    level: "warning",
    strict: "error",
    source: "RFC 5761 s5.1.1, RFC 9143 s7.1.3",
    requirements: ["R10-4"],
    condition: "the offer multiplexes RTP and RTCP, the answer does not",
    message:
      "the answer drops a=rtcp-mux, so RTCP needs a second transport; Chromium and Firefox refuse that in a bundle, put a=rtcp-mux into the answer",
    find: eachPair(({ offered, answered }) => {
      // A refusal of rtcp-mux-only is worse and has its own rule.
      const isOffered = offered.rtcpMux && !insistsOnMux(offered);
      return carriesMedia(answered) && isOffered && !answered.rtcpMux ? [{}] : NO_HITS;
    }),
  },
  {
    id: "rtcp-mux-only-unanswered",
    level: "error",
    strict: "error",
    source: "RFC 8858 s4.3",
    requirements: ["R4.5-2"],
    condition:
      "the offer insists on rtcp-mux-only, the answer accepts the section without rtcp-mux",
    message:
      "the offerer cannot receive RTCP on a transport of its own (a=rtcp-mux-only); accept the section with a=rtcp-mux or reject it with port 0",
    find: eachPair(({ offered, answered }) =>
      carriesMedia(answered) && insistsOnMux(offered) && !answered.rtcpMux ? [{}] : NO_HITS,
    ),
  },
  {
    id: "setup-pair-invalid",
    level: "error",
    strict: "error",
    source: "RFC 4145 s4.1, RFC 8842 s5.3",
    requirements: ["R4.2-6"],
    condition: "offer and answer both say active or both say passive",
    message:
      "both ends want the same DTLS role, so no handshake can begin; answer active with passive and passive with active",
    find: eachPair(({ offered, answered }, { answer }) =>
      offered.setup === answered.setup && ROLES.has(answered.setup)
        ? [{ ...effective(answer, answered, "setup"), detail: `setup ${answered.setup} on both` }]
        : NO_HITS,
    ),
  },
  {
    id: "setup-answer-passive",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.3.1",
    requirements: ["R4.2-6"],
    condition: "the answer to actpass is passive",
    message:
      "the answer leaves the DTLS handshake to the offerer, which costs a round trip; active is recommended unless roles are already taken",
    find: eachPair(({ offered, answered }, { answer }) =>
      offered.setup === "actpass" && answered.setup === "passive"
        ? [effective(answer, answered, "setup")]
        : NO_HITS,
    ),
  },
  {
    id: "ice-ufrag-same-both-ends",
    level: "error",
    strict: "error",
    source: "RFC 8839 s5.4",
    condition: "an ice-ufrag and ice-pwd of the answer are those of the offer",
    message:
      "the answer has the ICE credentials of the offer: a description was sent back to its sender, and browsers do not notice; send what createAnswer made",
    find: ({ offer, answer }) => {
      const offered = new Set(offer.live.map(credentialsOf));
      offered.delete(undefined);
      // Deleting tells each pair of credentials once, however many sections share it.
      return answer.live
        .filter((section) => offered.delete(credentialsOf(section)))
        .map((section) => effective(answer, section, "ice-ufrag"));
    },
  },
  {
    id: "fingerprint-same-both-ends",
    level: "warning",
    strict: "warning",
    source: "RFC 8827 s6.5",
    condition: "a fingerprint of the answer is one of the offer",
    message:
      "both ends have the same certificate; unless one device shares its key on purpose, a description was sent back to its sender or a private key was copied",
    find: ({ offer, answer }) => {
      if (!shareMark(marksOf(offer).fingerprints, marksOf(answer).fingerprints)) return NO_HITS;
      const offered = new Set(
        fingerprintLists(offer.live).flatMap(([fingerprints]) =>
          fingerprints.map(({ hash, value }) => `${hash} ${value}`),
        ),
      );
      return fingerprintLists(answer.live).flatMap(([fingerprints, section]) =>
        fingerprints
          .filter(({ hash, value }) => offered.delete(`${hash} ${value}`))
          .map(({ line }) => ({ section, line })),
      );
    },
  },
  {
    id: "ice-lite-both",
    level: "warning",
    strict: "warning",
    source: "RFC 8445 s6.1.1",
    condition: "offer and answer both say ice-lite",
    message:
      "both ends are ICE-lite and neither sends checks, so nothing connects through NAT and no consent is obtained; one end must be a full agent",
    find: ({ offer, answer }) =>
      offer.session.iceLite && answer.session.iceLite
        ? [{ line: lastLineOf(answer.session, "ice-lite") }]
        : [],
  },
  {
    id: "trickle-not-answered",
    level: "info",
    strict: "info",
    source: "RFC 8840 s4.1.3",
    condition: "the offer has ice-options trickle, the answer that accepts sections has not",
    message:
      "the answerer does not say that it takes trickled candidates; it may ignore those sent after the offer, so wait for gathering to end before offering",
    find: ({ offer, answer, live }) =>
      live.length > 0 && trickles(offer) && !trickles(answer) ? [{}] : [],
  },
  {
    id: "identity-lost",
    level: "info",
    strict: "warning",
    source: "RFC 8827 s5.1",
    condition: "the offer has an identity assertion, the answer that accepts sections has none",
    message:
      "the offerer proves who it is with a=identity, the answerer does not; if it should, check that nothing removes the attribute on the way",
    find: ({ offer, answer, live }) =>
      live.length > 0 && isIdentified(offer) && !isIdentified(answer) ? [{}] : [],
  },
];

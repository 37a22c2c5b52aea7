/** What the kit demands of a media server. Clauses are sections of docs/media-server.md. */

export interface Check {
  /** What fails the run, and what is only good advice. */
  readonly level: "must" | "advice";
  readonly demand: string;
  readonly clause: string;
}

const must = (demand: string, clause: string): Check => ({ level: "must", demand, clause });
const advice = (demand: string, clause: string): Check => ({ level: "advice", demand, clause });

export const CHECKS = {
  joins: must("joins the session within 10 s of an invitation", "#invitation"),
  secret: must("refuses an invitation with a wrong secret, or with none", "#invitation"),
  "invitation-body": advice("refuses an invitation that is none with 4xx", "#invitation"),
  alive: must("answers `probe` with `alive`", "#reports"),
  "valid-messages": must("says nothing but messages of the protocol", "#invitation"),
  "unknown-messages": must("survives messages and members that it does not know", "#invitation"),
  "whip-answer": must(
    "answers the offer of a WHIP publisher within 5 s",
    "#a-publisher-and-a-player",
  ),
  "whip-recvonly": must(
    "answers all sections of a publisher recvonly",
    "#a-publisher-and-a-player",
  ),
  "whep-answer": must(
    "answers the offer of a WHEP player within 5 s, all sections sendonly",
    "#a-publisher-and-a-player",
  ),
  "candidates-complete": must(
    "tells all its candidates, and `complete`, within 5 s of an offer",
    "#a-publisher-and-a-player",
  ),
  "candidate-types": must("has a UDP candidate of type host or relay", "#a-publisher-and-a-player"),
  "offer-bundle-only": must(
    "answers an offer with `m=video 0` and bundle-only",
    "#a-publisher-and-a-player",
  ),
  "offer-passive": must(
    "answers setup:passive without candidates, and OPUS in capitals, as the active end",
    "#a-publisher-and-a-player",
  ),
  "offer-session-level": must(
    "reads fingerprint and credentials of the session part",
    "#a-publisher-and-a-player",
  ),
  results: must(
    "answers every context that is opened or updated within 5 s, with its revision",
    "#results",
  ),
  transport: must("reports `transport` connected with the selected pair, per peer", "#reports"),
  "rtp-to-players": must("sends an uplink's RTP to two WHEP players", "#a-publisher-and-a-player"),
  "rtp-to-native": must("sends an uplink's RTP to a native peer", "#a-native-peer-that-receives"),
  "first-keyframe": advice("begins what it sends with a key frame", "#contexts"),
  sources: must("tells truly which uplink feeds a player (`sources`)", "#sources-layers-holds"),
  labels: must(
    "labels each section it offers with the context it is for",
    "#a-native-peer-that-receives",
  ),
  "native-sources": must(
    "has flows to native peers that name the right uplink",
    "#a-native-peer-that-receives",
  ),
  "one-offer": must("has one offer at a time with each peer", "#a-native-peer-that-receives"),
  glare: must(
    "takes its offer back when the peer's was first, and offers again",
    "#a-native-peer-that-receives",
  ),
  "keyframe-requests": must("passes a receiver's PLI on to the publisher", "#sources-layers-holds"),
  retransmission: advice("answers a NACK with a retransmission", "#sources-layers-holds"),
  held: must("stops sending within 2 s of `held`", "#sources-layers-holds"),
  resumed: must(
    "sends again when `held` ends, from a key frame that it asked for",
    "#sources-layers-holds",
  ),
  limit: must(
    "takes a layer that fits `maxBitrateBps`, and the better one again",
    "#sources-layers-holds",
  ),
  "limit-told": must(
    "tells the layer that it has taken (`sources.layer`)",
    "#sources-layers-holds",
  ),
  quality: must("reports `quality` of both directions within 10 s", "#reports"),
  "ice-restart": must("answers an ICE restart with new credentials", "#a-publisher-and-a-player"),
  "restart-flows": must("keeps flows and RTP over an ICE restart", "#a-publisher-and-a-player"),
  reconnects: must(
    "comes back within 10 s when its socket is lost, and resumes",
    "#going-coming-back-taking-over",
  ),
  "media-without-socket": must(
    "goes on forwarding while it has no socket",
    "#going-coming-back-taking-over",
  ),
  "told-again": must(
    "answers again the contexts that are told again",
    "#going-coming-back-taking-over",
  ),
  "peer-leaves": must("frees the transport of a player that left within 3 s", "#contexts"),
  "publisher-leaves": must("sends nothing more of a publisher that left", "#contexts"),
  "closed-contexts": must("says nothing more of contexts that were closed", "#contexts"),
  "second-session": must("serves a second session at the same time", "#invitation"),
  "session-ends": must(
    "leaves a session that ended alone (4000), and goes on in others",
    "#invitation",
  ),
  vanished: must("reports `transport` failed or disconnected of a lost peer in 60 s", "#reports"),
  drain: must("says `drain` when it is asked to end (SIGTERM)", "#going-coming-back-taking-over"),
} as const satisfies Readonly<Record<string, Check>>;

export type CheckId = keyof typeof CHECKS;

export const CHECK_IDS = Object.keys(CHECKS) as readonly CheckId[];

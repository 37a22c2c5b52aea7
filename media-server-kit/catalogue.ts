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
  alive: must("answers `probe` with `alive`", "#socket"),
  "valid-messages": must("says nothing but messages of the protocol", "#socket"),
  "unknown-messages": must("survives messages and members that it does not know", "#socket"),
  "whip-answer": must("answers the offer of a WHIP publisher within 5 s", "#whip"),
  "whip-recvonly": must("answers all sections of a publisher recvonly", "#whip"),
  "whep-answer": must("answers the offer of a WHEP player within 5 s, all sections sendonly", "#whep"),
  "candidates-complete": must(
    "tells all its candidates, and `complete`, within 5 s of an offer",
    "#candidates",
  ),
  "candidate-types": must("has a UDP candidate of type host or relay", "#candidates"),
  "offer-bundle-only": must("answers an offer with `m=video 0` and bundle-only", "#offers"),
  "offer-passive": must(
    "answers setup:passive without candidates, and OPUS in capitals, as the active end",
    "#offers",
  ),
  "offer-session-level": must("reads fingerprint and credentials of the session part", "#offers"),
  results: must(
    "answers every context that is opened or updated within 5 s, with its revision",
    "#results",
  ),
  transport: must("reports `transport` connected with the selected pair, per peer", "#transport"),
  "rtp-to-players": must("sends an uplink's RTP to two WHEP players", "#media"),
  "rtp-to-native": must("sends an uplink's RTP to a native peer", "#media"),
  "first-keyframe": advice("begins what it sends with a key frame", "#media"),
  sources: must("tells truly which uplink feeds a player (`sources`)", "#sources"),
  labels: must("labels each section it offers with the context it is for", "#labels"),
  "native-sources": must("has flows to native peers that name the right uplink", "#labels"),
  "one-offer": must("has one offer at a time with each peer", "#offers"),
  glare: must("takes its offer back when the peer's was first, and offers again", "#glare"),
  "keyframe-requests": must("passes a receiver's PLI on to the publisher", "#feedback"),
  retransmission: advice("answers a NACK with a retransmission", "#feedback"),
  held: must("stops sending within 2 s of `held`", "#steering"),
  resumed: must("sends again when `held` ends, from a key frame that it asked for", "#steering"),
  limit: must("takes a layer that fits `maxBitrateBps`, and the better one again", "#steering"),
  "limit-told": must("tells the layer that it has taken (`sources.layer`)", "#sources"),
  quality: must("reports `quality` of both directions within 10 s", "#quality"),
  "ice-restart": must("answers an ICE restart with new credentials", "#ice-restart"),
  "restart-flows": must("keeps flows and RTP over an ICE restart", "#ice-restart"),
  reconnects: must("comes back within 10 s when its socket is lost, and resumes", "#resume"),
  "media-without-socket": must("goes on forwarding while it has no socket", "#resume"),
  "told-again": must("answers again the contexts that are told again", "#resume"),
  "peer-leaves": must("frees the transport of a player that left within 3 s", "#leaving"),
  "publisher-leaves": must("sends nothing more of a publisher that left", "#leaving"),
  "closed-contexts": must("says nothing more of contexts that were closed", "#closing"),
  "second-session": must("serves a second session at the same time", "#sessions"),
  "session-ends": must("leaves a session that ended alone (4000), and goes on in others", "#sessions"),
  vanished: must("reports `transport` failed or disconnected of a lost peer in 60 s", "#transport"),
  drain: must("says `drain` when it is asked to end (SIGTERM)", "#drain"),
} as const satisfies Readonly<Record<string, Check>>;

export type CheckId = keyof typeof CHECKS;

export const CHECK_IDS = Object.keys(CHECKS) as readonly CheckId[];

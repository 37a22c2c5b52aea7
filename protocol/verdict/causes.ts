/**
 * Every cause that a verdict can name, once: what it says (`{name}` is filled in), what it is judged by, and what to do.
 * docs/verdicts.md is this table for people.
 */

export interface CauseRow {
  readonly says: string;
  /** What the verdict is judged by, for the documentation. */
  readonly judgedBy: string;
  readonly advice: string;
}

/** Nobody met: causes of the verdict about the session. */
const MEETING = {
  "nobody-came": {
    says: "Nobody has joined the session in {seconds} s.",
    judgedBy: "no peer has ever joined",
    advice:
      "Look whether the page got a token and opens its socket: a refused upgrade answers 401 (token), 403 (origin) or 404 (session).",
  },
  alone: {
    says: "{peer} is alone: nobody else has joined in {seconds} s.",
    judgedBy: "one peer that takes part is there, and no other has been",
    advice:
      "Look whether the other page was given a token of the same session, and opens its socket.",
  },
  "never-met": {
    says: "{first} left {seconds} s before {second} came: they were never here at the same time.",
    judgedBy: "the stays of the peers do not overlap",
    advice:
      "Keep the first page in the session until the other one is there, or create the session with a longer `resumeSeconds` if its socket was lost.",
  },
  "everybody-left": {
    says: "Everybody left before anything was offered.",
    judgedBy: "peers were here at the same time, have left, and no offer came",
    advice: "A page that publishes nothing offers nothing: publish a track or open a data channel.",
  },
  "session-full": {
    says: "Somebody was turned away: the session takes {peers} peers.",
    judgedBy: "a join was refused with `session-full`, and nobody could join since",
    advice: "Create the session with a larger `maxPeers`, or kick peers that are no longer needed.",
  },
  "no-media-server": {
    says: "The session is central and has no media server: nobody can be offered to.",
    judgedBy: "`topology` is central and no media server is in the session",
    advice:
      "Start the media server with a token of role `media-server`, or create the session as a mesh.",
  },
  "nobody-offered": {
    says: "No offer has been made between {peers} in {seconds} s.",
    judgedBy: "peers are connected, and some have no link with anybody",
    advice: "A page that publishes nothing offers nothing: publish a track or open a data channel.",
  },
} as const;

/** Offer and answer did not come to an agreement, or to an empty one. */
const NEGOTIATION = {
  "no-answer": {
    says: "{answerer} is in the session and did not answer the offer of {offerer} within {seconds} s.",
    judgedBy: "the offer expired, or waits for long, while the socket of the answerer was there",
    advice:
      "Look in the console of the answering page: setRemoteDescription or createAnswer may have failed, or nothing listens for `offer`.",
  },
  "answerer-away": {
    says: "The offer of {offerer} got no answer: {answerer} has lost its socket.",
    judgedBy: "the offer expired, or waits, while the answerer was away",
    advice: "The answering page must reconnect, or is gone: look at its network and its console.",
  },
  rejected: {
    says: "{answerer} rejected the offer of {offerer}: {reason}.",
    judgedBy: "the answerer sent `reject`",
    advice: "The other page refused on purpose; its reason, if it gave one, tells why.",
  },
  withdrawn: {
    says: "{offerer} took its offer back and has made no other.",
    judgedBy: "the offerer sent `rollback`, and nothing followed",
    advice: "After a rollback the offerer must offer again, or answer the offer of the other side.",
  },
  "glare-loop": {
    says: "{one} and {other} offer at the same time again and again.",
    judgedBy: "several offers in a row were refused with `glare`, and none was answered",
    advice:
      "Whoever is told `glare` must roll back, answer the offer in force, and only then offer anew.",
  },
  "sdp-refused": {
    says: "The {description} of {peer} was refused by the rule {rule}.",
    judgedBy: "a finding of level error that refused the description; nobody else saw it",
    advice:
      "Correct what the finding names (docs/sdp-rules.md), or create the session with `sdpPolicy: report` to let it pass.",
  },
  "sdp-unreadable": {
    says: "No media flow can be read from the descriptions in force.",
    judgedBy: "offer and answer were exchanged, and one of them cannot be read",
    advice: "The findings tell which line: with `sdpPolicy: enforce` it would have been refused.",
  },
  "not-permitted": {
    says: "The token of {peer} does not grant what its {message} asks for.",
    judgedBy: "a message was refused with `not-permitted`",
    advice: "Create the peer with the kinds it needs in `publish` and `subscribe`.",
  },
  "message-refused": {
    says: "The {message} of {peer} was refused: {code}.",
    judgedBy: "an offer, an answer or all candidates were refused with another problem",
    advice: "docs/protocol.md explains each problem; its detail was told to the sender.",
  },
  "too-many-problems": {
    says: "{peer} was closed after {times} refused messages.",
    judgedBy:
      "the socket of a peer was closed (4008, 1008, 1009) for what was refused; races do not count",
    advice: "The page repeats what is refused: look at the first problem it was told.",
  },
  "no-common-codec": {
    says: "{offerer} and {answerer} have no {kind} codec in common.",
    judgedBy:
      "a finding `payload-no-common-format`, or an m-section that the answer rejects without listing any format of the offer",
    advice:
      "Compare the codecs of both ends: setCodecPreferences, hardware-only codecs, or a media server with a list of its own.",
  },
  "all-rejected": {
    says: "{answerer} rejected every m-section that {offerer} offered.",
    judgedBy: "every m-section of the answer has port 0",
    advice: "The answering application stopped its transceivers, or takes no media of these kinds.",
  },
  "no-media-wanted": {
    says: "{offerer} and {answerer} agreed that nothing flows.",
    judgedBy: "in no m-section one end sends what the other receives, and there is no data channel",
    advice:
      "Publish a track on one side: both say recvonly or inactive, or nothing was offered at all.",
  },
} as const;

/** A peer is gone. */
const PRESENCE = {
  "peer-lost": {
    says: "{peer} lost its socket and has not come back in {seconds} s.",
    judgedBy: "the socket of the peer is lost, and it is away, or left with the reason `lost`",
    advice:
      "Its network, its battery or its tab is gone. `resumeSeconds` says how long it may come back.",
  },
  "left-early": {
    says: "{peer} left after {seconds} s, before media ran.",
    judgedBy: "the peer left while the link was still being set up, and nothing had failed yet",
    advice: "The user gave up, or the page was closed or loaded again.",
  },
  kicked: {
    says: "{peer} was removed from the session by the back end.",
    judgedBy: "the peer left with the reason `kicked`",
    advice: "Look who calls DELETE on the peer.",
  },
  "token-expired": {
    says: "The token of {peer} expired.",
    judgedBy: "the peer left with the reason `expired`",
    advice:
      "Create peers with a longer `ttlSeconds`, or have the page open its socket with a newer token of the peer, made by POST /v1/sessions/{id}/peers/{peerId}/token, before the one it has expires: the SDK does so when `token` is a function that gets one.",
  },
  "connection-closed": {
    says: "{peer} closed its connection and is still in the session.",
    judgedBy: "the peer reported its transport as closed",
    advice: "The application called close() on its RTCPeerConnection.",
  },
} as const;

/** Agreed, and no path came about, or it broke. */
const PATH = {
  "no-report": {
    says: "Agreed {seconds} s ago, and neither end has told whether it is connected.",
    judgedBy: "no `transport` or `quality` message came after the answer",
    advice:
      "Clients that send no `transport` messages can be judged by their candidates only; the SDK sends them.",
  },
  "no-candidates": {
    says: "{peer} sent no ICE candidates, so nothing can reach it.",
    judgedBy: "no candidates of the peer are known; nothing can be reached by itself",
    advice:
      "Look whether the page listens for `icecandidate` and sends what it gets, whether a policy forbids UDP, and whether `iceTransportPolicy: relay` is used without a TURN server.",
  },
  "relay-required-but-none": {
    says: "The session allows relays only, and {peer} got none.",
    judgedBy: "`iceTransportPolicy` is relay and the peer sent no relay candidate",
    advice:
      "Configure TURN (TURN_URLS, TURN_SECRETS) and look whether the page uses the `iceServers` it is told.",
  },
  "turn-refused": {
    says: "The TURN server refused {peer} with {code}.",
    judgedBy: "an ICE error of the peer with a code of 300 to 699, and no relay candidate",
    advice:
      "401: TURN_SECRETS differs from the server's, or the clock of either is wrong. 403 or 486: the quota or the rules of the TURN server.",
  },
  "turn-unreachable": {
    says: "{peer} did not reach its TURN server.",
    judgedBy: "an ICE error 701 of a `turn:` URL, and no relay candidate",
    advice:
      "Look whether TURN_URLS has the right port, whether the server runs, and whether a firewall blocks it; offer `?transport=tcp` and `turns:` on 443 as well.",
  },
  "wrong-ice-server-url": {
    says: "{peer} could not resolve the name of its ICE server.",
    judgedBy:
      "an ICE error of a name that could not be looked up, and no candidate from that server",
    advice: "Correct the name in TURN_URLS or STUN_URLS.",
  },
  "no-path-private-only": {
    says: "Both ends have nothing but addresses of their own networks, and those do not reach each other.",
    judgedBy:
      "only host candidates with private or hidden addresses on both sides; no srflx, no relay",
    advice: "Configure STUN and TURN: peers in different networks find no path without them.",
  },
  "no-relay": {
    says: "ICE found no direct path, and neither end had a relay to fall back to.",
    judgedBy: "candidates beyond the own network, but no relay candidate on either side",
    advice: "Configure TURN: between some NATs and firewalls there is no direct path.",
  },
  "ice-failed": {
    says: "ICE tried the candidates of both ends and found no path.",
    judgedBy: "ICE failed or takes long, although there were candidates that should reach",
    advice:
      "Something between drops the packets: look whether UDP is blocked, whether the relay may reach the other end, and offer `turns:` on 443.",
  },
  "dtls-not-finished": {
    says: "ICE found a path, but the DTLS handshake over it did not finish at {peer}.",
    judgedBy:
      "a transport failed or waits whose ICE is connected, or that the other end saw connected",
    advice:
      "The fingerprint or the a=setup in force is not that of the other end: look whether somebody changes the SDP on its way, or answers with another connection.",
  },
  "path-lost": {
    says: "The path was there and broke {seconds} s ago, as {peer} says; nobody has restarted ICE.",
    judgedBy:
      "a transport was connected, then disconnected or failed, and no offer has restarted ICE since",
    advice: "A network changed or went away: restart ICE (the SDK does so by itself).",
  },
  "restart-unanswered": {
    says: "The path broke, and the ICE restart that {offerer} offered is not answered.",
    judgedBy: "after the path broke, an offer that restarts ICE is open or has expired",
    advice:
      "Look at the answering page: it has lost its socket, or does not answer offers of a running call.",
  },
  "restart-failed": {
    says: "The path broke, and the ICE restart did not bring another one.",
    judgedBy: "after the path broke ICE was restarted, and no path came",
    advice: "The networks of the ends do not reach each other any more: a TURN server would help.",
  },
} as const;

/** The path is there, and media does not run as agreed. */
const MEDIA = {
  "stopped-sending": {
    says: "{peer} sends no {kind}, although the flow is active and not held.",
    judgedBy: "the sender's own report says (nearly) 0 bit/s",
    advice:
      "Its track ended, was muted or replaced by nothing, or the device was unplugged or taken by another program.",
  },
  "nothing-arrives": {
    says: "{to} receives no {kind} of {from}, although the path is there.",
    judgedBy: "the receiver measures (nearly) 0 bit/s; the sender does not, or tells nothing",
    advice:
      "Where the sender measures a bit rate: packets are dropped on the way, or the receiver cannot tell them apart (SSRC, MID, payload type). Where it tells none, it may just be silent.",
  },
  "heavy-loss": {
    says: "{percent} % of the {kind} of {from} is lost on its way to {to}.",
    judgedBy:
      "packetsLost and packets of the receiver's last two reports, at least 200 packets between them, at most a minute ago",
    advice: "The network is too slow or too full: send less (`maxBitrateBps`), or use simulcast.",
  },
  "context-refused": {
    says: "The media server refused what was asked of it: {reason}.",
    judgedBy: "a `context-result` with the outcome `refused`, of a context that is open",
    advice: "Look in the log of the media server; `no-capacity` wants another one.",
  },
} as const;

/** Causes that belong together, in the order in which a call comes about. */
export const CAUSE_FAMILIES = {
  "Nobody met": MEETING,
  "Offer and answer": NEGOTIATION,
  "A peer is gone": PRESENCE,
  "The path": PATH,
  "The media": MEDIA,
} as const satisfies Record<string, Readonly<Record<string, CauseRow>>>;

/** The closed table. */
export const CAUSES = {
  ...MEETING,
  ...NEGOTIATION,
  ...PRESENCE,
  ...PATH,
  ...MEDIA,
} as const satisfies Record<string, CauseRow>;

export type Cause = keyof typeof CAUSES;

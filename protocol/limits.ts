import { MOST_OBSERVERS, TOLD_LIMITS } from "./told-limits.ts";

const { offerExpirySeconds, ...told } = TOLD_LIMITS;

/** Limits of Duplex, told to every peer in `welcome` (S7). Bytes are UTF-8 bytes, times are milliseconds. */
export const LIMITS = {
  ...told,
  sdpLines: 16_000,
  sdpSections: 256,
  /** Names of m-sections, which flows and the timeline keep: browsers use one to three (RFC 8829 s5.2.1). */
  midBytes: 128,
  /** Media flows of a session that have not ended, and ended ones it remembers; a record takes 1 to 2 KB. */
  sessionFlows: 16_384,
  sessionEndedFlows: 8_000,
  observers: MOST_OBSERVERS,
  /** Links that a peer has left and the session remembers, for reading how their flows ended. */
  departedLinks: 256,
  /** Peers that were kicked and whose tokens the session refuses until none can be left. */
  kickedPeers: 10_000,
  /** Problems a peer may cause before it is closed, and how many are forgiven per second. */
  problemBurst: 64,
  problemsForgivenPerSecond: 1,
  /**
   * Sent to one socket and not shown to have been read: over the first a probe asks, over the second the socket is
   * closed, because the runtime keeps all that waits for it in memory. Some descriptions of the largest size fit.
   */
  unreadProbedBytes: 1_048_576,
  unreadBytes: 8_388_608,
  /** Sockets of one SWAP realm: the platform lets an object have 32,768. */
  realmEndpoints: 10_000,
  /** Calls of one SWAP endpoint at a time. */
  endpointCalls: 16,
  /** A SWAP endpoint that says nothing to a close is answered for. */
  closeAnswerMs: 5_000,
  /** A description for a SWAP endpoint, which takes no candidates later, waits for those of its author. */
  candidatesWaitMs: 5_000,
  /** A WHIP or WHEP request is answered within this time; some clients wait for eight seconds. */
  httpAnswerMs: 6_000,
  /** Left of it when an answer goes without the candidates that are still to come. */
  httpReserveMs: 250,
  /** A WHIP or WHEP session whose media have not come by then is over. */
  httpConnectMs: 30_000,
  /** How long a counter-offer is good for (WHEP). */
  counterOfferMs: 30_000,
  /** N7: an offer without an answer. */
  offerExpiryMs: offerExpirySeconds * 1000,
  /** Receivers of webhooks of a deployment; events that wait in one session, and for how long each is tried. */
  webhookReceivers: 5,
  webhookPending: 20_000,
  webhookAgeMs: 86_400_000,
  /** An answer to a webhook that takes longer counts for none. */
  webhookTryMs: 10_000,
  /** Mobile networks of a deployment. */
  assistanceNetworks: 64,
  /** Events that were given up: in all, of one session, and for how long they are kept. */
  deadLetters: 10_000,
  sessionDeadLetters: 1_000,
  deadLetterMs: 2_592_000_000,
} as const;

/** Limits as `welcome` tells them, but for how many peers the session takes: readers know them by themselves. */
export const TOLD_LIMITS = {
  /** One WebSocket frame. Larger than the SDP limit, so that a description too large is told so by name. */
  messageBytes: 1_048_576,
  sdpBytes: 524_288,
  /** Application data in one `message`. */
  bodyBytes: 16_384,
  /** Candidates of one peer in one exchange, and their texts together. */
  candidates: 256,
  candidateBytes: 65_536,
  /** Offers of one peer that wait for answers, together; not of a media server, which offers to all at once. */
  pendingOfferBytes: 4_194_304,
  /**
   * Descriptions of a session, in force and open, together. An object has 128 MB, which it may share with other
   * sessions: to load the session takes this much for the texts and not much more (what is read from them takes 12 to
   * 38 times their size, and is not kept for all of them).
   */
  sessionSdpBytes: 33_554_432,
  /** Sustained rate and burst of one socket (token bucket). */
  messagesPerSecond: 100,
  messageBurst: 400,
  /** N7: an offer without an answer. */
  offerExpirySeconds: 60,
} as const;

/** Observers of a session, which takes them besides its `maxPeers`: each is told all that happens. */
export const MOST_OBSERVERS = 16;

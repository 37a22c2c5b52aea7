/** Limits of Duplex, told to every peer in `welcome` (S7). Bytes are UTF-8 bytes, times are milliseconds. */
export const LIMITS = {
  /** One WebSocket frame. Larger than the SDP limit, so that a description too large is told so by name. */
  messageBytes: 1_048_576,
  sdpBytes: 524_288,
  sdpLines: 16_000,
  sdpSections: 256,
  /** Application data in one `message`. */
  bodyBytes: 16_384,
  /** Candidates of one peer in one exchange. */
  candidates: 256,
  /** Sustained rate and burst of one socket (token bucket). */
  messagesPerSecond: 100,
  messageBurst: 400,
  /** Problems a peer may cause before it is closed, and how many are forgiven per second. */
  problemBurst: 64,
  problemsForgivenPerSecond: 1,
  /** N7: an offer without an answer. */
  offerExpiryMs: 60_000,
} as const;

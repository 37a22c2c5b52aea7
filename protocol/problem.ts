/**
 * The closed table of problems: what a peer or caller did that Duplex refuses, as a value (RFC 9457).
 * Faults (our own failures) are thrown and become `internal-fault`.
 */

/** What happens to the socket of a peer whose message met the problem. */
export type ProblemSocket =
  /** Answered; does not count against the peer: races that correct clients run into. */
  | "reply"
  /** Answered and counted; a peer that goes on is closed with 4008. */
  | "count"
  /** Answered and counted; a peer that goes on is closed with this code. */
  | 1008
  | 1009;

export interface ProblemRow {
  readonly title: string;
  /** Promise of docs/rules.md that the refusal keeps. */
  readonly rule: string;
  /** HTTP status, also the `status` member of the problem. */
  readonly status: number;
  readonly socket: ProblemSocket;
}

const row = (title: string, rule: string, status: number, socket: ProblemSocket): ProblemRow => ({
  title,
  rule,
  status,
  socket,
});

/** Every problem Duplex can answer, by code. */
export const PROBLEMS = {
  // Frames and requests
  "malformed-message": row("The message could not be read", "S8", 400, "count"),
  "unknown-message-type": row("No message has this type", "S8", 400, "count"),
  "invalid-message": row("A field of the message is missing or wrong", "S8", 400, "count"),
  "invalid-request": row("The request does not fit its schema", "S8", 400, "count"),
  "message-too-large": row("The message is larger than the limit", "S7", 413, 1009),
  "rate-limited": row("Too many messages in a short time", "S7", 429, 1008),
  "upgrade-required": row("This address answers WebSocket upgrades only", "S7", 426, "reply"),
  "unsupported-subprotocol": row("This address speaks another subprotocol", "S7", 400, "reply"),
  "session-quota": row("The API key has as many sessions as it may", "S7", 429, "reply"),
  "realm-full": row("The realm has as many endpoints as it may", "S7", 503, "reply"),
  "too-many-calls": row("The endpoint has as many calls as it may", "S7", 429, "count"),
  // Who may
  unauthorized: row("Not authorised", "A1", 401, "reply"),
  "token-in-url": row("Tokens must not travel in a URL", "A1", 401, "reply"),
  "origin-not-allowed": row("This origin is not allowed", "A1", 403, "reply"),
  "not-permitted": row("The token does not grant this", "A2", 403, "count"),
  // What is there
  "not-found": row("Nothing is at this address", "S1", 404, "reply"),
  "session-not-found": row("There is no such session", "S1", 404, "reply"),
  "flow-not-found": row("There is no such flow", "F1", 404, "reply"),
  "flow-held": row("Somebody else holds the flow", "F7", 409, "reply"),
  "flow-not-steerable": row("A flow of this kind cannot be steered so", "F7", 409, "count"),
  "session-full": row("The session has as many peers as it may", "S7", 409, "reply"),
  "too-many-observers": row("The session has as many observers as it may", "S7", 409, "reply"),
  "unknown-peer": row("No such peer is in the session", "A2", 404, "reply"),
  "peer-away": row("The peer's socket is lost; it may come back", "S5", 409, "reply"),
  "receiver-busy": row("The other peer does not read what it is sent", "S8", 429, "reply"),
  "self-addressed": row("A peer cannot address itself", "A2", 400, "count"),
  "no-media-server": row("No media server is in the session", "A2", 503, "reply"),
  "topology-mismatch": row("The topology has no link between these peers", "A2", 409, "count"),
  // Negotiation
  "stale-negotiation": row("This exchange is not the current one", "N1", 409, "reply"),
  glare: row("The other side's offer was first", "N3", 409, "reply"),
  "not-the-offerer": row("Only the offerer may do this", "N2", 409, "count"),
  "not-the-answerer": row("Only the answerer may do this", "N2", 409, "count"),
  "nothing-offered": row("No offer is open on this link", "N2", 409, "count"),
  "too-many-offers": row("Too much waits for answers already", "S7", 429, "count"),
  "session-too-large": row("The session holds as much as it may", "S7", 413, "count"),
  "too-many-candidates": row("More candidates than the limit", "S7", 429, "count"),
  "unknown-m-section": row("The candidate belongs to no m-section", "N5", 400, "count"),
  // SDP
  "sdp-too-large": row("The description is larger than the limit", "D4", 413, "count"),
  "sdp-invalid": row("The description is broken", "D1", 422, "count"),
  // WHIP and WHEP
  "method-not-allowed": row("This address does not have the method", "W1", 405, "reply"),
  "unsupported-media-type": row("The body is of another type", "W1", 415, "reply"),
  "resource-not-found": row("There is no such WHIP or WHEP session", "W2", 404, "reply"),
  "media-server-timeout": row("The other side did not answer in time", "W3", 504, "reply"),
  "offer-rejected": row("The other side refused the offer", "W3", 422, "reply"),
  "not-live": row("Nobody publishes yet", "W4", 409, "reply"),
  "publisher-busy": row("The token publishes already", "W5", 409, "reply"),
  "fragment-invalid": row("The body is no SDP fragment", "W6", 400, "reply"),
  "precondition-required": row("If-Match is missing", "W6", 428, "reply"),
  "precondition-failed": row("If-Match names another ICE generation", "W6", 412, "reply"),
  "no-renegotiation": row("An HTTP client cannot be offered anything", "W7", 409, "reply"),
  // Media flows
  "flow-ended": row("The flow is over", "F4", 409, "reply"),
  "source-not-received": row("The sender of the flow receives no such flow", "F9", 409, "reply"),
  "flow-loop": row("A flow cannot carry on itself", "F9", 409, "count"),
  "context-not-found": row("There is no such stream context", "C2", 404, "reply"),
  "unknown-layer": row("No source of the flow has this layer", "F9", 409, "reply"),
  // Webhooks
  "dead-letter-not-found": row("There is no such undelivered event", "R6", 404, "reply"),
  "webhook-not-taken": row("No receiver has taken the event", "R6", 502, "reply"),
  // Network assistance
  "assistance-over": row("What a mobile network was asked for is over", "A5", 410, "reply"),
  // The server itself
  misconfigured: row("The server is not configured for this", "S1", 503, "reply"),
  "turn-unavailable": row("No TURN credentials can be had now", "A3", 503, "reply"),
  "jurisdiction-unavailable": row("This jurisdiction cannot be had here", "S1", 422, "reply"),
  "internal-fault": row("Duplex failed", "S8", 500, "reply"),
} as const satisfies Record<string, ProblemRow>;

export type ProblemCode = keyof typeof PROBLEMS;

/**
 * A problem: what was refused and why. `detail` is for a developer to read; it never carries secrets,
 * addresses or SDP (A4). Further members say what a program needs, such as `exchange` for `glare`.
 */
export interface Problem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** Makes a problem; `members` are what a program needs besides the code. */
export function problem(
  code: ProblemCode,
  detail: string,
  members: Record<string, unknown> = {},
): Problem {
  return { ...members, code, detail };
}

/** Tells a problem from any other result. */
export function isProblem(result: unknown): result is Problem {
  return typeof result === "object" && result !== null && "code" in result && "detail" in result;
}

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** The RFC 9457 document of a problem: `type`, `title`, `status`, `code`, `detail` and further members. */
export function problemDocument(refused: Problem): ProblemDocument {
  const { title, status } = PROBLEMS[refused.code];
  return { type: `urn:duplex:problem:${refused.code}`, title, status, ...refused };
}

/** WebSocket close codes of `duplex.v1`, besides the standard 1000, 1008, 1009 and 1011. */
export const CLOSE = {
  sessionEnded: 4000,
  replaced: 4001,
  kicked: 4002,
  tokenExpired: 4003,
  /** No sign of life, or nothing read: the peer may come back. */
  silent: 4004,
  left: 1000,
  tooManyProblems: 4008,
  fault: 1011,
} as const;

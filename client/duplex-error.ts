import type { ToPeer } from "../protocol/messages.ts";

type ProblemFrame = Extract<ToPeer, { type: "problem" }>;

/** Codes of problems that the SDK itself finds; all other codes come from the server's table. */
export type ClientProblemCode =
  | "signalling-unreachable"
  | "signalling-refused"
  | "signalling-closed"
  | "negotiation-failed"
  | "session-full"
  | "too-many-observers"
  | "not-permitted";

/** What a `DuplexError` is made of: the members of a problem document (RFC 9457) with its code. */
export interface DuplexProblem {
  /** One of the server's problems (docs/protocol.md), or of `ClientProblemCode`. */
  readonly code: string;
  /** The same for every problem of this code. */
  readonly title: string;
  /** HTTP status of the problem; 0 when no server answered. */
  readonly status: number;
  /** What it was this time. */
  readonly detail: string;
  /** Further members, such as `finding` of a refused description. */
  readonly [member: string]: unknown;
}

/**
 * A problem as an error: `code` is for programs, `title` and `detail` for people. Further members of the
 * problem, such as `finding` of a refused description, are in `problem`.
 */
export class DuplexError extends Error {
  /** `DuplexError`, or `SdpError`. */
  override readonly name: string = "DuplexError";
  /** For programs: one of the server's problems (docs/protocol.md), or of `ClientProblemCode`. */
  readonly code: string;
  /** For people: the same for every problem of this code. */
  readonly title: string;
  /** HTTP status of the problem; 0 when no server answered. */
  readonly status: number;
  /** For people: what it was this time. */
  readonly detail: string;
  /** All members of the problem. */
  readonly problem: DuplexProblem;

  /** @internal */
  constructor(problem: DuplexProblem) {
    super(`${problem.title}: ${problem.detail}`);
    this.code = problem.code;
    this.title = problem.title;
    this.status = problem.status;
    this.detail = problem.detail;
    this.problem = problem;
  }
}

/** What a rule of the server found in a description. */
export type SdpFinding = NonNullable<Extract<ToPeer, { type: "ack" }>["findings"]>[number];

/**
 * A description or candidate that the server refused (`sdp-invalid`, `sdp-too-large`): `finding` is why, with
 * the rule, the line and the clause; `findings` has whatever else deserves attention.
 */
export class SdpError extends DuplexError {
  /** Tells it from other errors where `isSdpError` is not at hand. */
  override readonly name = "SdpError";
  /** Why it was refused. */
  readonly finding: SdpFinding;
  /** All that was found, `finding` included. */
  readonly findings: readonly SdpFinding[];

  /** @internal */
  constructor(problem: DuplexProblem & { readonly finding: SdpFinding }) {
    super(problem);
    this.finding = problem.finding;
    const { findings } = problem;
    this.findings = Array.isArray(findings) ? findings : [problem.finding];
  }
}

/** The error that fits a problem. */
function errorOf(problem: DuplexProblem): DuplexError {
  const { finding } = problem;
  return isFinding(finding) ? new SdpError({ ...problem, finding }) : new DuplexError(problem);
}

const isFinding = (value: unknown): value is SdpFinding =>
  typeof value === "object" && value !== null && "rule" in value && "level" in value;

/** A problem found on this side of the wire. */
export function clientError(
  code: ClientProblemCode,
  title: string,
  detail: string,
  status = 0,
): DuplexError {
  return new DuplexError({ code, title, status, detail });
}

/** The error of a `problem` frame. */
export function errorOfFrame(frame: ProblemFrame): DuplexError {
  const { type: _type, re: _re, ...problem } = frame;
  return errorOf(problem);
}

/** Whatever was thrown, as a `DuplexError`. */
export function asDuplexError(thrown: unknown): DuplexError {
  if (thrown instanceof DuplexError) return thrown;
  const detail = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return clientError("negotiation-failed", "The connection could not be negotiated", detail);
}

/**
 * What the other side, and with it the session's timeline, is told of whatever was thrown: its code and its name. What a
 * browser says of it may quote descriptions, with addresses and passwords (A4).
 */
export function reasonOf(thrown: unknown): string {
  const { code } = asDuplexError(thrown);
  const isNamed = thrown instanceof Error && !(thrown instanceof DuplexError);
  return isNamed ? `${code}: ${thrown.name}` : code;
}

/** The error of an HTTP answer that is a problem document, or at least not a success. */
export async function errorOfResponse(response: Response): Promise<DuplexError> {
  const fallback = {
    code: "signalling-refused",
    title: "The server refused",
    status: response.status,
    detail: `HTTP ${response.status}`,
  };
  try {
    const document: unknown = await response.json();
    if (typeof document !== "object" || document === null) return new DuplexError(fallback);
    return errorOf({ ...fallback, ...document });
  } catch {
    return new DuplexError(fallback);
  }
}

/**
 * What the refusal of an offer, an answer or candidates means for the negotiation: `over`, nothing is to be
 * done (the peer is gone, or another offer comes); `again`, later it may pass; `never`, it would not.
 */
export function outlook({ code, status }: DuplexError): "over" | "again" | "never" {
  if (code === "glare" || code === "unknown-peer" || code === "signalling-closed") return "over";
  return status === 409 || status === 429 || status >= 500 ? "again" : "never";
}

/** Rules that a sound answer breaks when it is of another connection than the link has been on so far. */
const OF_ANOTHER_CONNECTION = new Set([
  "ice-restart-not-requested",
  "fingerprint-changed-without-restart",
]);

/** True when the other side's offer was for a connection that this page no longer has. */
export function isOutOfStep(error: DuplexError): boolean {
  return error instanceof SdpError && OF_ANOTHER_CONNECTION.has(error.finding.rule);
}

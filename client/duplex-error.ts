import type { ToPeer } from "../protocol/messages.ts";

type ProblemFrame = Extract<ToPeer, { type: "problem" }>;

/** Codes of problems that the SDK itself finds; all other codes come from the server's table. */
export type ClientProblemCode =
  | "signalling-unreachable"
  | "signalling-refused"
  | "signalling-closed"
  | "negotiation-failed"
  | "session-full"
  | "not-permitted";

/** What a `DuplexError` is made of: the members of a problem document (RFC 9457) with its code. */
export interface DuplexProblem {
  readonly code: string;
  readonly title: string;
  /** HTTP status of the problem; 0 when no server answered. */
  readonly status: number;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/**
 * A problem as an error: `code` is for programs, `title` and `detail` for people. Further members of the
 * problem, such as `finding` of a refused description, are in `problem`.
 */
export class DuplexError extends Error {
  override readonly name = "DuplexError";
  readonly code: string;
  readonly title: string;
  /** HTTP status of the problem; 0 when no server answered. */
  readonly status: number;
  readonly detail: string;
  readonly problem: DuplexProblem;

  constructor(problem: DuplexProblem) {
    super(`${problem.title}: ${problem.detail}`);
    this.code = problem.code;
    this.title = problem.title;
    this.status = problem.status;
    this.detail = problem.detail;
    this.problem = problem;
  }
}

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
  return new DuplexError(problem);
}

/** Whatever was thrown, as a `DuplexError`. */
export function asDuplexError(thrown: unknown): DuplexError {
  if (thrown instanceof DuplexError) return thrown;
  const detail = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return clientError("negotiation-failed", "The connection could not be negotiated", detail);
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
    return new DuplexError({ ...fallback, ...document });
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

// Answers that are no operation's own: refusals on purpose, paths that are not there, what is broken on its way.
import { type Answer, type Door, Refused } from "./call.ts";
import type { Fault } from "./faults.ts";

type Headers = Readonly<Record<string, string>>;

const CODES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "CONFLICT",
  410: "GONE",
  429: "TOO_MANY_REQUESTS",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};

/** The usual one, or the first that is published where it is not among them. */
export const codeFor = (status: number, published: readonly string[]): string => {
  const usual = CODES[status];
  if (usual !== undefined && published.includes(usual)) return usual;
  return published[0] ?? usual ?? "FAULT";
};

/** No token, none that is valid (401), or one without a scope (403): it says how to be known (RFC 6750 s3). */
export class Refusing extends Refused {
  readonly challenge: string;

  constructor(authorization: string, message: string, lacking?: readonly string[]) {
    super(
      lacking === undefined ? 401 : 403,
      lacking === undefined ? "UNAUTHENTICATED" : "PERMISSION_DENIED",
      message,
    );
    const error = lacking === undefined ? "invalid_token" : "insufficient_scope";
    const scope = lacking === undefined ? "" : `, scope="${lacking.join(" ")}"`;
    this.challenge = authorization === "" ? "Bearer" : `Bearer error="${error}"${scope}`;
  }

  /** Every 401 has one (RFC 9110 s15.5.2). */
  static challenged(answer: Answer, refused?: Refused): Answer {
    const own = refused instanceof Refusing ? refused.challenge : undefined;
    const challenge = own ?? (answer.status === 401 ? "Bearer" : undefined);
    if (challenge === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, "www-authenticate": challenge } };
  }
}

export const noOperation = (door: Door, allow: readonly string[] | undefined): Answer => {
  if (allow === undefined) {
    return door.refuse({ status: 404, code: "NOT_FOUND", message: "There is no such path." });
  }
  const methods = allow.map((name) => name.toUpperCase()).join(", ");
  const answer = door.refuse({ status: 405, code: "METHOD_NOT_ALLOWED", message: methods });
  return { ...answer, headers: { ...answer.headers, allow: methods } };
};

const isCamara = ({ api }: Door): boolean => api === "camara-qod" || api === "qos-profiles";

/** As published for CAMARA; the others have none. */
export const isCorrelator = (door: Door, headers: Headers): boolean =>
  !isCamara(door) || /^[\w:;./<>{}-]{0,256}$/.test(headers["x-correlator"] ?? "");

/** CAMARA answers with the caller's correlator. */
export const correlated = (
  door: Door,
  outcome: Answer | "cut",
  headers: Headers,
): Answer | "cut" => {
  const correlator = headers["x-correlator"];
  if (outcome === "cut" || correlator === undefined) return outcome;
  if (!isCamara(door) || !isCorrelator(door, headers)) return outcome;
  return { ...outcome, headers: { ...outcome.headers, "x-correlator": correlator } };
};

interface Sent {
  readonly status: number;
  readonly text?: string;
  /** What the text says: itself, where it is no JSON. */
  readonly body?: unknown;
}

/** What is sent: broken on purpose, or as it is. */
export const spoilt = (answer: Answer, fault: Fault | undefined): Sent => {
  const status = answer.status === 204 ? 200 : answer.status;
  if (fault?.kind === "wrong-json") {
    const text = '{"sessionId": "8f0c';
    return { status, text, body: text };
  }
  const isOdd = fault?.kind === "wrong-shape";
  const body = isOdd ? [{ unexpected: true }] : answer.body;
  if (body === undefined) return { status: answer.status };
  return { status: isOdd ? status : answer.status, text: JSON.stringify(body), body };
};

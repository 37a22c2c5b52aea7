import type { Application, Reject } from "./message.ts";

/** Between bodies of `message` and what endpoints of SWAP say by `application`. */

/** The body of a `message` that refuses an application message; between endpoints only. */
export const REJECTED = "urn:duplex:swap:reject";

/** Without who says it to whom. */
type Said =
  | Pick<Application, "type" | "urn" | "value">
  | Pick<Reject, "type" | "request" | "errorId" | "description">;

/** What a peer without SWAP says by `message` without naming a URN for it. */
const PLAIN = "urn:duplex:message";

interface Body {
  readonly type?: unknown;
  readonly value?: unknown;
}

/** What an endpoint is told where a peer says something by `message`. */
export function applicationOf(body: unknown): Said {
  const { type, value } = typeof body === "object" && body !== null ? (body as Body) : {};
  if (type === REJECTED) return rejectedOf(value);
  const isNamed = typeof type === "string" && /^urn:/i.test(type);
  return isNamed
    ? { type: "application", urn: type, value }
    : { type: "application", urn: PLAIN, value: body };
}

/** A peer without SWAP may refuse so as well: what it says is looked at. */
function rejectedOf(value: unknown): Said {
  const { request, errorId, description } =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  return {
    type: "reject",
    ...(Number.isSafeInteger(request) && { request: request as number }),
    ...(typeof errorId === "string" && { errorId }),
    ...(typeof description === "string" && { description }),
  };
}

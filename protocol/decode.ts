import type { z } from "zod";
import { frequentMessageOf } from "./frequent-messages.ts";
import { LIMITS } from "./limits.ts";
import { FROM_PEER, type FromPeer } from "./messages.ts";
import { type Problem, problem } from "./problem.ts";
import { exceedsBytes } from "./utf8.ts";

/** A decoded frame, or the problem with it and the request id it carried, when that could be read. */
export type Decoded =
  | { readonly message: FromPeer }
  | { readonly problem: Problem; readonly id?: number };

const malformed = (detail: string): Decoded => ({ problem: problem("malformed-message", detail) });

/**
 * Reads one frame of `duplex.v1`. Never throws.
 *
 * Problems: `message-too-large`, `malformed-message`, `unknown-message-type`, `invalid-message`.
 */
export function decode(frame: string | ArrayBuffer): Decoded {
  if (typeof frame !== "string") return malformed("frames are JSON text, not binary");
  if (exceedsBytes(frame, LIMITS.messageBytes)) {
    return {
      problem: problem(
        "message-too-large",
        `a frame has at most ${LIMITS.messageBytes} bytes of UTF-8`,
        { maxBytes: LIMITS.messageBytes },
      ),
    };
  }
  try {
    return decodeText(frame);
  } catch {
    return malformed("the frame is not JSON that can be read");
  }
}

function decodeText(frame: string): Decoded {
  const value: unknown = JSON.parse(frame);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return malformed("a frame is a JSON object with a `type`");
  }
  const type = (value as { type?: unknown }).type;
  if (typeof type !== "string") {
    return { ...malformed("`type` is not a string"), ...requestId(value) };
  }
  const frequent = frequentMessageOf(type, value);
  return frequent ? checkBody(frequent, frame) : decodeBySchema(type, value, frame);
}

function decodeBySchema(type: string, value: object, frame: string): Decoded {
  if (!Object.hasOwn(FROM_PEER, type)) {
    return {
      problem: problem("unknown-message-type", `types are ${Object.keys(FROM_PEER).join(", ")}`),
      ...requestId(value),
    };
  }
  const parsed = FROM_PEER[type as FromPeer["type"]].safeParse(value);
  if (!parsed.success) return { problem: invalidMessage(parsed.error), ...requestId(value) };
  return checkBody(parsed.data, frame);
}

/** The request id of a frame, readable even when the rest is wrong, so that the problem can name it. */
function requestId(value: object): { id?: number } {
  const id = (value as { id?: unknown }).id;
  return Number.isSafeInteger(id) && (id as number) > 0 ? { id: id as number } : {};
}

/**
 * JSON that was read and is written again takes at most so many times the characters it came in: a lone surrogate
 * becomes `\ud800`, a character three bytes, and `1e20` 21 digits.
 */
const MOST_BYTES_PER_CHARACTER = 6;

function checkBody(message: FromPeer, frame: string): Decoded {
  const mayExceed = frame.length * MOST_BYTES_PER_CHARACTER > LIMITS.bodyBytes;
  if (!mayExceed || message.type !== "message") return { message };
  if (!exceedsBytes(JSON.stringify(message.body), LIMITS.bodyBytes)) return { message };
  return {
    problem: problem("message-too-large", `body: at most ${LIMITS.bodyBytes} bytes of JSON`, {
      maxBytes: LIMITS.bodyBytes,
    }),
    ...requestId(message),
  };
}

/** Says which fields are wrong and how; never what they held (A4). */
function invalidMessage(error: z.ZodError): Problem {
  const errors = error.issues.slice(0, 8).map((issue) => ({
    field: issue.path.join("."),
    expected: issue.message,
  }));
  const detail = errors.map(({ field, expected }) => `${field}: ${expected}`);
  return problem("invalid-message", detail.join("; "), { errors });
}

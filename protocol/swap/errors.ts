import { type Problem, type ProblemCode, problemDocument } from "../problem.ts";
import type { SwapError } from "./message.ts";

/** Problems as SWAP tells them (TS 26.113 clause 13.2.4.7): four types of its own, and ours where none of them fits. */

const TYPES = "http://forge.3gpp.org/sa4/swap";

/** Titles of table 13.2.4.6-1. */
const TITLES = {
  message_unknown: "Message type unknown",
  message_malformatted: "Message malformatted",
  target_unknown: "Target cannot be located",
  unauthorized: "Unauthorized",
} as const;

type ErrorType = keyof typeof TITLES;

const TYPE_OF: Partial<Record<ProblemCode, ErrorType>> = {
  "unknown-message-type": "message_unknown",
  "malformed-message": "message_malformatted",
  "invalid-message": "message_malformatted",
  "message-too-large": "message_malformatted",
  "sdp-invalid": "message_malformatted",
  "sdp-too-large": "message_malformatted",
  "unknown-peer": "target_unknown",
  "peer-away": "target_unknown",
  "self-addressed": "target_unknown",
  "no-media-server": "target_unknown",
  unauthorized: "unauthorized",
  "not-permitted": "unauthorized",
  "token-in-url": "unauthorized",
  "origin-not-allowed": "unauthorized",
};

/** The problem details of an error response; `detail` is also its description. */
export function swapErrorOf(refused: Problem): SwapError {
  const { type, title, status, detail } = problemDocument(refused);
  const known = TYPE_OF[refused.code];
  return known
    ? { type: `${TYPES}/${known}.html`, title: TITLES[known], status, detail }
    : { type, title, status, detail };
}

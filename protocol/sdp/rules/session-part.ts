import { type DescriptionRule, type Hit, wherePlain } from "../rule.ts";
import type { SessionPart } from "../section.ts";

/** Largest value of a signed 64-bit integer, which a session id must stay below. */
const SESSION_ID_BOUND = "9223372036854775807";

/** Compares as text: a session id may be longer than any number type reads in linear time. */
function isBeyondBound(sessionId: string): boolean {
  const digits = sessionId.replace(/^0+/, "");
  return (
    digits.length > SESSION_ID_BOUND.length ||
    (digits.length === SESSION_ID_BOUND.length && digits >= SESSION_ID_BOUND)
  );
}

const HARMLESS_ADDRESSES = new Set(["0.0.0.0", "127.0.0.1", "::", "::1"]);

/** A hit at the `o=` line when there is a readable one that the condition holds for. */
function ofOrigin(
  { origin }: SessionPart,
  condition: (origin: NonNullable<SessionPart["origin"]>) => boolean,
): Hit[] {
  return origin && condition(origin) ? [{ line: origin.line }] : [];
}

/** A hit without a line: what is missing has none. */
const lacking = ({ plainLines }: SessionPart, wanted: string): Hit[] =>
  plainLines.some(({ type }) => type === wanted) ? [] : [{}];

/** Lines outside the m-sections: version, origin, name, timing (RFC 8866 s5). */
export const SESSION_PART_RULES: readonly DescriptionRule[] = [
  {
    id: "version-invalid",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s5.1",
    condition: "the first line is not `v=0`",
    message:
      "a description must begin with v=0; send the text exactly as createOffer or createAnswer made it",
    find: ({ description: { lines } }) =>
      lines[0]?.type === "v" && lines[0].value === "0" ? [] : [{ line: 1 }],
  },
  {
    id: "origin-invalid",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s5.2",
    condition: "no `o=<user> <number> <number> IN IP4|IP6 <address>`",
    message:
      "o= must be a user name, two numbers and an address; browsers refuse the description without it",
    find: ({ description: { lines, session } }) =>
      session.origin ? [] : [{ line: lines.find(({ type }) => type === "o")?.number ?? 1 }],
  },
  {
    id: "origin-sess-id-range",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8829 s5.2.1",
    condition: "the session id of `o=` is 2^63-1 or more",
    message:
      "the session id does not fit a signed 64-bit number and may wrap around at the peer; draw it from 63 random bits",
    find: ({ description: { session } }) =>
      ofOrigin(session, ({ sessionId }) => isBeyondBound(sessionId)),
  },
  {
    id: "origin-username",
    on: "both",
    level: "off",
    strict: "info",
    source: "RFC 8829 s5.2.1",
    condition: "the user name of `o=` is not `-`",
    message:
      "the user name in o= tells which software made the description; nothing needs it, write a hyphen",
    find: ({ description: { session } }) => ofOrigin(session, ({ username }) => username !== "-"),
  },
  {
    id: "origin-address-leak",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.2.1",
    condition: "the address of `o=` is neither unspecified nor loopback",
    message:
      "o= tells the peer an address of this host that ICE may have hidden and that is used for nothing; write 0.0.0.0",
    find: ({ description: { session } }) =>
      ofOrigin(session, ({ address }) => !HARMLESS_ADDRESSES.has(address)),
  },
  {
    id: "session-name-missing",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5.3",
    condition: "no `s=` before the first m-line, or an empty one",
    message:
      "there is no s= line with a name, and Chromium and Pion refuse such a description; add s=-",
    find: ({ description: { session } }) => [
      ...lacking(session, "s"),
      ...wherePlain(session, "s", (value) => value === ""),
    ],
  },
  {
    id: "timing-missing",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5.9",
    condition: "no `t=` before the first m-line",
    message: "there is no t= line and every browser refuses such a description; add t=0 0",
    find: ({ description: { session } }) => lacking(session, "t"),
  },
  {
    id: "no-media",
    on: "offer",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.2.1",
    condition: "the offer has no m-line",
    message:
      "the offer has no media section, so no connection comes of it; add a track, a transceiver or a data channel first",
    find: ({ description: { sections } }) => (sections.length === 0 ? [{}] : []),
  },
];

import { LIMITS } from "./limits.ts";
import type { Candidate } from "./message-parts.ts";
import type { FromPeer } from "./messages.ts";

/**
 * Reads the two messages that come most often, as the schemas of messages.ts do, which take many times as long: they
 * cannot be compiled where code must not be made from text. What is not accepted here is for the schemas to judge.
 */

type Message = Extract<FromPeer, { type: "message" }>;
type Candidates = Extract<FromPeer, { type: "candidates" }>;
type Members = Readonly<Record<string, unknown>>;

/** An object that is being put together. */
type Making<T> = { -readonly [Name in keyof T]: T[Name] };

/** Of ids of peers and keys of messages. */
const NAME_LENGTH = 64;
const CANDIDATE_LENGTH = 4_096;
const MID_LENGTH = 256;
const HIGHEST_INDEX = 65_535;

const isText = (value: unknown, least: number, most: number): value is string =>
  typeof value === "string" && value.length >= least && value.length <= most;

const isName = (value: unknown): value is string => isText(value, 1, NAME_LENGTH);

const isNumber = (value: unknown, least: number, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

/** A request id, the number of an exchange. */
const isOrdinal = (value: unknown): value is number => isNumber(value, 1, Number.MAX_SAFE_INTEGER);

/** The message of a frame of this type; undefined when the schemas have to look at it. */
export function frequentMessageOf(type: string, members: object): FromPeer | undefined {
  if (type === "message") return messageOf(members as Members);
  if (type === "candidates") return candidatesOf(members as Members);
  return undefined;
}

/** `{"type":"message","id":4,"to":"p2","body":{"hand":"up"},"key":"k1"}` */
function messageOf({ id, to, body, key }: Members): Message | undefined {
  if (!isName(to) || body === undefined) return undefined;
  const made: Making<Message> = { type: "message", to, body };
  if (id !== undefined) {
    if (!isOrdinal(id)) return undefined;
    made.id = id;
  }
  if (key !== undefined) {
    if (!isName(key)) return undefined;
    made.key = key;
  }
  return made;
}

/** `{"type":"candidates","id":5,"to":"p2","exchange":1,"candidates":[...],"complete":true}` */
function candidatesOf({ id, to, exchange, candidates, complete }: Members): Candidates | undefined {
  if (!isOrdinal(exchange)) return undefined;
  const listed = listOf(candidates);
  if (!listed) return undefined;
  const made: Making<Candidates> = { type: "candidates", exchange, candidates: listed };
  if (id !== undefined) {
    if (!isOrdinal(id)) return undefined;
    made.id = id;
  }
  if (to !== undefined) {
    if (!isName(to)) return undefined;
    made.to = to;
  }
  if (complete !== undefined) {
    if (typeof complete !== "boolean") return undefined;
    made.complete = complete;
  }
  return made;
}

function listOf(values: unknown): Candidate[] | undefined {
  if (!Array.isArray(values) || values.length > LIMITS.candidates) return undefined;
  const list: Candidate[] = [];
  for (const value of values) {
    const candidate = candidateOf(value);
    if (!candidate) return undefined;
    list.push(candidate);
  }
  return list;
}

const isMidOrNone = (value: unknown): value is string | null | undefined =>
  value === undefined || value === null || isText(value, 0, MID_LENGTH);

const isIndexOrNone = (value: unknown): value is number | null | undefined =>
  value === undefined || value === null || isNumber(value, 0, HIGHEST_INDEX);

/** `{"candidate":"candidate:1 1 udp ...","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"Ut4Y"}` */
function candidateOf(value: unknown): Candidate | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = value as Members;
  if (!isText(candidate, 0, CANDIDATE_LENGTH) || !isIndexOrNone(sdpMLineIndex)) return undefined;
  if (!isMidOrNone(sdpMid) || !isMidOrNone(usernameFragment)) return undefined;
  const made: Making<Candidate> = { candidate };
  if (sdpMid !== undefined) made.sdpMid = sdpMid;
  if (sdpMLineIndex !== undefined) made.sdpMLineIndex = sdpMLineIndex;
  if (usernameFragment !== undefined) made.usernameFragment = usernameFragment;
  return made;
}

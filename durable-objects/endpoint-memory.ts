import { type Allowance, spend } from "../protocol/allowance.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { UeSeen } from "../protocol/session-config.ts";
import type { Criterion, SwapDialect, SwapError } from "../protocol/swap/message.ts";

/** A call of an endpoint, as its realm knows it. */
export interface Call {
  /** Source of the other side. */
  readonly partner: string;
  readonly session: string;
  /** As which peers of the session they are in it. */
  readonly self: string;
  readonly other: string;
  /** Number of the newest connect or update of this endpoint: what a reject is of. */
  readonly offered?: number;
  /** A connect was accepted: a reject is of what came after. */
  readonly isAccepted?: true;
  /** It has closed, and waits for an accept until then. Milliseconds since 1970. */
  readonly closingUntil?: number;
  /** It was told that the other side has closed, and has not accepted yet. */
  readonly isClosed?: true;
}

/** A message, by its number and the digest of its frame, and what it was answered: an ack where no error is named. */
export type Answered = readonly [messageId: number, digest: number, error?: SwapError];

/** FNV-1a of a text, 32 bits: enough to tell a message that comes again from the next one of a client that counts anew. */
export function digestOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** What the socket of an endpoint remembers through hibernation (16 KiB serialised at most). */
export interface EndpointMemory {
  /** The source that its token names; absent where the realm lets everybody choose. */
  readonly granted?: string;
  /** As what it is seen to come, in a deployment with mobile networks. */
  readonly ue?: UeSeen;
  /** Absent before its first message. */
  readonly source?: string;
  readonly dialect?: SwapDialect;
  /** The highest number of its messages so far. */
  readonly newest: number;
  /** Newest last. */
  readonly answered: readonly Answered[];
  /** Absent while it is not registered. */
  readonly criteria?: readonly Criterion[];
  readonly calls: readonly Call[];
  readonly messages?: Allowance;
  readonly problems?: Allowance;
}

/** Answers that are remembered: a client repeats what it has just sent. */
const MOST_ANSWERED = 16;

const MESSAGES = { burst: LIMITS.messageBurst, perSecond: LIMITS.messagesPerSecond };
const PROBLEMS = { burst: LIMITS.problemBurst, perSecond: LIMITS.problemsForgivenPerSecond };

const memories = new WeakMap<WebSocket, EndpointMemory>();

/** What a socket of a realm remembers. */
export function memoryOf(ws: WebSocket): EndpointMemory {
  const known = memories.get(ws) ?? (ws.deserializeAttachment() as EndpointMemory);
  memories.set(ws, known);
  return known;
}

/** Gives a socket something to remember besides. */
export function remember(ws: WebSocket, change: Partial<EndpointMemory>): EndpointMemory {
  const next = { ...memoryOf(ws), ...change };
  memories.set(ws, next);
  try {
    ws.serializeAttachment(next);
    return next;
  } catch {
    // No room, because most of it takes two bytes a character: what repeats an answer is the least loss.
    const less = { ...next, answered: [] };
    memories.set(ws, less);
    ws.serializeAttachment(less);
    return less;
  }
}

/** The first memory of a socket. */
export function rememberFirst(
  ws: WebSocket,
  { granted, ue }: Pick<Partial<EndpointMemory>, "granted" | "ue">,
): void {
  const memory = {
    ...(granted !== undefined && { granted }),
    ...(ue && { ue }),
    newest: 0,
    answered: [],
    calls: [],
  };
  memories.set(ws, memory);
  ws.serializeAttachment(memory);
}

export function rememberAnswer(ws: WebSocket, answer: Answered): void {
  const answered = [...memoryOf(ws).answered, answer].slice(-MOST_ANSWERED);
  remember(ws, { answered });
}

/** The call with this endpoint. */
export const callWith = ({ calls }: EndpointMemory, partner: string): Call | undefined =>
  calls.find((call) => call.partner === partner);

/** Puts a call in the place of the one with the same endpoint. */
export function rememberCall(ws: WebSocket, call: Call): void {
  const others = memoryOf(ws).calls.filter(({ partner }) => partner !== call.partner);
  remember(ws, { calls: [...others, call] });
}

export function forgetCall(ws: WebSocket, { session }: Pick<Call, "session">): void {
  remember(ws, { calls: memoryOf(ws).calls.filter((call) => call.session !== session) });
}

export const hasMostCalls = (ws: WebSocket): boolean =>
  memoryOf(ws).calls.length >= LIMITS.endpointCalls;

/** It was closed by one side or the other. */
export const isOver = ({ closingUntil, isClosed }: Call): boolean =>
  closingUntil !== undefined || isClosed === true;

/** Forgets a call when neither side waits for anything of it. */
export function settle(ws: WebSocket, call: Call): void {
  if (isOver(call)) rememberCall(ws, call);
  else forgetCall(ws, call);
}

/** Counts a message; false when the endpoint sends too fast (S7). */
export function countMessage(ws: WebSocket, at: number): boolean {
  const messages = spend(memoryOf(ws).messages, MESSAGES, at);
  // Not worth writing by itself: an eviction forgives what was sent before.
  if (messages) memories.set(ws, { ...memoryOf(ws), messages });
  return messages !== null;
}

/** Counts a problem; false when the endpoint has caused too many (S7). */
export function countProblem(ws: WebSocket, at: number): boolean {
  const problems = spend(memoryOf(ws).problems, PROBLEMS, at);
  if (problems) remember(ws, { problems });
  return problems !== null;
}

import {
  type Allowance,
  type AllowanceRule,
  type Allowances,
  levelOf,
  spend,
} from "../protocol/allowance.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Session, Trickle } from "../protocol/session.ts";
import { ackFrame } from "./frames.ts";
import type { Life, Unread } from "./liveness.ts";
import type { SoftEvent, SoftFigures } from "./soft-state.ts";

/** A request id and its reply frame; of acks in a row that say nothing but their id, the first id and the last. */
export type Reply =
  | readonly [id: number, frame: string]
  | readonly [firstAck: number, lastAck: number];

/** A link id and, as text, what its peer has trickled in one of its exchanges. */
export type SoftTrickle = readonly [link: string, json: string];

/**
 * What a socket remembers through hibernation (16 KiB serialised at most): who speaks, what it may still
 * spend, the replies it was given, and its candidates that are not worth a row yet. It is written after nearly every
 * message, and each member of an object in it costs as much as a long text.
 */
export interface Attachment extends Allowances {
  /** Changed in place: it is all that most frames change. */
  readonly messages?: { left: number; at: number };
  readonly peer: string;
  /** As of the peer that it speaks for; 0 when it was let go of, whatever becomes of the peer. */
  readonly connection: number;
  /** Newest last (R1). */
  readonly replies: readonly Reply[];
  readonly soft: readonly SoftTrickle[];
  /** Of small sessions: events of this peer that no row has yet. */
  readonly events?: readonly SoftEvent[];
  /** What this peer has measured of flows since their link was written. */
  readonly figures?: readonly SoftFigures[];
  /** Entries of the timeline that no row has yet, with their subjects, as text. */
  readonly timeline?: string;
  /** Absent until it was doubted, or something of worth was sent to it. */
  readonly life?: Life;
  /** Simulated: nothing goes through this socket any more. */
  readonly halfOpen?: true;
}

/** In characters, of which structured clone may make two bytes. */
const REPLIES_CHARACTERS = 2_400;
/** What an ack counts for that is remembered by its id. */
const ACK_CHARACTERS = 36;
const SOFT_CHARACTERS = 2_800;

const MESSAGES = { burst: LIMITS.messageBurst, perSecond: LIMITS.messagesPerSecond };
const PROBLEMS = { burst: LIMITS.problemBurst, perSecond: LIMITS.problemsForgivenPerSecond };

/** What memory has of a socket: to read and write its attachment costs more than most messages. */
class SocketMemory {
  attachment: Attachment;
  /** Of the count of messages that the socket was given to remember; 0 before the first. */
  countedAt = 0;
  /** What its peer has not read, newer than in the attachment. */
  unread: Unread | undefined;

  constructor(attachment: Attachment) {
    this.attachment = attachment;
  }
}

const memories = new WeakMap<WebSocket, SocketMemory>();
const unwritten = new Set<WebSocket>();
/** A frame asks for the memory of one socket many times, then of another. */
let latest: { readonly ws: WebSocket; readonly memory: SocketMemory } | undefined;

/** What a socket remembers, with what only memory has of it. */
export function memoryOf(ws: WebSocket): SocketMemory {
  if (latest?.ws === ws) return latest.memory;
  const memory = memories.get(ws) ?? newMemory(ws, ws.deserializeAttachment() as Attachment);
  latest = { ws, memory };
  return memory;
}

function newMemory(ws: WebSocket, attachment: Attachment): SocketMemory {
  const memory = new SocketMemory(attachment);
  memories.set(ws, memory);
  return memory;
}

export const attachmentOf = (ws: WebSocket): Attachment => memoryOf(ws).attachment;

/** Gives a socket what it is to remember: before the next event, and with that before any eviction (R4). */
export function remember(ws: WebSocket, attachment: Attachment): void {
  memoryOf(ws).attachment = attachment;
  // The runtime's own `queueMicrotask` costs many times as much.
  if (unwritten.size === 0) void Promise.resolve().then(write);
  unwritten.add(ws);
}

function write(): void {
  const sockets = [...unwritten];
  unwritten.clear();
  for (const ws of sockets) {
    const memory = memoryOf(ws);
    memory.countedAt = memory.attachment.messages?.at ?? 0;
    serialize(ws, memory);
  }
}

/**
 * What has no room, because most of it takes two bytes a character, costs its socket what it was answered and has
 * measured, and nothing to others (S8).
 */
function serialize(ws: WebSocket, memory: SocketMemory): void {
  try {
    ws.serializeAttachment(memory.attachment);
  } catch {
    const { figures: _, ...rest } = memory.attachment;
    memory.attachment = { ...rest, replies: [] };
    ws.serializeAttachment(memory.attachment);
  }
}

/** Of a count, what an eviction may forget: a second, as long as more than half is left. */
const FORGOTTEN_MS = 1_000;

/** Remembers a socket of which nothing but the count of messages has changed. */
export function rememberCount(ws: WebSocket): void {
  const { attachment, countedAt } = memoryOf(ws);
  const { left = 0, at = 0 } = attachment.messages ?? {};
  const isLittle = left > MESSAGES.burst / 2 && at - countedAt < FORGOTTEN_MS;
  if (!isLittle) remember(ws, attachment);
}

/** Counts a message of the socket; null when it sends too fast (S7). The same attachment, but for the first. */
export function withMessage(attachment: Attachment, at: number): Attachment | null {
  const { messages } = attachment;
  const spent = spend(messages, MESSAGES, at);
  if (!spent) return null;
  if (!messages) return { ...attachment, messages: spent };
  messages.left = spent.left;
  messages.at = spent.at;
  return attachment;
}

/** Counts a problem of the socket; null when it has caused too many (S7). */
export function withProblem(attachment: Attachment, at: number): Attachment | null {
  const problems = spend(attachment.problems, PROBLEMS, at);
  return problems && { ...attachment, problems };
}

/**
 * What the next socket of a peer may spend: no more than any of these left, so that nobody gains by another
 * connection (S7). Undefined when all would be full again.
 */
export function allowancesLeft(known: readonly Allowances[], at: number): Allowances | undefined {
  const messages = lowest(known, "messages", MESSAGES, at);
  const problems = lowest(known, "problems", PROBLEMS, at);
  if (!messages && !problems) return undefined;
  return { ...(messages && { messages }), ...(problems && { problems }) };
}

function lowest(
  known: readonly Allowances[],
  kind: keyof Allowances,
  rule: AllowanceRule,
  at: number,
): Allowance | undefined {
  const levels = known.map((each) => levelOf(each[kind], rule, at));
  const left = Math.min(rule.burst, ...levels);
  return left < rule.burst ? { left, at } : undefined;
}

const isAcks = (reply: Reply): reply is readonly [number, number] => typeof reply[1] === "number";

const sizeOf = (reply: Reply): number =>
  isAcks(reply) ? (reply[1] - reply[0] + 1) * ACK_CHARACTERS : reply[1].length + 12;

/** Remembers a reply; the oldest are forgotten when there is no more room. */
export function withReply(attachment: Attachment, id: number, frame: string): Attachment {
  // A reply too large to keep (the answer to `state`) is asked for again instead.
  if (frame.length > REPLIES_CHARACTERS / 2) return attachment;
  const newest = attachment.replies.at(-1);
  const replies = [...attachment.replies];
  if (frame !== ackFrame(id)) replies.push([id, frame]);
  else if (newest && isAcks(newest) && newest[1] === id - 1) replies.splice(-1, 1, [newest[0], id]);
  else replies.push([id, id]);
  let size = replies.reduce((sum, reply) => sum + sizeOf(reply), 0);
  while (size > REPLIES_CHARACTERS) size -= forgetOldest(replies);
  return { ...attachment, replies };
}

/** Gives the room that it leaves. */
function forgetOldest(replies: Reply[]): number {
  const oldest = replies.shift();
  if (!oldest) return 0;
  if (!isAcks(oldest)) return sizeOf(oldest);
  if (oldest[0] < oldest[1]) replies.unshift([oldest[0] + 1, oldest[1]]);
  return ACK_CHARACTERS;
}

export function replyTo({ replies }: Attachment, id: number): string | undefined {
  const known = replies.find((reply) =>
    isAcks(reply) ? reply[0] <= id && id <= reply[1] : reply[0] === id,
  );
  return known && (isAcks(known) ? ackFrame(id) : known[1]);
}

/**
 * Candidates of this peer on links that were not written. `fits` is false when they need a row after all.
 */
export function withSoft(
  attachment: Attachment,
  session: Session,
  links: ReadonlySet<string>,
): { readonly attachment: Attachment; readonly fits: boolean } {
  const soft = [...links].flatMap((link) =>
    (session.trickle.get(link) ?? [])
      .filter(({ from }) => from === attachment.peer)
      .map((entry) => [link, JSON.stringify(entry)] as const),
  );
  const size = soft.reduce((sum, [link, json]) => sum + link.length + json.length + 6, 0);
  const fits = size <= SOFT_CHARACTERS;
  return { attachment: { ...attachment, soft: fits ? soft : [] }, fits };
}

/** Links with candidates that are not written. */
export function softLinksOf(attachments: readonly Attachment[]): Set<string> {
  return new Set(attachments.flatMap(({ soft }) => soft.map(([link]) => link)));
}

const amountOf = (entry: Trickle | undefined): number =>
  entry ? entry.candidates.length + entry.dropped + (entry.complete ? 1 : 0) : -1;

/**
 * Puts what the sockets remember back into a session that was loaded from its rows. What was written since, or
 * belongs to an exchange that is over, is left out.
 */
export function withRemembered(session: Session, attachments: readonly Attachment[]): Session {
  const trickle = new Map(session.trickle);
  for (const [id, json] of attachments.flatMap(({ soft }) => soft)) {
    const entry = JSON.parse(json) as Trickle;
    const link = session.links.get(id);
    const current = link && [link.open?.exchange, link.inForce?.exchange].includes(entry.exchange);
    if (!current) continue;
    const known = trickle.get(id) ?? [];
    const isSame = ({ from, exchange }: Trickle): boolean =>
      from === entry.from && exchange === entry.exchange;
    const written = known.find(isSame);
    if (amountOf(written) >= amountOf(entry)) continue;
    trickle.set(id, written ? known.map((one) => (isSame(one) ? entry : one)) : [...known, entry]);
  }
  return { ...session, trickle };
}

import { LIMITS } from "../protocol/limits.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { utf8Bytes } from "../protocol/utf8.ts";
import { type Attachment, attachmentOf, memoryOf, remember } from "./attachment.ts";

/** What a socket remembers of the life of its peer. */
export interface Life {
  /** Number of the newest probe; 0 before the first. */
  readonly probes: number;
  /** It has answered a probe: from then on its silence means something. */
  readonly answers: boolean;
  /** Since when it is asked for a sign of life, and until when it has to give one. */
  readonly doubt?: { readonly since: number; readonly until: number };
  readonly unread: Unread;
}

/** UTF-8 bytes that were sent and of which nothing shows yet that the peer has read them. */
export interface Unread {
  /** Before the newest probe: its answer shows that they were read. */
  readonly asked: number;
  /** After it. */
  readonly since: number;
  /** The newest probe has no answer yet. */
  readonly waiting: boolean;
}

/** How long a peer may have been silent before it is doubted. */
export const SILENCE_MS = {
  /** Another peer says that its transport to this one does not work. */
  reported: 5_000,
  /** Something is delivered. A little more than the keep-alive of clients, 25 s or so. */
  delivered: 30_000,
} as const;

/** Time to answer a probe. */
const ANSWER_MS = 10_000;

/** Nobody is taken for gone before: a peer that pings but does not know probes has pinged by then. */
const GONE_MS = 30_000;

/** The attachment is written when so many bytes more are unread: sleep forgets no more than that. */
const STEP_BYTES = 16_384;

const NONE: readonly WebSocket[] = [];
const ALL_READ: Unread = { asked: 0, since: 0, waiting: false };
const NO_LIFE: Life = { probes: 0, answers: false, unread: ALL_READ };

/**
 * When the peer was heard of last, milliseconds since 1970; null when its silence says nothing: it has neither
 * pinged nor answered a probe, and is believed as long as its TCP connection is.
 *
 * `pingedAt`: when the runtime answered its last ping.
 */
export function lastSignOf({ life, messages }: Attachment, pingedAt: number | null): number | null {
  if (pingedAt === null && life?.answers !== true) return null;
  return Math.max(pingedAt ?? 0, messages?.at ?? 0);
}

/** Until when a silent peer has to give a sign of life; null when it was heard of lately, or cannot be judged. */
export function deadlineOf(lastSign: number | null, silenceMs: number, at: number): number | null {
  if (lastSign === null || at - lastSign <= silenceMs) return null;
  return Math.max(at + ANSWER_MS, lastSign + GONE_MS);
}

const bytesOf = ({ asked, since }: Unread): number => asked + since;

function withoutDoubt(attachment: Attachment): Attachment {
  if (!attachment.life?.doubt) return attachment;
  const { doubt: _, ...life } = attachment.life;
  return { ...attachment, life };
}

const probeFrame = (n: number): string => JSON.stringify({ type: "probe", n } satisfies ToPeer);

/**
 * The life of the sockets of one session: which peers are in doubt, and which do not read. Costs nothing while
 * all is well; what memory has of it, and the attachments of the sockets do not, is some bytes of a count.
 */
export class Liveness {
  readonly #state: DurableObjectState;
  /** Until when a socket has to give a sign of life. */
  readonly #doubts = new Map<WebSocket, number>();
  readonly #deaf = new Set<WebSocket>();
  #welcomed: WebSocket | undefined;

  constructor(state: DurableObjectState) {
    this.#state = state;
  }

  /** Memory is new, or in doubt: what the sockets remember is the truth. */
  recall(sockets: readonly WebSocket[]): void {
    this.#doubts.clear();
    for (const ws of sockets) {
      const memory = memoryOf(ws);
      memory.unread = undefined;
      const doubt = memory.attachment.life?.doubt;
      if (doubt && ws.readyState === WebSocket.OPEN) this.#doubts.set(ws, doubt.until);
    }
  }

  /** When the first doubt is to be decided; null when there is none, as nearly always (R5). */
  get deadline(): number | null {
    return this.#doubts.size === 0 ? null : Math.min(...this.#doubts.values());
  }

  /** What becomes of a socket's attachment when anything comes through it: it is there. */
  heard(ws: WebSocket, attachment: Attachment): Attachment {
    if (this.#doubts.size > 0) this.#doubts.delete(ws);
    return withoutDoubt(attachment);
  }

  /** What becomes of it by an `alive`: the peer has read what was sent before that probe, if it is the newest. */
  answered(ws: WebSocket, attachment: Attachment, n: number): Attachment {
    const { life } = attachment;
    if (!life || n > life.probes) return attachment;
    const known = unreadOf(ws);
    const unread = n === life.probes ? { ...ALL_READ, since: known.since } : known;
    memoryOf(ws).unread = unread;
    return { ...attachment, life: { ...life, answers: true, unread } };
  }

  /** Doubts the peer of a socket that has been silent for so long; gives the probe to send. */
  doubt(ws: WebSocket, silenceMs: number, at: number): string | undefined {
    if (this.#doubts.size > 0 && this.#doubts.has(ws)) return undefined;
    const attachment = attachmentOf(ws);
    // Most have just spoken: the runtime need not be asked when they pinged.
    if (at - (attachment.messages?.at ?? 0) <= silenceMs) return undefined;
    const until = deadlineOf(lastSignOf(attachment, this.#pingedAt(ws)), silenceMs, at);
    if (until === null) return undefined;
    this.#doubts.set(ws, until);
    return this.#probe(ws, attachment, { since: at, until });
  }

  /** The sockets whose time to give a sign of life is over without one. */
  silent(at: number): readonly WebSocket[] {
    const due = [...this.#doubts].filter(([, until]) => until <= at).map(([ws]) => ws);
    return due.filter((ws) => {
      this.#doubts.delete(ws);
      if (ws.readyState !== WebSocket.OPEN) return false;
      const attachment = attachmentOf(ws);
      const since = attachment.life?.doubt?.since ?? 0;
      const isSilent = (lastSignOf(attachment, this.#pingedAt(ws)) ?? at) < since;
      if (!isSilent) remember(ws, withoutDoubt(attachment));
      return isSilent;
    });
  }

  /**
   * Counts a frame that was sent; gives a probe to send after it when much is unread. Sockets that go on not being
   * read are those of `deaf`.
   */
  delivered(ws: WebSocket, frame: string): string | undefined {
    if (ws === this.#welcomed) return undefined;
    const known = unreadOf(ws);
    // What was unread before decides: one frame, however large, is never too much for who reads.
    if (bytesOf(known) > LIMITS.unreadBytes) this.#deaf.add(ws);
    const { asked, since, waiting } = known;
    const unread = { asked, since: since + utf8Bytes(frame), waiting };
    memoryOf(ws).unread = unread;
    if (!unread.waiting && bytesOf(unread) > LIMITS.unreadProbedBytes) {
      return this.#probe(ws, attachmentOf(ws));
    }
    if (stepsOf(unread) > stepsOf(known)) this.#remember(ws, unread);
    return undefined;
  }

  /** So much is unread that only what the session needs is sent: nobody can get another peer closed (S8). */
  isBusy(ws: WebSocket): boolean {
    return bytesOf(unreadOf(ws)) > LIMITS.unreadBytes / 2;
  }

  /** The socket is closed, and nothing more is asked of it. */
  letGo(ws: WebSocket): void {
    this.#doubts.delete(ws);
  }

  /** What a peer lacks when it comes is not counted: the session bounds it, and it has to come through. */
  welcome(ws: WebSocket, send: () => void): void {
    this.#welcomed = ws;
    try {
      send();
    } finally {
      this.#welcomed = undefined;
    }
  }

  /** Sockets that are to be closed because nobody reads what comes out of them; each is given once. */
  takeDeaf(): readonly WebSocket[] {
    if (this.#deaf.size === 0) return NONE;
    const deaf = [...this.#deaf];
    this.#deaf.clear();
    return deaf;
  }

  #probe(ws: WebSocket, attachment: Attachment, doubt = attachment.life?.doubt): string {
    const life = attachment.life ?? NO_LIFE;
    const unread = { asked: bytesOf(unreadOf(ws)), since: 0, waiting: true };
    const probes = life.probes + 1;
    memoryOf(ws).unread = unread;
    remember(ws, { ...attachment, life: { ...life, probes, unread, ...(doubt && { doubt }) } });
    return probeFrame(probes);
  }

  /** Rounded up, so that a socket that is woken again and again for a little is not given more by that. */
  #remember(ws: WebSocket, unread: Unread): void {
    const attachment = attachmentOf(ws);
    const life = attachment.life ?? NO_LIFE;
    const since = stepsOf(unread) * STEP_BYTES;
    remember(ws, { ...attachment, life: { ...life, unread: { ...unread, since } } });
  }

  #pingedAt(ws: WebSocket): number | null {
    return this.#state.getWebSocketAutoResponseTimestamp(ws)?.getTime() ?? null;
  }
}

function unreadOf(ws: WebSocket): Unread {
  const { unread, attachment } = memoryOf(ws);
  return unread ?? attachment.life?.unread ?? ALL_READ;
}

const stepsOf = ({ since }: Unread): number => Math.ceil(since / STEP_BYTES);

import type { Session } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { NO_TIMELINE, OF_SESSION } from "../protocol/timeline/timeline.ts";
import { type Attachment, attachmentOf, remember, softLinksOf, withSoft } from "./attachment.ts";
import type { PeerSockets } from "./peer-sockets.ts";
import {
  begunBy,
  emptiedBy,
  isToldByAlarm,
  isToldByFirstAlarm,
  withLeaves,
} from "./session-alarm.ts";
import { ALL_EVENTS, isWorthARow, SessionRows } from "./session-rows.ts";
import {
  aloneTextOf,
  keyOf,
  recalled,
  type SoftEvent,
  softFiguresOf,
  softTextOf,
  withSoftEvent,
} from "./soft-state.ts";
import { rememberEntries, TimelineMemory } from "./timeline-memory.ts";

const NOTHING: ReadonlySet<string> = new Set();

/** What is kept with an event. */
export interface Keeping {
  /** The socket it came through. */
  readonly sender?: WebSocket | undefined;
  /** Links, and subjects of the timeline, that have to be written. */
  readonly forced?: ReadonlySet<string> | undefined;
  /** What the alarm is set to now; undefined when it stays as it is. */
  readonly alarmAt?: number | undefined;
}

/** What the socket of whoever joined is to remember. */
export type Kept = Pick<Attachment, "events" | "timeline">;

/** The only peer of a session, and the event by which its socket remembers it. */
interface Alone {
  readonly ws: WebSocket;
  readonly events: readonly SoftEvent[];
}

/** The session as rows and sockets remember it together (decision 0021). */
export class SessionMemory {
  readonly #storage: DurableObjectStorage;
  readonly #name: string | undefined;
  readonly #sockets: PeerSockets;
  readonly #rows: SessionRows;
  /** Numbers of the newest event that sockets may remember, and of the newest that rows have. */
  #events = 0;
  #writtenEvents = 0;
  /** Events that are in memory and in no row. */
  #knownEvents: ReadonlySet<string> = new Set();
  /** Of a session with no peer in its row: what that has. */
  #empty: Session | null = null;
  readonly #timeline = new TimelineMemory();

  constructor({ storage, id }: DurableObjectState, sockets: PeerSockets) {
    this.#storage = storage;
    this.#name = id.name;
    this.#sockets = sockets;
    this.#rows = new SessionRows(storage);
  }

  /** How many events memory keeps apart, because no row has them. */
  get eventsApart(): number {
    return this.#knownEvents.size;
  }

  /** A new session; its first alarm is set after. */
  create(session: Session): void {
    this.#rows.begin();
    this.#empty = session;
    // Its id is the name of the object, where the platform tells it.
    if (this.#name === undefined || !isToldByFirstAlarm(session)) this.writeFirst(session);
  }

  /** `alarmAt` is what the alarm is set to: a session that has no row yet is nothing else. */
  load(alarmAt: number | null, at: number): Session | null {
    const stored = this.#rows.load();
    const remembered = this.#sockets.recall();
    const row = stored?.session ?? (alarmAt === null ? null : begunBy(alarmAt, this.#name ?? ""));
    this.#empty = row && this.#emptyOf(row);
    this.#writtenEvents = stored?.events ?? 0;
    this.#knownEvents = new Set();
    this.#timeline.begin(row?.timeline ?? NO_TIMELINE);
    if (!row) return null;
    const emptied = alarmAt === null ? row : emptiedBy(row, alarmAt, at);
    return withLeaves(this.recall(emptied, remembered));
  }

  /** Writes a session that has no row yet. */
  writeFirst(session: Session): void {
    if (!this.#rows.isStored) this.#write(session, session, NOTHING);
  }

  /** The session with what sockets remember besides. */
  recall(session: Session, remembered: readonly Attachment[]): Session {
    const found = recalled(session, this.#writtenEvents, remembered, this.#knownEvents);
    this.#events = Math.max(this.#events, found.events);
    this.#knownEvents = found.known;
    return found.session;
  }

  /**
   * Makes the new session durable: rows for what is worth one, the attachments of sockets for the rest.
   */
  keep(
    before: Session,
    after: Session,
    event: SessionEvent,
    { sender, forced = NOTHING, alarmAt }: Keeping,
  ): Kept {
    if (forced.size === 0 && this.#isToldBy(alarmAt, after)) return {};
    const soft = forced.size > 0 ? undefined : this.#softly(before, after, event, sender);
    const written = soft ? NOTHING : this.#save(before, after, forced);
    if (sender) this.#rememberTrickle(before, after, sender, written);
    const timeline = this.keepEntries(before, after, sender);
    return { ...(soft && soft.length > 0 && { events: soft }), ...(timeline && { timeline }) };
  }

  /**
   * Lets the socket through which something came remember what is in the timeline by it and in no row, and writes it
   * when that has no room. Gives what it is to remember.
   */
  keepEntries(before: Session, after: Session, sender: WebSocket | undefined): string | undefined {
    const known = sender && attachmentOf(sender).timeline;
    const { text, due } = this.#timeline.afterTurn(known, before.timeline, after.timeline);
    if (due.size > 0) this.#write(after, after, due);
    if (sender) rememberEntries(sender, text);
    return text;
  }

  /** Writes what is in the timeline of nobody in particular. */
  writeNews(after: Session): void {
    this.#write(after, after, new Set([OF_SESSION]));
  }

  /** Links, and subjects of the timeline, of which these sockets remember what no row has. */
  apartIn(attachments: readonly Attachment[]): ReadonlySet<string> {
    return new Set([...softLinksOf(attachments), ...this.#timeline.apartIn(attachments)]);
  }

  /** Puts what an event changes into the attachments of sockets; undefined when it takes a row. */
  #softly(
    before: Session,
    after: Session,
    event: SessionEvent,
    sender: WebSocket | undefined,
  ): readonly SoftEvent[] | undefined {
    const isMeasured = event.type === "message" && event.message.type === "quality";
    if (sender && isMeasured) {
      const attachment = attachmentOf(sender);
      const figures = softFiguresOf(attachment, before, after);
      if (figures) remember(sender, { ...attachment, figures });
      return figures && [];
    }
    const json = this.#rows.isSmall ? softTextOf(event, before, after) : undefined;
    if (json === undefined || before === after) return undefined;
    const added: SoftEvent = [this.#events + 1, json];
    const attachment = sender && attachmentOf(sender);
    const events = withSoftEvent(attachment?.events ?? [], added, this.#writtenEvents);
    if (!events) return undefined;
    if (sender && attachment) remember(sender, { ...attachment, events });
    this.#events += 1;
    this.#knownEvents = new Set([...this.#knownEvents, keyOf(added)]);
    return events;
  }

  #rememberTrickle(
    before: Session,
    after: Session,
    sender: WebSocket,
    written: ReadonlySet<string>,
  ): void {
    if (after.trickle === before.trickle && written.size === 0) return;
    const attachment = attachmentOf(sender);
    const soft = new Set(attachment.soft.map(([link]) => link));
    for (const [link, trickle] of after.trickle) {
      if (trickle !== before.trickle.get(link)) soft.add(link);
    }
    for (const link of written) soft.delete(link);
    if (soft.size === 0 && attachment.soft.length === 0) return;
    const kept = withSoft(attachment, after, soft);
    if (!kept.fits) this.#save(after, after, soft);
    remember(sender, kept.attachment);
  }

  #save(before: Session, after: Session, forced: ReadonlySet<string>): ReadonlySet<string> {
    if (forced.size === 0 && !isWorthARow(before, after)) return NOTHING;
    return this.#write(before, after, forced);
  }

  /** All rows or none: a fault half-way leaves what was. */
  #write(before: Session, after: Session, forced: ReadonlySet<string>): ReadonlySet<string> {
    const events = this.#events;
    const alone = this.#aloneIn(after);
    const row = alone ? { ...after, peers: new Map(), emptySince: Date.now() } : after;
    const { links, subjects } = this.#storage.transactionSync(() =>
      this.#rows.save(before, after, forced, { events, row }),
    );
    this.#timeline.wrote(after.timeline, subjects);
    const { isSmall } = this.#rows;
    this.#writtenEvents = isSmall ? events : ALL_EVENTS;
    // By their numbers they are known as written.
    this.#knownEvents = new Set();
    this.#empty = this.#emptyOf(row);
    if (alone && isSmall) this.#rememberAlone(alone);
    return links;
  }

  #emptyOf(row: Session): Session | null {
    return this.#rows.isSmall && row.peers.size === 0 ? row : null;
  }

  /** The last one has left, and the alarm that is set says when. */
  #isToldBy(alarmAt: number | undefined, after: Session): boolean {
    return (
      alarmAt !== undefined && this.#empty !== null && isToldByAlarm(this.#empty, after, alarmAt)
    );
  }

  /** A peer that is alone is remembered by its socket, if that has room: nobody else would miss it. */
  #aloneIn({ peers }: Session): Alone | undefined {
    const [peer] = peers.values();
    const ws = peer && peers.size === 1 ? this.#sockets.of(peer) : undefined;
    if (!peer || !ws) return undefined;
    const events = withSoftEvent([], [this.#events + 1, aloneTextOf(peer)], this.#events);
    return events ? { ws, events } : undefined;
  }

  #rememberAlone({ ws, events }: Alone): void {
    remember(ws, { ...attachmentOf(ws), events });
    this.#events += 1;
    this.#knownEvents = new Set(events.map(keyOf));
  }
}

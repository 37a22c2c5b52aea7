import type { Session } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { type Attachment, attachmentOf, remember, withSoft } from "./attachment.ts";
import type { PeerSockets } from "./peer-sockets.ts";
import { ALL_EVENTS, isWorthARow, SessionRows } from "./session-rows.ts";
import {
  keyOf,
  recalled,
  type SoftEvent,
  softFiguresOf,
  softTextOf,
  withSoftEvent,
} from "./soft-state.ts";

const NOTHING: ReadonlySet<string> = new Set();

/** What is kept with an event: the socket it came through, and links that have to be written. */
export interface Keeping {
  readonly sender?: WebSocket | undefined;
  readonly forced?: ReadonlySet<string> | undefined;
}

/** The session as rows and sockets remember it together (decision 0021). */
export class SessionMemory {
  readonly #storage: DurableObjectStorage;
  readonly #sockets: PeerSockets;
  readonly #rows: SessionRows;
  /** Numbers of the newest event that sockets may remember, and of the newest that rows have. */
  #events = 0;
  #writtenEvents = 0;
  /** Events that are in memory and in no row. */
  #knownEvents: ReadonlySet<string> = new Set();

  constructor(storage: DurableObjectStorage, sockets: PeerSockets) {
    this.#storage = storage;
    this.#sockets = sockets;
    this.#rows = new SessionRows(storage);
  }

  create(session: Session): void {
    this.#rows.create(session);
  }

  load(): Session | null {
    const stored = this.#rows.load();
    const remembered = this.#sockets.recall();
    if (!stored) return null;
    this.#writtenEvents = stored.events;
    this.#knownEvents = new Set();
    return this.recall(stored.session, remembered);
  }

  /** The session with what sockets remember besides. */
  recall(session: Session, remembered: readonly Attachment[]): Session {
    const found = recalled(session, this.#writtenEvents, remembered, this.#knownEvents);
    this.#events = Math.max(this.#events, found.events);
    this.#knownEvents = found.known;
    return found.session;
  }

  /**
   * Makes the new session durable: rows for what is worth one, the attachments of sockets for the rest. Gives what the
   * socket of whoever joined by the event is to remember.
   */
  keep(
    before: Session,
    after: Session,
    event: SessionEvent,
    { sender, forced = NOTHING }: Keeping,
  ): readonly SoftEvent[] {
    const soft = forced.size > 0 ? undefined : this.#softly(before, after, event, sender);
    const written = soft ? NOTHING : this.#save(before, after, forced);
    if (sender) this.#rememberTrickle(before, after, sender, written);
    return soft ?? [];
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
    const json = this.#rows.isSmall ? softTextOf(event, before) : undefined;
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

  /** All rows or none: a fault half-way leaves what was. */
  #save(before: Session, after: Session, forced: ReadonlySet<string>): ReadonlySet<string> {
    if (forced.size === 0 && !isWorthARow(before, after)) return NOTHING;
    const written = this.#storage.transactionSync(() =>
      this.#rows.save(before, after, forced, this.#events),
    );
    this.#writtenEvents = this.#rows.isSmall ? this.#events : ALL_EVENTS;
    // By their numbers they are known as written.
    this.#knownEvents = new Set();
    return written;
  }
}

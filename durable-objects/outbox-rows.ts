import type { WebhookNews } from "../protocol/webhooks/event.ts";

/** How far a receiver is with the events of a session. */
export interface ReceiverState {
  /** All events up to this number are settled: taken by it, or given up. */
  settled: number;
  /** Tries in a row that failed. */
  failures: number;
  /** When it is tried again; absent when nothing keeps it from being tried. */
  nextAt?: number;
  /** How it failed last. */
  last?: { readonly at: number; readonly status?: number; readonly reason: string };
  /** It wants no more events of this session (410). */
  gone?: true;
  /** Events that were given up. */
  dead: number;
}

/** Events of one row, with numbers that follow each other. */
interface Page {
  readonly first: number;
  readonly count: number;
}

/** What waits to be told, and how far it was told. */
export interface OutboxHead {
  readonly session: string;
  /** Number of the newest event. */
  newest: number;
  /** The newest events; older ones are in pages. */
  events: WebhookNews[];
  /** Oldest first. */
  pages: readonly Page[];
  /** By name. */
  readonly receivers: Record<string, ReceiverState>;
  /** The session is over, and its last event is among these. */
  isOver: boolean;
}

const KEY = "outbox";
const pageKey = (first: number): string => `${KEY} ${first}`;

/** What a row has of events at most, in characters: the row is written again with every turn that adds some. */
const CHARACTERS = 16_000;

/** The outbox in storage: one row, as long as no more waits than that has room for. */
export class OutboxRows {
  readonly #kv: SyncKvStorage;
  /** The page that was read last. */
  #read: { readonly first: number; readonly events: readonly WebhookNews[] } | undefined;

  constructor({ kv }: DurableObjectStorage) {
    this.#kv = kv;
  }

  load(): OutboxHead | undefined {
    this.#read = undefined;
    const json = this.#kv.get<string>(KEY);
    return json === undefined ? undefined : (JSON.parse(json) as OutboxHead);
  }

  /** Adds events and writes all. */
  append(head: OutboxHead, news: readonly WebhookNews[]): void {
    head.newest += news.length;
    head.events.push(...news);
    this.save(head);
  }

  /** Writes how far it is, without what everybody has. */
  save(head: OutboxHead): void {
    this.#drop(head);
    this.#turnOver(head);
    this.#kv.put(KEY, JSON.stringify(head));
  }

  /** The event with a number, which is still waiting. */
  event(head: OutboxHead, sequence: number): WebhookNews | undefined {
    const inline = head.events[sequence - firstOf(head)];
    if (inline) return inline;
    const page = head.pages.find(
      ({ first, count }) => first <= sequence && sequence < first + count,
    );
    if (!page) return undefined;
    if (this.#read?.first !== page.first) {
      const json = this.#kv.get<string>(pageKey(page.first)) ?? "[]";
      this.#read = { first: page.first, events: JSON.parse(json) as WebhookNews[] };
    }
    return this.#read.events[sequence - page.first];
  }

  #drop(head: OutboxHead): void {
    const settled = settledByAll(head);
    for (const { first, count } of head.pages) {
      if (first + count - 1 <= settled) this.#kv.delete(pageKey(first));
    }
    head.pages = head.pages.filter(({ first, count }) => first + count - 1 > settled);
    head.events.splice(0, Math.max(0, settled - firstOf(head) + 1));
  }

  /** What has no room in the row goes to pages of its own, the oldest first. */
  #turnOver(head: OutboxHead): void {
    for (;;) {
      const count = fitting(head.events);
      if (count === head.events.length) return;
      const first = firstOf(head);
      this.#kv.put(pageKey(first), JSON.stringify(head.events.splice(0, count)));
      head.pages = [...head.pages, { first, count }];
    }
  }
}

/** How many events fit into a row; one at least. */
function fitting(events: readonly WebhookNews[]): number {
  let characters = 0;
  for (const [index, event] of events.entries()) {
    characters += JSON.stringify(event).length;
    if (characters > CHARACTERS && index > 0) return index;
  }
  return events.length;
}

/** Number of the first event that is in no page. */
const firstOf = ({ newest, events }: OutboxHead): number => newest - events.length + 1;

function settledByAll({ newest, receivers }: OutboxHead): number {
  return Math.min(newest, ...Object.values(receivers).map(({ settled }) => settled));
}

/** Events that a receiver does not have yet. */
export const pendingOf = ({ newest }: OutboxHead, { settled, gone }: ReceiverState): number =>
  gone ? 0 : newest - settled;

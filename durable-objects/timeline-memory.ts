import {
  isIn,
  linkOf,
  newsSince,
  type Remembered,
  type Ring,
  type Timeline,
} from "../protocol/timeline/timeline.ts";
import { type Attachment, attachmentOf, remember } from "./attachment.ts";

/** In characters. */
const ROOM = 1_800;

/** What a socket is to remember of the timeline. */
export interface Apart {
  readonly text: string | undefined;
  /** What has to be written, because it has no room: links, and subjects of others. */
  readonly due: ReadonlySet<string>;
}

const NOTHING_APART: Apart = { text: undefined, due: new Set() };

/**
 * What rows have of the timeline. It is written with whatever is written; until then the socket that something came
 * through remembers it, and only when that is full it is worth a row.
 */
export class TimelineMemory {
  #written = new Map<string, Ring>();

  /** Rows were read: they have this. */
  begin({ rings }: Timeline): void {
    this.#written = new Map(rings);
  }

  /** Rows were written that have the rings of these subjects. */
  wrote({ rings }: Timeline, subjects: Iterable<string>): void {
    for (const subject of subjects) this.#written.set(subject, rings.get(subject) ?? []);
  }

  /** Links, and subjects of others, of which these sockets remember entries that no row has. */
  apartIn(attachments: readonly Attachment[]): readonly string[] {
    return attachments
      .flatMap(entriesIn)
      .filter((each) => this.#isApart(each))
      .map(([subject]) => linkOf(subject) ?? subject);
  }

  /** What a socket is to remember after a turn, and the text of it; none when nothing is left or there is no room. */
  afterTurn(known: string | undefined, before: Timeline, after: Timeline): Apart {
    if (known === undefined && before === after) return NOTHING_APART;
    const news = newsSince(before, after);
    const changed = new Set(news.map(([, { n }]) => n));
    const older = read(known).filter(([, { n }]) => !changed.has(n));
    const all = [...older, ...news].filter((each) => this.#isApart(each));
    if (all.length === 0) return NOTHING_APART;
    const text = JSON.stringify(all);
    if (text.length <= ROOM) return { text, due: new Set() };
    return { text: undefined, due: new Set(all.map(([subject]) => linkOf(subject) ?? subject)) };
  }

  #isApart([subject, entry]: Remembered): boolean {
    return !isIn(this.#written.get(subject) ?? [], subject, entry);
  }
}

const read = (text: string | undefined): readonly Remembered[] =>
  text === undefined ? [] : (JSON.parse(text) as Remembered[]);

/** Entries of the timeline that a socket remembers, with their subjects. */
export const entriesIn = ({ timeline }: Attachment): readonly Remembered[] => read(timeline);

/** Gives a socket the entries that it is to remember, if they are others than it does. */
export function rememberEntries(ws: WebSocket, text: string | undefined): void {
  const attachment = attachmentOf(ws);
  if (attachment.timeline === text) return;
  const { timeline: _, ...rest } = attachment;
  remember(ws, text === undefined ? rest : { ...rest, timeline: text });
}

import type { EndRecord } from "../protocol/assistance/records.ts";
import type { Link, Session } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import type { AssistanceRows } from "./assistance-rows.ts";

export interface NewsPorts {
  readonly session: () => Session | null;
  readonly turn: (event: SessionEvent) => void;
  /** What networks do for the ends of the session now. */
  readonly ends: (session: Session, at: number) => readonly EndRecord[];
}

const placeOf = ({ link, peer }: Pick<EndRecord, "link" | "peer">): string => `${link} ${peer}`;

/** Tells the session what networks do for its ends, where its flows say something else. */
export class AssistanceNews {
  readonly #state: DurableObjectState;
  readonly #ports: NewsPorts;
  /** What was told last: the same is not told twice, whatever the session makes of it. */
  readonly #told = new Map<string, string>();
  #isTelling = false;
  /** Whether it was seen what is to be taken back: flows say nothing new of networks where none is asked. */
  #hasLooked = false;

  constructor(state: DurableObjectState, ports: NewsPorts) {
    this.#state = state;
    this.#ports = ports;
  }

  /**
   * There is something to be taken back, if there is nothing to tell: flows show what networks did that were configured
   * when the object woke before.
   */
  get hasTold(): boolean {
    if (this.#told.size > 0) return true;
    const links = this.#ports.session()?.links ?? new Map<string, Link>();
    for (const { flows } of links.values()) if (flows.assistance) return true;
    return false;
  }

  /** Nobody is asked any more: what came of what was asked is shown no more. Looked at once, not at every turn. */
  takeBack(rows: Pick<AssistanceRows, "entries">): void {
    if (this.#hasLooked || !this.#ports.session()) return;
    this.#hasLooked = true;
    if (this.hasTold && rows.entries.size > 0) this.tellSoon();
  }

  /** After the turn that is under way. */
  tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#state.waitUntil(Promise.resolve().then(() => this.#tell()));
  }

  #tell(): void {
    this.#isTelling = false;
    const session = this.#ports.session();
    if (!session) return;
    const at = Date.now();
    const ends = this.#ports.ends(session, at);
    const places = new Set(ends.map(placeOf));
    for (const { id: link, flows } of session.links.values()) {
      for (const peer of Object.keys(flows.assistance ?? {})) {
        if (places.has(placeOf({ link, peer }))) continue;
        this.#ports.turn({ type: "assistance", link, peer, assistance: null, at });
      }
    }
    for (const end of ends) {
      const { link, peer, record: assistance } = end;
      const text = JSON.stringify(assistance);
      const known = session.links.get(link)?.flows.assistance?.[peer];
      if (JSON.stringify(known) === text || this.#told.get(placeOf(end)) === text) continue;
      this.#told.set(placeOf(end), text);
      this.#ports.turn({ type: "assistance", link, peer, assistance, at });
    }
    for (const place of this.#told.keys()) if (!places.has(place)) this.#told.delete(place);
  }

  forget(): void {
    this.#hasLooked = false;
    this.#told.clear();
  }
}

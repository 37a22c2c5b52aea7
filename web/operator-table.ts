import { make, setText } from "./element.ts";
import type { Letter, ListedSession } from "./operator-api.ts";
import { duration, levelOf, linksOf, metadataOf, peersOf, stateOf } from "./operator-words.ts";

const COLUMNS = ["State", "Session", "Started", "Peers", "Links", ""] as const;
const LETTER_COLUMNS = ["Event", "Session", "Receiver", "Why", "Given up", ""] as const;

function cellsOf(row: HTMLTableRowElement, columns: readonly string[]): HTMLTableCellElement[] {
  return columns.map((label) => {
    const cell = make("td");
    if (label !== "") cell.dataset.label = label;
    row.append(cell);
    return cell;
  });
}

function button(label: string, name: string, act: () => void): HTMLButtonElement {
  const made = make("button", "button small", label);
  made.type = "button";
  made.setAttribute("aria-label", name);
  made.addEventListener("click", act);
  return made;
}

interface Row {
  readonly row: HTMLTableRowElement;
  readonly show: (session: ListedSession, now: number) => void;
}

/** The list of sessions. Rows stay where they are; only what changed in them is written. */
export class SessionTable {
  readonly #table: HTMLTableElement;
  readonly #body: HTMLTableSectionElement;
  readonly #inspect: (session: string) => void;
  readonly #rows = new Map<string, Row>();

  constructor(table: HTMLTableElement, inspect: (session: string) => void) {
    this.#table = table;
    this.#body = table.tBodies[0] ?? table.createTBody();
    this.#inspect = inspect;
  }

  show(sessions: readonly ListedSession[], now: number): void {
    this.#table.hidden = sessions.length === 0;
    const ids = new Set(sessions.map(({ id }) => id));
    for (const [id, { row }] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    sessions.forEach((session, index) => {
      const known = this.#rows.get(session.id) ?? this.#newRow(session.id);
      known.show(session, now);
      // A row that is moved loses the focus.
      const there = this.#body.rows[index];
      if (there !== known.row) this.#body.insertBefore(known.row, there ?? null);
    });
  }

  #newRow(id: string): Row {
    const row = make("tr");
    row.dataset.session = id;
    const [state, session, started, peers, links, act] = cellsOf(row, COLUMNS);
    const badge = make("span", "badge");
    const says = make("p", "says");
    const title = make("p", "title");
    const code = make("code", "id", id);
    const topology = make("span", "hint");
    state?.append(badge, says);
    session?.append(title, code, topology);
    act?.append(button("Inspect", `Inspect session ${id}`, () => this.#inspect(id)));
    const made: Row = {
      row,
      show: (shown, now) => {
        const { createdAt, endsAt, verdict, topology: kind } = shown;
        row.dataset.level = levelOf(shown);
        setText(badge, stateOf(shown));
        setText(says, verdict?.says ?? "");
        setText(title, metadataOf(shown));
        setText(topology, kind === "mesh" ? "" : kind);
        if (started) setText(started, `${duration(now - createdAt)} ago`);
        if (started) started.title = new Date(createdAt).toLocaleString();
        if (peers)
          setText(peers, `${peersOf(shown)}${endsAt === undefined ? "" : endsIn(endsAt - now)}`);
        if (links) setText(links, linksOf(shown));
      },
    };
    this.#rows.set(id, made);
    return made;
  }
}

const endsIn = (ms: number): string => `, ends in ${duration(ms)}`;

/** What can be done about an event that was given up. */
export interface LetterActs {
  readonly inspect: (session: string) => void;
  readonly redeliver: (letter: Letter) => void;
}

/** Shows the events that were given up, in full. */
export function showLetters(
  table: HTMLTableElement,
  letters: readonly Letter[],
  now: number,
  { inspect, redeliver }: LetterActs,
): void {
  table.hidden = letters.length === 0;
  const body = table.tBodies[0] ?? table.createTBody();
  const focused = body.querySelector<HTMLElement>(":focus")?.dataset.key;
  body.replaceChildren(
    ...letters.map((letter) => {
      const row = make("tr");
      const [event, session, receiver, why, when, act] = cellsOf(row, LETTER_COLUMNS);
      const id = letter.event.session;
      if (event) setText(event, letter.event.type);
      if (receiver) setText(receiver, letter.receiver);
      if (why) setText(why, `${letter.reason}, ${letter.failures} tries`);
      if (when) setText(when, `${duration(now - letter.givenUpAt)} ago`);
      if (id !== undefined) {
        const link = button(id, `Inspect session ${id}`, () => inspect(id));
        link.classList.add("id");
        link.dataset.key = `session ${letter.id}`;
        session?.append(link);
      }
      const again = button("Deliver again", `Deliver again: ${letter.event.type}`, () =>
        redeliver(letter),
      );
      again.dataset.key = letter.id;
      act?.append(again);
      return row;
    }),
  );
  if (focused === undefined) return;
  const buttons = [...body.querySelectorAll<HTMLElement>("[data-key]")];
  buttons.find(({ dataset }) => dataset.key === focused)?.focus();
}

import type { DuplexError, Flow, Session, Transport } from "../client/duplex.ts";
import { make, setText } from "./element.ts";
import { bitrate, codecOf } from "./words.ts";

const COLUMNS = [
  "Direction",
  "Peer",
  "Media",
  "Codec",
  "Bit rate",
  "5-tuple",
  "State",
  "",
] as const;

interface Row {
  readonly row: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
  readonly action: HTMLButtonElement;
}

/** Rows in the table, flows that are not over, and bits per second in both directions. */
interface Shown {
  readonly shown: number;
  readonly live: number;
  readonly up: number;
  readonly down: number;
}

/** The path of a flow's transport as seen from this peer, in the direction of the flow. */
function pathOf(transport: Transport | undefined, self: string, uplink: boolean): string {
  const tuple = transport?.fiveTuples.find(({ peer }) => peer === self);
  if (tuple === undefined) return "not known yet";
  const end = ({ address = "hidden", port }: Transport["fiveTuples"][number]["local"]) =>
    `${address.includes(":") ? `[${address}]` : address}:${port ?? "?"}`;
  const local = end(tuple.local);
  const remote = end(tuple.remote);
  const relay = tuple.relay === undefined ? "" : ", relayed";
  return `${tuple.protocol} ${uplink ? `${local} → ${remote}` : `${remote} → ${local}`}${relay}`;
}

/** Flows of one peer stand together, in the order of their m-sections, uplink first. */
function byPeerAndMid(self: string): (a: Flow, b: Flow) => number {
  const other = ({ from, to }: Flow) => (from === self ? to : from);
  return (a, b) =>
    other(a).localeCompare(other(b)) ||
    a.mLineIndex - b.mLineIndex ||
    Number(a.from !== self) - Number(b.from !== self);
}

/** The live table of flows. Rows stay where they are; only what changed in them is written. */
export class FlowTable {
  readonly #table: HTMLTableElement;
  readonly #body: HTMLTableSectionElement;
  readonly #refused: (problem: DuplexError) => void;
  readonly #rows = new Map<string, Row>();
  readonly #names = new Map<string, string>();
  #rates: ReadonlyMap<string, number> = new Map();

  /** `refused` hears of a change to a flow that the server did not allow. */
  constructor(table: HTMLTableElement, refused: (problem: DuplexError) => void) {
    this.#table = table;
    this.#refused = refused;
    this.#body = table.tBodies[0] ?? table.createTBody();
  }

  /** Measures bit rates, then shows. */
  async refresh(session: Session, showEnded: boolean): Promise<void> {
    this.#rates = await session.getBitrates();
    this.show(session, showEnded);
  }

  /** Shows the flows of a session; says how many there are and what they carry. */
  show(session: Session, showEnded: boolean): Shown {
    for (const { id, name } of session.peers.values()) this.#names.set(id, name ?? "Guest");
    const flows = session.flows.filter(({ state }) => showEnded || state !== "ended");
    const shown = new Set(flows.map(({ id }) => id));
    for (const [id, { row }] of this.#rows) {
      if (shown.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const flow of flows.sort(byPeerAndMid(session.peer.id))) this.#showFlow(session, flow);
    this.#table.hidden = flows.length === 0;
    const sum = (own: boolean) =>
      flows
        .filter(({ from }) => (from === session.peer.id) === own)
        .reduce((total, { id }) => total + (this.#rates.get(id) ?? 0), 0);
    const live = flows.filter(({ state }) => state !== "ended").length;
    return { shown: flows.length, live, up: sum(true), down: sum(false) };
  }

  clear(): void {
    for (const { row } of this.#rows.values()) row.remove();
    this.#rows.clear();
    this.#names.clear();
    this.#rates = new Map();
  }

  #showFlow(session: Session, flow: Flow): void {
    const self = session.peer.id;
    const uplink = flow.from === self;
    const other = uplink ? flow.to : flow.from;
    const { row, cells, action } = this.#rowOf(session, flow.id);
    // Moving a row takes the focus from its button: only a new one is put in its place.
    if (!row.isConnected) this.#body.insertBefore(row, this.#rowAfter(session, flow));
    row.dataset.direction = uplink ? "uplink" : "downlink";
    row.dataset.state = flow.state;
    row.dataset.kind = flow.kind;
    row.classList.toggle("impaired", flow.stale === true || flow.impaired === true);
    const transport = session.transports.find(({ id }) => id === flow.transport);
    const texts = [
      uplink ? "↑ uplink" : "↓ downlink",
      // Those who left are known by name still.
      this.#names.get(other) ?? other,
      `${flow.kind}, mid ${flow.mid}`,
      codecOf(flow),
      bitrate(flow.state === "active" ? this.#rates.get(flow.id) : undefined),
      pathOf(transport, self, uplink),
      stateOf(flow),
    ];
    texts.forEach((text, index) => {
      const cell = cells[index];
      if (cell !== undefined) setText(cell, text);
    });
    const steerable = flow.state !== "ended" && flow.kind !== "data";
    action.hidden = !steerable;
    setText(action, flow.state === "held" ? "Resume" : "Hold");
    action.setAttribute("aria-label", `${action.textContent} ${flow.kind} ${texts[0]} ${texts[1]}`);
  }

  #rowAfter(session: Session, flow: Flow): Node | null {
    const compare = byPeerAndMid(session.peer.id);
    const after = session.flows
      .filter((other) => this.#rows.get(other.id)?.row.isConnected && compare(flow, other) < 0)
      .sort(compare)[0];
    return (after && this.#rows.get(after.id)?.row) ?? null;
  }

  #rowOf(session: Session, id: string): Row {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    const row = make("tr");
    row.dataset.flow = id;
    const cells = COLUMNS.map((label) => {
      const cell = make("td");
      cell.dataset.label = label;
      return cell;
    });
    const action = make("button", "button small");
    action.type = "button";
    action.addEventListener("click", () => {
      const flow = session.flows.find((one) => one.id === id);
      session.changeFlow(id, { held: flow?.state !== "held" }).catch(this.#refused);
    });
    cells.at(-1)?.append(action);
    row.append(...cells);
    const made = { row, cells, action };
    this.#rows.set(id, made);
    return made;
  }
}

function stateOf({ state, reason, stale, impaired }: Flow): string {
  const more = [reason, stale === true && "stale", impaired === true && "impaired"].filter(Boolean);
  return more.length === 0 ? state : `${state} (${more.join(", ")})`;
}

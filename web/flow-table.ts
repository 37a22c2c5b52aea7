import type { DuplexError, Flow, Session, Transport } from "../client/duplex.ts";
import { make, setText } from "./element.ts";
import { FlowControls } from "./flow-controls.ts";
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
  readonly controls: FlowControls;
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
  async refresh(session: Session<Flow>, showEnded: boolean): Promise<void> {
    this.#rates = await session.getBitrates();
    this.show(session, showEnded);
  }

  /** Shows the flows of a session; says how many there are and what they carry. */
  show(session: Session<Flow>, showEnded: boolean): Shown {
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

  #showFlow(session: Session<Flow>, flow: Flow): void {
    const self = session.peer.id;
    const uplink = flow.from === self;
    const other = uplink ? flow.to : flow.from;
    const { row, cells, controls } = this.#rowOf(session, flow.id);
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
      rateOf(flow, flow.state === "active" ? this.#rates.get(flow.id) : undefined),
      pathOf(transport, self, uplink),
      this.#stateOf(flow, self),
    ];
    texts.forEach((text, index) => {
      const cell = cells[index];
      if (cell !== undefined) setText(cell, text);
    });
    controls.show(flow, self, this.#names.get(other) ?? other);
  }

  /** The state and what qualifies it: who holds the flow, or what its sender could not do. */
  #stateOf(
    { state, reason, stale, impaired, requests = [], applied, pending }: Flow,
    self: string,
  ) {
    const nameOf = (by: string) =>
      by === self ? "you" : by === "application" ? "the application" : (this.#names.get(by) ?? by);
    const holders = requests.filter(({ held }) => held).map(({ by }) => nameOf(by));
    const why = reason === "requested" ? `by ${holders.join(" and ")}` : reason;
    const more = [
      why,
      stale && "stale",
      impaired && "impaired",
      pending && "change offered",
      applied?.problem && `not applied: ${applied.problem.code}`,
    ].filter(Boolean);
    return more.length === 0 ? state : `${state} (${more.join(", ")})`;
  }

  #rowAfter(session: Session<Flow>, flow: Flow): Node | null {
    const compare = byPeerAndMid(session.peer.id);
    const after = session.flows
      .filter((other) => this.#rows.get(other.id)?.row.isConnected && compare(flow, other) < 0)
      .sort(compare)[0];
    return (after && this.#rows.get(after.id)?.row) ?? null;
  }

  #rowOf(session: Session<Flow>, id: string): Row {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    const row = make("tr");
    row.dataset.flow = id;
    const cells = COLUMNS.map((label) => {
      const cell = make("td");
      cell.dataset.label = label;
      return cell;
    });
    const controls = new FlowControls(session, id, this.#refused);
    cells.at(-1)?.append(controls.element);
    row.append(...cells);
    const made = { row, cells, controls };
    this.#rows.set(id, made);
    return made;
  }
}

/** What flows, and what may flow at most. */
function rateOf({ limits, state }: Flow, bps: number | undefined): string {
  const { effectiveBps } = limits;
  const isLimited = effectiveBps !== undefined && state !== "ended";
  return isLimited ? `${bitrate(bps)} of ${bitrate(effectiveBps)}` : bitrate(bps);
}

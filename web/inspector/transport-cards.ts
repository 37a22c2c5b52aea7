import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { PairEnd, Transport } from "../../protocol/transport.ts";
import { element, make, setText } from "../element.ts";
import { tupleText } from "./flow-members.ts";
import { Keyed } from "./keyed.ts";
import type { CallRecord } from "./record.ts";
import type { Scope } from "./scope.ts";
import { clock, counted, linkName, nameOf } from "./words.ts";

const STATES: Readonly<Record<Transport["state"], { sign: string; tone: string }>> = {
  failed: { sign: "✕", tone: "bad" },
  disconnected: { sign: "!", tone: "warn" },
  checking: { sign: "◔", tone: "note" },
  new: { sign: "○", tone: "none" },
  connected: { sign: "✓", tone: "good" },
  closed: { sign: "–", tone: "none" },
};
const WORST = Object.keys(STATES) as Transport["state"][];

/** Candidate pairs, 5-tuples, ICE and DTLS of the transports of the links that are looked at. */
export class TransportCards {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #cards: Keyed<Transport, HTMLElement>;
  readonly #none = element("no-transports", HTMLElement);
  readonly #shown = new WeakMap<HTMLElement, string>();

  constructor(record: CallRecord, scope: Scope) {
    this.#record = record;
    this.#scope = scope;
    this.#cards = new Keyed<Transport, HTMLElement>(
      element("transports", HTMLElement),
      () => make("li", "transport-card"),
      (card, transport) => this.#update(card, transport),
    );
  }

  show(): void {
    const within = [...this.#record.transports.values()]
      .filter(({ link }) => this.#scope.has(link))
      .toSorted((one, other) => WORST.indexOf(one.state) - WORST.indexOf(other.state));
    this.#cards.show(within, ({ id }) => id);
    this.#none.hidden = within.length > 0;
  }

  #update(card: HTMLElement, transport: Transport): void {
    const history = this.#record.entries.filter(
      (entry): entry is Extract<TimelineEntry, { type: "transport" }> =>
        entry.type === "transport" &&
        entry.link === transport.link &&
        (entry.transport === undefined || entry.transport === transport.id),
    );
    const names = this.#record.endsOf(transport.link).map((id) => nameOf(this.#record, id));
    const text = JSON.stringify([transport, history.length, names]);
    if (this.#shown.get(card) === text) return;
    this.#shown.set(card, text);
    const { sign, tone } = STATES[transport.state];
    card.dataset.tone = tone;
    const head = make("h3");
    const mark = make("span", "sign", sign);
    mark.ariaHidden = "true";
    head.append(mark, make("span", "who", linkName(this.#record, transport.link)));
    head.append(make("span", "word", transport.state));
    card.replaceChildren(head, make("p", "soft", this.#about(transport)), this.#ends(transport));
    const steps = history.slice(-12).map(({ at, by, state, reason }) => {
      const step = make("li", "", `${clock(at)} ${nameOf(this.#record, by)} ${state}`);
      if (reason !== undefined) step.append(` (${reason})`);
      return step;
    });
    if (steps.length === 0) return;
    const list = make("ol", "steps");
    list.ariaLabel = "What was reported, oldest first";
    list.append(...steps);
    card.append(list);
  }

  #about({ mids, iceGeneration, rtcpMux, reason, dtls, restartingSince }: Transport): string {
    const parts = [
      `mid ${mids.join(", ")}`,
      iceGeneration > 0 ? `ICE generation ${iceGeneration}` : "",
      restartingSince === undefined ? "" : "ICE restarts",
      rtcpMux ? "" : "RTCP apart",
      reason ?? "",
      dtls.client === undefined ? "" : `DTLS client ${nameOf(this.#record, dtls.client)}`,
      dtls.tlsVersion === undefined ? "" : tlsName(dtls.tlsVersion),
      dtls.srtpProfile ?? "",
      dtls.cipher ?? "",
    ];
    return parts.filter((part) => part !== "").join(" · ");
  }

  /** What each end has gathered, selected and reported. */
  #ends(transport: Transport): HTMLElement {
    const table = make("table", "ends");
    const caption = make("caption", "visually-hidden", "What each end has gathered and selected");
    const head = make("tr");
    for (const title of ["End", "Candidates", "Selected pair", "5-tuple"]) {
      const cell = make("th", "", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = make("tbody");
    for (const peer of this.#record.endsOf(transport.link)) body.append(this.#end(transport, peer));
    const top = make("thead");
    top.append(head);
    table.append(caption, top, body);
    return table;
  }

  #end(transport: Transport, peer: string): HTMLElement {
    const row = make("tr");
    const name = make("th", "", nameOf(this.#record, peer));
    name.scope = "row";
    const counts = Object.entries(transport.candidates[peer] ?? {}).filter(
      ([, count]) => count > 0,
    );
    const pair = transport.selectedPair?.[peer];
    const tuples = transport.fiveTuples.filter((tuple) => tuple.peer === peer);
    const lite = transport.ice[peer]?.lite ? "ICE lite, " : "";
    const cells = [
      lite + (counts.map(([type, count]) => `${count} ${type}`).join(", ") || "none"),
      pair === undefined ? "none" : `${endText(pair.local)} ↔ ${endText(pair.remote)}`,
      tuples.map(tupleText).join("\n") || "unknown",
    ].map((value, index) => {
      const cell = make("td", index === 2 ? "tuple" : "", value);
      cell.dataset.label = ["Candidates", "Selected pair", "5-tuple"][index] ?? "";
      return cell;
    });
    row.append(name, ...cells);
    return row;
  }
}

function endText({ candidateType, protocol, relayProtocol }: PairEnd): string {
  const via = relayProtocol ? ` by ${relayProtocol}` : "";
  return `${candidateType}${protocol && protocol !== "udp" ? ` ${protocol}` : ""}${via}`;
}

/** `FEFD` is how DTLS writes 1.2. */
function tlsName(version: string): string {
  return (
    { FEFF: "DTLS 1.0", FEFD: "DTLS 1.2", FEFC: "DTLS 1.3" }[version.toUpperCase()] ??
    `TLS ${version}`
  );
}

/** For a heading: how many transports there are, and how many are not connected. */
export function transportSum(record: CallRecord, target: HTMLElement): void {
  const all = [...record.transports.values()].filter(({ state }) => state !== "closed");
  const off = all.filter(({ state }) => state !== "connected").length;
  setText(
    target,
    `${counted(all.length, "transport")}${off === 0 ? "" : `, ${off} not connected`}`,
  );
}

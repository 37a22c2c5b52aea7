import type { Flow } from "../client/duplex.ts";
import { element, make, setText } from "./element.ts";
import { bitrate } from "./words.ts";

const COLUMNS = ["Sender", "Receiver", "Media", "Codecs", "State", "Transport"] as const;

/** The media flows that would result: who sends what to whom. */
export class ExpectedFlows {
  readonly #section = element("result", HTMLElement);
  readonly #table = element("flows", HTMLTableElement);

  show(flows: readonly Flow[]): void {
    this.#section.hidden = false;
    this.#table.hidden = flows.length === 0;
    this.#table.tBodies[0]?.replaceChildren(...flows.map((flow) => rowOf(flow, flows)));
    const none = this.#section.querySelector<HTMLElement>("[data-none]");
    if (none !== null) none.hidden = flows.length > 0;
    const sum = this.#section.querySelector("[data-sum]");
    if (sum !== null) setText(sum, sumOf(flows));
  }

  hide(): void {
    this.#section.hidden = true;
  }
}

function sumOf(flows: readonly Flow[]): string {
  if (flows.length === 0) return "";
  const transports = new Set(flows.map(({ transport }) => transport)).size;
  const proposed = flows.every(({ state }) => state === "proposed");
  const words = `${flows.length} flows on ${transports} transport${transports === 1 ? "" : "s"}`;
  return proposed ? `${words}, if the answer accepts everything` : words;
}

function rowOf(flow: Flow, all: readonly Flow[]): HTMLTableRowElement {
  const row = make("tr");
  row.dataset.flow = flow.id;
  row.dataset.state = flow.state;
  row.dataset.direction = flow.from === "offerer" ? "uplink" : "downlink";
  const texts = [
    `${flow.from} ↑ uplink`,
    `${flow.to} ↓ downlink`,
    mediaOf(flow),
    codecsOf(flow),
    flow.reason === undefined ? flow.state : `${flow.state} (${flow.reason})`,
    transportOf(flow, all),
  ];
  row.append(
    ...texts.map((text, index) => {
      const cell = make("td", "", text);
      cell.dataset.label = COLUMNS[index];
      return cell;
    }),
  );
  return row;
}

function mediaOf({ kind, mid, mLineIndex, layers, limits }: Flow): string {
  const place = mid === "" ? `m-section ${mLineIndex}` : `mid ${mid}`;
  const { effectiveBps } = limits;
  return [
    kind,
    place,
    ...(layers.length > 0 ? [`${layers.length} simulcast layers`] : []),
    ...(effectiveBps === undefined ? [] : [`at most ${bitrate(effectiveBps)}`]),
  ].join(", ");
}

/** `opus, G722, PCMU` in the order of preference, each name once; what only repairs or fills comes last. */
function codecsOf({ kind, codecs, sctp }: Flow): string {
  if (kind === "data") return sctp?.port === undefined ? "SCTP" : `SCTP, port ${sctp.port}`;
  const namesOf = (wanted: boolean) => [
    ...new Set(
      codecs.filter(({ role }) => (role === "primary") === wanted).map(({ name }) => name),
    ),
  ];
  const [primary, others] = [namesOf(true), namesOf(false)];
  if (primary.length === 0) return "none in common";
  return others.length === 0 ? primary.join(", ") : `${primary.join(", ")} + ${others.join(", ")}`;
}

/** Transports are told apart by number, and by the sections that share them. */
function transportOf({ transport }: Flow, all: readonly Flow[]): string {
  const number = [...new Set(all.map((flow) => flow.transport))].indexOf(transport) + 1;
  const sharing = all.filter((flow) => flow.transport === transport);
  const sections = [...new Set(sharing.map(({ mid, mLineIndex }) => mid || `#${mLineIndex}`))];
  return sections.length < 2 ? `${number}` : `${number}, shared by mid ${sections.join(", ")}`;
}

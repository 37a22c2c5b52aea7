import type { Flow } from "../../protocol/flow.ts";
import { element, make, setText } from "../element.ts";
import { bitrate, codecOf } from "../words.ts";
import { chart, type Line, sparkline } from "./chart.ts";
import { experiencesOf } from "./experience.ts";
import { flowsWithin, LOOKS, lookOf } from "./flow-bundles.ts";
import { Keyed } from "./keyed.ts";
import type { CallRecord } from "./record.ts";
import { bitrateOf, pointsOf, type Sample } from "./samples.ts";
import type { Scope } from "./scope.ts";
import { nameOf } from "./words.ts";

const WINDOW_MS = 5 * 60_000;
const HOLD_MS = 2_000;
const LEAST_MS = 30_000;
const SPARK = { width: 64, height: 26 };

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const percent = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
const frames = (value: number): string => `${Math.round(value)} /s`;

interface Metric {
  readonly title: string;
  readonly members: readonly (readonly [string, Exclude<keyof Sample, "at">])[];
  readonly unit: (value: number) => string;
  /** From here on it is worth a look. */
  readonly isBad?: (value: number) => boolean;
}

const METRICS: readonly Metric[] = [
  {
    title: "Bit rate",
    members: [
      ["received", "receivedBps"],
      ["sent", "sentBps"],
    ],
    unit: (value) => bitrate(value),
  },
  {
    title: "Loss",
    members: [["loss", "lossPercent"]],
    unit: percent,
    isBad: (value) => value >= 3,
  },
  { title: "Jitter", members: [["jitter", "jitterMs"]], unit: ms, isBad: (value) => value >= 50 },
  {
    title: "Round trip",
    members: [["round trip", "roundTripMs"]],
    unit: ms,
    isBad: (value) => value >= 300,
  },
  { title: "Frames", members: [["frames", "framesPerSecond"]], unit: frames },
];

/** A row per flow, a line per measure over the last minutes; a row that is opened shows them with axes. */
export class QualityTable {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #rows: Keyed<Flow, HTMLElement>;
  readonly #none = element("no-quality", HTMLElement);
  readonly #table = element("quality-table", HTMLTableElement);
  readonly #shown = new WeakMap<HTMLElement, string>();
  #open = "";
  #order: readonly string[] = [];

  constructor(record: CallRecord, scope: Scope) {
    this.#record = record;
    this.#scope = scope;
    // A body per flow: its row, and below it the charts when it is opened.
    this.#rows = new Keyed<Flow, HTMLElement>(
      this.#table,
      (flow) => this.#make(flow.id),
      (row, flow) => this.#update(row, flow),
    );
  }

  show(): void {
    const flows = flowsWithin(this.#record, this.#scope, false)
      .filter(({ kind }) => kind !== "data")
      .toSorted(
        (one, other) => bitrateOf(other) - bitrateOf(one) || one.id.localeCompare(other.id),
      );
    // The order stays while somebody reads.
    const places = new Map(this.#order.map((id, index) => [id, index]));
    const placeOf = ({ id }: Flow): number => places.get(id) ?? places.size;
    const stable = flows.toSorted((one, other) => placeOf(one) - placeOf(other));
    this.#order = stable.map(({ id }) => id);
    this.#rows.show(stable, ({ id }) => id);
    this.#none.hidden = flows.length > 0;
    this.#table.hidden = flows.length === 0;
  }

  #make(id: string): HTMLElement {
    const [body, row, more] = [make("tbody"), make("tr"), make("tr", "charts")];
    const head = make("th");
    head.scope = "row";
    const button = make("button", "quality-head");
    button.type = "button";
    button.append(make("span", "who"), make("span", "soft"));
    button.addEventListener("click", () => {
      this.#open = this.#open === id ? "" : id;
      this.show();
    });
    head.append(button);
    row.append(head);
    for (const { title } of METRICS) {
      const cell = make("td");
      cell.dataset.label = title;
      row.append(cell);
    }
    const charts = make("td");
    charts.colSpan = METRICS.length + 1;
    more.append(charts);
    body.append(row, more);
    return body;
  }

  #update(body: HTMLElement, flow: Flow): void {
    const samples = this.#record.samplesOf(flow.id);
    const isOpen = this.#open === flow.id;
    const last = samples.at(-1);
    const names = [flow.from, flow.to].map((id) => nameOf(this.#record, id));
    const look = lookOf(this.#record, flow);
    const { clientWidth } = this.#table;
    // Peers tell what has changed: what they told last holds until now.
    const now = Math.floor(this.#record.elapsed / HOLD_MS) * HOLD_MS;
    const to = Math.max(last?.at ?? 0, look === "active" ? now : 0);
    const width = isOpen && clientWidth;
    const text = JSON.stringify([last, samples.length, isOpen, names, look, width, to]);
    if (this.#shown.get(body) === text) return;
    this.#shown.set(body, text);
    const [row, more] = body.children;
    const [head, ...cells] = row?.children ?? [];
    const charts = more?.firstElementChild;
    const button = head?.firstElementChild;
    if (!(more instanceof HTMLElement && charts && button)) return;
    body.dataset.look = look;
    button.ariaExpanded = String(isOpen);
    const [who, what] = button.children;
    if (who) setText(who, names.join(" → "));
    const state = look === "active" ? "" : `, ${LOOKS[look].word}`;
    if (what) setText(what, `${flow.kind}, ${codecOf(flow)}${state}`);
    const first = Math.max(samples[0]?.at ?? 0, to - WINDOW_MS);
    const shape = { from: Math.min(first, to - LEAST_MS), to };
    METRICS.forEach((metric, index) => {
      const cell = cells[index];
      if (cell instanceof HTMLElement) fill(cell, metric, samples, shape);
    });
    more.hidden = !isOpen;
    const figures = () => [
      figuresOf(samples, shape, clientWidth),
      figureBox(experiencesOf(this.#record, flow)),
    ];
    charts.replaceChildren(...(isOpen ? figures() : []));
  }
}

/** The charts of a flow, as many side by side as are readable. */
function figuresOf(samples: readonly Sample[], shape: Shape, space: number): HTMLElement {
  const columns = Math.max(1, Math.min(3, Math.floor(space / 290)));
  const width = Math.max(240, Math.floor((space - 32) / columns) - 14);
  return figureBox(METRICS.flatMap((metric) => figureOf(metric, samples, shape, width) ?? []));
}

function figureBox(figures: readonly HTMLElement[]): HTMLElement {
  const box = make("div", "figures");
  box.append(...figures);
  return box;
}

interface Shape {
  readonly from: number;
  readonly to: number;
}

const linesOf = ({ members }: Metric, samples: readonly Sample[], { from, to }: Shape): Line[] =>
  members
    .map(([name, member]) => {
      const points = pointsOf(samples, member);
      const [at = 0, value] = points.at(-1) ?? [];
      const held = value !== undefined && at < to ? [...points, [to, value] as const] : points;
      return { name, points: held.filter(([time]) => time >= from) };
    })
    .filter(({ points }) => points.length > 0);

function fill(cell: HTMLElement, metric: Metric, samples: readonly Sample[], shape: Shape): void {
  const { unit, isBad } = metric;
  const points = linesOf(metric, samples, shape)[0]?.points ?? [];
  const value = points.at(-1)?.[1];
  cell.toggleAttribute("data-none", value === undefined);
  cell.toggleAttribute("data-bad", value !== undefined && isBad?.(value) === true);
  cell.dataset.points = String(points.length);
  if (value === undefined) cell.replaceChildren(make("span", "value soft", "–"));
  else {
    const label = make("span", "value", unit(value));
    cell.replaceChildren(sparkline(points, { ...SPARK, ...shape, unit }), label);
  }
}

function figureOf(
  metric: Metric,
  samples: readonly Sample[],
  shape: Shape,
  width: number,
): HTMLElement | undefined {
  const { title, unit } = metric;
  const lines = linesOf(metric, samples, shape);
  if (lines.length === 0) return undefined;
  const figure = make("figure");
  const caption = make("figcaption");
  caption.append(make("b", "", title));
  lines.forEach(({ name, points }, index) => {
    const value = unit(points.at(-1)?.[1] ?? 0);
    const text = lines.length > 1 ? name : value;
    if (lines.length > 1 && index === 0) caption.append(` ${value}`);
    caption.append(" ", make("span", `key key-${index}`, text));
  });
  figure.append(caption, chart(title, lines, { ...shape, width, height: 128, unit }));
  return figure;
}

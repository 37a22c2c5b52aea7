import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { CallRecord } from "./record.ts";
import { svg } from "./svg.ts";
import { nameOf, toneOf } from "./words.ts";

/** The lane of the server: everything goes through it. */
const SERVER = "";

export interface Lane {
  readonly id: string;
  readonly name: string;
  /** Milliseconds from the start; the lane is drawn dotted outside of them. */
  readonly from: number;
  readonly to: number;
}

export interface Lanes {
  readonly lanes: readonly Lane[];
  readonly width: number;
  readonly at: ReadonlyMap<string, number>;
}

/** Lanes of the peers that these entries are about, and of the server in their middle. */
export function lanesOf(
  record: CallRecord,
  entries: readonly TimelineEntry[],
  only: readonly string[],
  spaceFor: (count: number) => number,
): Lanes {
  const seen = new Map<string, { from: number; to: number }>();
  const see = (peer: string): void => {
    if (peer !== "" && !seen.has(peer)) seen.set(peer, { from: 0, to: Number.POSITIVE_INFINITY });
  };
  for (const entry of entries) {
    if (entry.type === "peer-joined") {
      if (entry.role !== "observer")
        seen.set(entry.peer, { from: entry.at, to: Number.POSITIVE_INFINITY });
    } else if (entry.type === "peer-left") {
      const life = seen.get(entry.peer);
      if (life) life.to = entry.at;
    } else if ("link" in entry && entry.link !== undefined) record.endsOf(entry.link).forEach(see);
  }
  const ids = [...seen.keys()].filter((id) => only.length === 0 || only.includes(id));
  const half = Math.ceil(ids.length / 2);
  const order = [...ids.slice(0, half), SERVER, ...ids.slice(half)];
  const width = spaceFor(order.length);
  const lanes = order.map((id): Lane => {
    const life = seen.get(id) ?? { from: 0, to: Number.POSITIVE_INFINITY };
    return { id, name: id === SERVER ? "Duplex" : nameOf(record, id), ...life };
  });
  return { lanes, width, at: new Map(order.map((id, index) => [id, (index + 0.5) * width])) };
}

/** The names above the lanes: along them where they are narrow. */
export function laneHead({ lanes, width }: Lanes): SVGSVGElement {
  const isSteep = width < 62;
  const isUpright = width < 17;
  const height = isSteep ? 88 : 30;
  const most = isSteep ? 12 : Math.floor(width / 7.2);
  const room = isSteep ? 64 : 0;
  const head = svg("svg", {
    class: "lane-head",
    width: lanes.length * width + room,
    height,
    "aria-hidden": "true",
  });
  lanes.forEach(({ id, name }, index) => {
    const x = (index + 0.5) * width;
    const shown = name.length > most ? `${name.slice(0, most - 1)}…` : name;
    const turn = isUpright ? -90 : -52;
    const place = isSteep
      ? { transform: `translate(${x + 3} ${height - 8}) rotate(${turn})` }
      : { x, y: height - 11, "text-anchor": "middle" };
    const label = svg("text", { ...place, class: classOf(id, isUpright) }, shown);
    label.append(svg("title", {}, name));
    head.append(label, svg("circle", { cx: x, cy: height - 3, r: 2.5, class: "lane-start" }));
  });
  return head;
}

const classOf = (id: string, isUpright: boolean): string =>
  `${id === SERVER ? "lane-server" : ""}${isUpright ? " upright" : ""}`;

/** What an entry draws between the lanes. */
export function laneRow(
  record: CallRecord,
  all: Lanes,
  entry: TimelineEntry,
  height: number,
): SVGSVGElement {
  const { lanes, width, at } = all;
  const drawn = svg("svg", {
    class: "lanes",
    width: lanes.length * width,
    height,
    "aria-hidden": "true",
  });
  for (const { id, from, to } of lanes) {
    const x = at.get(id) ?? 0;
    const isAbsent = entry.at < from || entry.at > to;
    const kind = id === SERVER ? "lane lane-server" : isAbsent ? "lane lane-absent" : "lane";
    drawn.append(svg("line", { x1: x, x2: x, y1: 0, y2: height, class: kind }));
  }
  const marks = marksOf(record, entry, (peer) => at.get(peer), height / 2);
  const group = svg("g", { class: `mark mark-${entry.type} tone-${toneOf(entry)}` }, ...marks);
  drawn.append(group);
  return drawn;
}

type XOf = (peer: string) => number | undefined;

function marksOf(record: CallRecord, entry: TimelineEntry, xOf: XOf, y: number): SVGElement[] {
  const server = xOf(SERVER) ?? 0;
  const at = (peer: string | undefined): number =>
    (peer === undefined ? undefined : xOf(peer)) ?? server;
  switch (entry.type) {
    case "offer":
    case "answer":
    case "candidates":
    case "reject":
    case "rollback":
      return arrow(at(entry.by), at(record.otherEnd(entry.link, entry.by)), server, y);
    case "refused":
      return stopped(at(entry.by), server, y);
    case "expired":
      return [cross(server, y)];
    case "flow": {
      const [from, to] = flowEnds(record, entry);
      return band(at(from), at(to), y);
    }
    case "transport":
      return [svg("circle", { cx: at(entry.by), cy: y, r: 5, class: "dot" })];
    case "peer-left":
      return [bar(at(entry.peer), y)];
    case "peer-joined":
    case "peer-resumed":
    case "peer-lost":
      return [svg("circle", { cx: at(entry.peer), cy: y, r: 5, class: "ring" })];
    default:
      return [diamond(at(subjectOf(entry)), y)];
  }
}

function subjectOf(entry: TimelineEntry): string | undefined {
  if ("by" in entry) return entry.by;
  return "peer" in entry ? entry.peer : undefined;
}

function flowEnds(
  record: CallRecord,
  { flow, link }: Extract<TimelineEntry, { type: "flow" }>,
): readonly [string, string] {
  const known = record.flows.get(flow);
  return known ? [known.from, known.to] : record.endsOf(link);
}

function band(from: number, to: number, y: number): SVGElement[] {
  return [svg("line", { x1: from, x2: to, y1: y, y2: y, class: "band" }), tip(from, to, y)];
}

function arrow(from: number, to: number, server: number, y: number): SVGElement[] {
  const back = Math.sign(to - from) * 5;
  const line = svg("line", { x1: from, x2: to - back, y1: y, y2: y, class: "shaft" });
  const isBetween = server > Math.min(from, to) && server < Math.max(from, to);
  const through = svg("circle", { cx: server, cy: y, r: 2.5, class: "through" });
  const start = svg("circle", { cx: from, cy: y, r: 2.5, class: "solid" });
  return [line, start, ...(isBetween ? [through] : []), tip(from, to, y)];
}

function tip(from: number, to: number, y: number): SVGElement {
  const way = Math.sign(to - from) || 1;
  return svg("path", { d: `M${to} ${y} l${-8 * way} -4.5 v9 z`, class: "solid" });
}

function stopped(from: number, to: number, y: number): SVGElement[] {
  const way = Math.sign(to - from) || 1;
  const line = svg("line", { x1: from, x2: to - 7 * way, y1: y, y2: y, class: "shaft" });
  return [line, svg("circle", { cx: from, cy: y, r: 2.5, class: "solid" }), cross(to, y)];
}

const cross = (x: number, y: number): SVGElement =>
  svg("path", { d: `M${x - 5} ${y - 5} l10 10 m0 -10 l-10 10`, class: "cross" });

const diamond = (x: number, y: number): SVGElement =>
  svg("path", { d: `M${x} ${y - 6} l6 6 l-6 6 l-6 -6 z`, class: "dot" });

const bar = (x: number, y: number): SVGElement =>
  svg("path", { d: `M${x - 7} ${y} h14`, class: "cross" });

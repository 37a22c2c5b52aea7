import type { Flow, Kind } from "../flow.ts";
import { carriesData, type Section } from "../sdp/section.ts";
import type { Transport } from "../transport.ts";
import { isLive } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

/** An m-section of one description or of both, as far as it names flows. */
export interface Place {
  /** Index of the m-section from 0. */
  readonly index: number;
  readonly mid: string | undefined;
  /** Undefined for media types this server keeps no flows of. */
  readonly kind: Kind | undefined;
}

/** The kind of flow a section carries, or undefined for media types this server has no flows of. */
export function kindOf(section: Section): Kind | undefined {
  if (section.kind === "audio" || section.kind === "video") return section.kind;
  return carriesData(section) ? "data" : undefined;
}

/** What a section is called in records: its mid, or its index when it has none. */
export const labelOf = ({ mid, index }: Pick<Place, "mid" | "index">): string => mid ?? `i${index}`;

const percent = (character: string): string =>
  [...character]
    .map((each) => `%${each.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");

/** Keeps only what needs no escape in a URL path and is no separator of ids. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[.!~*'()]/g, (character) => percent(character));

/** `0`, `cam%2E1`; `i0` is the first section when it has no mid, `%69` starts a mid that looks like it. */
const keyOf = ({ mid, index }: Pick<Place, "mid" | "index">): string => {
  if (mid === undefined) return `i${index}`;
  return /^i\d+$/.test(mid) ? `%69${mid.slice(1)}` : escaped(mid);
};

/** Key and generation in a flow id: `a~b:0.1:a` is key `0`, generation 1. */
function partsOf({ id, link }: Pick<Flow, "id" | "link">): { key: string; generation: number } {
  const name = id.slice(link.length + 1);
  const dot = name.indexOf(".");
  return { key: name.slice(0, dot), generation: Number.parseInt(name.slice(dot + 1), 10) };
}

/** The generation in the id of a flow. */
export const generationIn = (flow: Pick<Flow, "id" | "link">): number => partsOf(flow).generation;

/** The number in the id of a transport: `a~b:t.0.1` has number 1. */
export const numberIn = ({ id }: Pick<Transport, "id">): number =>
  Number(id.slice(id.lastIndexOf(".") + 1));

/** Whether a live flow is one of this section. Without a mid on either side, the index tells. */
export function isOf(flow: Flow, place: Place): boolean {
  if (!isLive(flow) || flow.kind !== place.kind) return false;
  return flow.mid !== "" && place.mid !== undefined
    ? flow.mid === place.mid
    : flow.mLineIndex === place.index;
}

/** Where to find flows: every section asks for its own among all that the link ever had. */
interface FlowIndex {
  readonly ids: ReadonlySet<string>;
  readonly live: {
    readonly byMid: ReadonlyMap<string, readonly Flow[]>;
    readonly byLine: ReadonlyMap<number, readonly Flow[]>;
  };
  /** The highest generation of each key, and of each m-line. */
  readonly used: {
    readonly byKey: ReadonlyMap<string, number>;
    readonly byLine: ReadonlyMap<number, number>;
  };
}

const INDICES = new WeakMap<readonly Flow[], FlowIndex>();

function indexOf(flows: readonly Flow[]): FlowIndex {
  const known = INDICES.get(flows);
  if (known) return known;
  const live = flows.filter(isLive);
  const byKey = new Map<string, number>();
  const byLine = new Map<number, number>();
  for (const flow of flows) {
    const { key, generation } = partsOf(flow);
    byKey.set(key, Math.max(generation, byKey.get(key) ?? 0));
    byLine.set(flow.mLineIndex, Math.max(generation, byLine.get(flow.mLineIndex) ?? 0));
  }
  const index: FlowIndex = {
    ids: new Set(flows.map(({ id }) => id)),
    live: {
      byMid: Map.groupBy(live, ({ mid }) => mid),
      byLine: Map.groupBy(live, ({ mLineIndex }) => mLineIndex),
    },
    used: { byKey, byLine },
  };
  INDICES.set(flows, index);
  return index;
}

/** The live flows of a section, by its mid before by its m-line. */
export function liveFlowsOf(flows: readonly Flow[], place: Place): readonly Flow[] {
  const { byMid, byLine } = indexOf(flows).live;
  const named = place.mid === undefined ? [] : (byMid.get(place.mid) ?? []);
  const placed = byLine.get(place.index) ?? [];
  return [...new Set([...named, ...placed])].filter((flow) => isOf(flow, place));
}

/**
 * A new flow id: link, mid, generation, sender. The generation counts how often the m-line or the mid
 * was used again (N8); the two directions of a section share it as long as neither was used up.
 */
export function newFlowId(
  context: FlowContext,
  before: LinkFlows,
  place: Place,
  from: string,
): string {
  const { link } = context;
  const { ids, used } = indexOf(before.flows);
  const key = keyOf(place);
  // The section may have got a mid since its first flow was named: the name stays.
  const [sibling] = liveFlowsOf(before.flows, place);
  const siblingId = sibling && `${sibling.id.slice(0, -sibling.from.length)}${from}`;
  if (siblingId !== undefined && !ids.has(siblingId)) return siblingId;
  const generations = [before.forgotten, used.byLine.get(place.index), used.byKey.get(key)];
  return `${link}:${key}.${1 + Math.max(...generations.map((each) => each ?? 0))}:${from}`;
}

/** A new transport id: link, tagged section, number. */
export function newTransportId(
  context: FlowContext,
  before: LinkFlows,
  tag: Pick<Place, "mid" | "index">,
): string {
  const stem = `${context.link}:t.${keyOf(tag)}.`;
  const used = before.transports.filter(({ id }) => id.startsWith(stem)).map(numberIn);
  return `${stem}${1 + Math.max(before.forgotten ?? 0, ...used)}`;
}

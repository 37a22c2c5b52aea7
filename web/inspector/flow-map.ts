import type { Flow } from "../../protocol/flow.ts";
import { element } from "../element.ts";
import { bitrate } from "../words.ts";
import { type Bundle, bundlesOf, flowsWithin, LOOKS, trafficOf } from "./flow-bundles.ts";
import { FlowList } from "./flow-list.ts";
import { Keyed } from "./keyed.ts";
import { curve, type Layout, layOut, TIGHT } from "./map-layout.ts";
import { drawLine, drawNode, type Line, makeLine, makeNode, type Node } from "./map-shapes.ts";
import type { CallRecord } from "./record.ts";
import type { Scope } from "./scope.ts";
import { setAttributes, svg } from "./svg.ts";
import { counted, nameOf } from "./words.ts";

/** From here on the kinds of a pair of peers are one line until one of the peers is looked at. */
const MANY_LINES = 30;
/** Who sends what to whom: a node per peer, a line per direction and kind, as wide as its bit rate. */
export class FlowMap {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #box = element("map", HTMLElement);
  readonly #ended = element("map-ended", HTMLInputElement);
  readonly #list: FlowList;
  readonly #drawing = svg("svg", { class: "map", role: "img" });
  readonly #title = svg("title");
  readonly #lines: Keyed<Line, SVGGElement>;
  readonly #nodes: Keyed<Node, SVGGElement>;
  #layout: Layout | undefined;
  readonly #byElement = new WeakMap<Element, Bundle>();

  constructor(record: CallRecord, scope: Scope) {
    this.#record = record;
    this.#scope = scope;
    this.#list = new FlowList(record, scope, (flows) => this.#light(flows));
    const [lines, nodes] = [svg("g"), svg("g")];
    this.#drawing.append(this.#title, lines, nodes);
    this.#lines = new Keyed<Line, SVGGElement>(lines, makeLine, (group, line) =>
      this.#drawLine(group, line),
    );
    this.#nodes = new Keyed<Node, SVGGElement>(
      nodes,
      ({ id }) => this.#makeNode(id),
      (group, node) => this.#drawNode(group, node),
    );
    this.#box.append(this.#drawing);
    this.#ended.addEventListener("change", () => this.show());
    new ResizeObserver(() => this.show()).observe(this.#box);
    this.#listen(lines);
  }

  /** Shows the record of a flow. */
  reveal(flow: string): void {
    const found = this.#record.flows.get(flow);
    if (found?.state === "ended") this.#ended.checked = true;
    this.show();
    this.#list.reveal(flow);
  }

  show(): void {
    const width = this.#box.clientWidth;
    if (width === 0) return;
    const flows = flowsWithin(this.#record, this.#scope, this.#ended.checked);
    const byKind = bundlesOf(this.#record, flows, false);
    const isMany = byKind.length > MANY_LINES;
    const peers = this.#peersIn(flows);
    this.#layout = layOut(this.#record, peers, width);
    const { height, places } = this.#layout;
    setAttributes(this.#drawing, { width, height, viewBox: `0 0 ${width} ${height}` });
    this.#box.toggleAttribute("data-none", peers.length === 0);
    this.#drawing.toggleAttribute("data-many", isMany);
    this.#lines.show(
      linesOf(isMany ? bundlesOf(this.#record, flows, true) : byKind, !isMany),
      ({ bundle }) => bundle.key,
    );
    const nodes = [...places].map(([id, place]) => ({ id, place, ...trafficOf(flows, id) }));
    this.#nodes.show(nodes, ({ id }) => id);
    const text = `Flow map: ${counted(peers.length, "peer")}, ${counted(flows.length, "flow")}. The list beside it says the same.`;
    if (this.#title.textContent !== text) this.#title.textContent = text;
    this.#list.show(byKind);
  }

  /** Whoever is there, and whoever has flows that are shown. */
  #peersIn(flows: readonly Flow[]): readonly string[] {
    const { link, peer } = this.#scope;
    const ends = new Set(flows.flatMap(({ from, to }) => [from, to]));
    const present = [...this.#record.peers.values()]
      .filter(({ id, role }) => role !== "observer" && !this.#record.gone.has(id))
      .filter(({ id }) => {
        if (link !== "") return this.#record.endsOf(link).includes(id);
        return peer === "" || peer === id || ends.has(id);
      })
      .map(({ id }) => id);
    return [...new Set([...present, ...ends])];
  }

  #listen(lines: SVGGElement): void {
    const bundleAt = (target: EventTarget | null): Bundle | undefined => {
      const group = target instanceof Element ? target.closest("g.flow-line") : null;
      return group === null ? undefined : this.#byElement.get(group);
    };
    lines.addEventListener("pointerover", ({ target }) => {
      const bundle = bundleAt(target);
      if (bundle) this.#light(bundle.flows);
    });
    lines.addEventListener("pointerleave", () => this.#light(this.#list.chosenFlows));
    lines.addEventListener("click", ({ target }) => {
      const flow = bundleAt(target)?.flows[0];
      if (flow) this.#list.reveal(flow.id);
    });
  }

  /** Lets some flows stand out, with those that they carry on or are carried on by. */
  #light(flows: readonly Flow[]): void {
    const lit = new Set(flows.flatMap(({ id, sourceFlows }) => [id, ...sourceFlows]));
    const own = new Set(flows.map(({ id }) => id));
    this.#drawing.toggleAttribute("data-lit", lit.size > 0);
    for (const group of this.#drawing.querySelectorAll("g.flow-line")) {
      const bundle = this.#byElement.get(group);
      const isLit = bundle?.flows.some(
        ({ id, sourceFlows }) => lit.has(id) || sourceFlows.some((source) => own.has(source)),
      );
      group.toggleAttribute("data-lit", isLit === true);
    }
  }

  #drawLine(group: SVGGElement, line: Line): void {
    this.#byElement.set(group, line.bundle);
    const [from, to] = [line.bundle.from, line.bundle.to].map((id) => this.#layout?.places.get(id));
    if (!(from && to)) return;
    const { d, head, middle } = curve(from, to, this.#layout?.radius ?? 20, line.slot, line.slots);
    drawLine(group, line, { d, head, middle }, this.#saysOf(line.bundle));
  }

  #saysOf({ from, to, kind, flows, look, bps }: Bundle): string {
    const what = kind === "all" ? counted(flows.length, "flow") : kind;
    const way = `${nameOf(this.#record, from)} → ${nameOf(this.#record, to)}`;
    return `${way}: ${what}, ${LOOKS[look].word}, ${bitrate(bps)}`;
  }

  #makeNode(id: string): SVGGElement {
    const group = makeNode(this.#record.peers.get(id)?.role === "media-server");
    group.addEventListener("click", () => {
      this.#scope.choose(this.#scope.peer === id ? {} : { peer: id });
    });
    return group;
  }

  #drawNode(group: SVGGElement, node: Node): void {
    const { id } = node;
    const { width = 0, radius = 20 } = this.#layout ?? {};
    const state = this.#record.gone.has(id) ? "gone" : this.#record.peers.get(id)?.state;
    setAttributes(group, {
      "data-state": state ?? "gone",
      "data-chosen": String(this.#scope.peer === id),
    });
    drawNode(group, node, nameOf(this.#record, id), radius, width < TIGHT);
  }
}

/** Lines of the same direction side by side. */
function linesOf(bundles: readonly Bundle[], isSigned: boolean): readonly Line[] {
  const groups = Map.groupBy(bundles, ({ from, to }) => `${from} ${to}`);
  const lines = [...groups.values()].flatMap((group) =>
    group.map((bundle, slot) => ({ bundle, slot, slots: group.length, isSigned })),
  );
  // What is wrong lies on top.
  return lines.toSorted((one, other) => depthOf(one) - depthOf(other));
}

const depthOf = ({ bundle }: Line): number =>
  ({ impaired: 3, held: 2, negotiated: 1, proposed: 1, active: 0, ended: -1 })[bundle.look];

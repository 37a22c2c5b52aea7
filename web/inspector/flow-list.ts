import type { Flow } from "../../protocol/flow.ts";
import { element, make, setText } from "../element.ts";
import { bitrate } from "../words.ts";
import { type Bundle, LOOKS } from "./flow-bundles.ts";
import { flowMembers } from "./flow-members.ts";
import { Keyed } from "./keyed.ts";
import type { CallRecord } from "./record.ts";
import type { Scope } from "./scope.ts";
import { nameOf } from "./words.ts";

/** The flow map as a list: what the drawing says, in words, and the record of what is chosen. */
export class FlowList {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #light: (flows: readonly Flow[]) => void;
  readonly #list = element("flow-list", HTMLElement);
  readonly #sum = element("flow-sum", HTMLElement);
  readonly #none = element("no-map-flows", HTMLElement);
  readonly #rows: Keyed<Bundle, HTMLElement>;
  readonly #members = new WeakMap<Element, string>();
  #bundles: readonly Bundle[] = [];
  #chosen = "";

  constructor(record: CallRecord, scope: Scope, light: (flows: readonly Flow[]) => void) {
    this.#record = record;
    this.#scope = scope;
    this.#light = light;
    this.#rows = new Keyed<Bundle, HTMLElement>(
      this.#list,
      (bundle) => this.#make(bundle.key),
      (row, bundle) => this.#update(row, bundle),
    );
  }

  get chosenFlows(): readonly Flow[] {
    return this.#flowsOf(this.#chosen);
  }

  #flowsOf(key: string): readonly Flow[] {
    return this.#bundles.find((bundle) => bundle.key === key)?.flows ?? [];
  }

  show(bundles: readonly Bundle[]): void {
    this.#bundles = bundles.toSorted(
      (one, other) =>
        Number(other.look === "impaired") - Number(one.look === "impaired") ||
        placeOf(one.key, bundles) - placeOf(other.key, bundles),
    );
    this.#rows.show(this.#bundles, ({ key }) => key);
    this.#none.hidden = bundles.length > 0;
    const flows = bundles.flatMap((bundle) => bundle.flows);
    const bps = bundles.reduce((sum, bundle) => sum + bundle.bps, 0);
    setText(this.#sum, flows.length === 0 ? "" : `${flows.length} flows, ${bitrate(bps)}`);
  }

  reveal(flow: string): void {
    const bundle = this.#bundles.find(({ flows }) => flows.some(({ id }) => id === flow));
    if (bundle === undefined) return;
    this.#choose(bundle.key);
    const row = this.#rows.get(bundle.key);
    row?.scrollIntoView({ block: "nearest" });
    row?.querySelector("button")?.focus({ preventScroll: true });
  }

  #choose(key: string): void {
    this.#chosen = key;
    for (const bundle of this.#bundles) {
      const row = this.#rows.get(bundle.key);
      if (row) this.#update(row, bundle);
    }
    this.#light(this.chosenFlows);
  }

  #make(key: string): HTMLElement {
    const row = make("li", "flow-item");
    const button = make("button", "flow-head");
    button.type = "button";
    const sign = make("span", "sign");
    sign.ariaHidden = "true";
    button.append(
      sign,
      make("span", "who"),
      make("span", "kind"),
      make("span", "rate"),
      make("span", "state"),
    );
    button.addEventListener("click", () => this.#choose(this.#chosen === key ? "" : key));
    for (const [event, isOn] of [
      ["pointerenter", true],
      ["pointerleave", false],
      ["focus", true],
      ["blur", false],
    ] as const) {
      button.addEventListener(event, () =>
        this.#light(isOn ? this.#flowsOf(key) : this.chosenFlows),
      );
    }
    const members = make("div", "flow-members");
    members.hidden = true;
    row.append(button, members);
    return row;
  }

  #update(row: HTMLElement, bundle: Bundle): void {
    const isChosen = bundle.key === this.#chosen;
    row.dataset.look = bundle.look;
    row.dataset.direction = this.#directionOf(bundle);
    const [button, members] = row.children;
    if (!(button && members instanceof HTMLElement)) return;
    button.ariaExpanded = String(isChosen);
    this.#wordsOf(bundle).forEach((text, index) => {
      const part = button.children[index];
      if (part) setText(part, text);
    });
    members.hidden = !isChosen;
    const flows = isChosen ? bundle.flows : [];
    const ids = new Set(flows.map(({ id }) => id));
    const contexts = this.#record.contexts.filter(({ flow = "" }) => ids.has(flow));
    const text = JSON.stringify([flows, contexts]);
    if (this.#members.get(members) === text) return;
    this.#members.set(members, text);
    members.replaceChildren(...flows.map((flow) => flowMembers(this.#record, flow)));
  }

  /** As the peer sees it that is looked at. */
  #directionOf({ from, to }: Bundle): "uplink" | "downlink" | "" {
    if (this.#scope.peer === "") return "";
    if (this.#scope.peer === from) return "uplink";
    return this.#scope.peer === to ? "downlink" : "";
  }

  /** Sign, peers, kind, bit rate, state. */
  #wordsOf(bundle: Bundle): readonly string[] {
    const { from, to, kind, flows, look, bps } = bundle;
    const { sign, word } = LOOKS[look];
    const way = { uplink: "↑ ", downlink: "↓ ", "": "" }[this.#directionOf(bundle)];
    return [
      sign,
      `${way}${nameOf(this.#record, from)} → ${nameOf(this.#record, to)}`,
      flows.length === 1 ? kind : `${flows.length} ${kind}`,
      bps === 0 ? word : bitrate(bps),
      look === "active" || bps === 0 ? "" : word,
    ];
  }
}

const placeOf = (key: string, bundles: readonly Bundle[]): number =>
  bundles.findIndex((bundle) => bundle.key === key);

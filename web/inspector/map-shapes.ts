import { setText } from "../element.ts";
import { type Bundle, LOOKS } from "./flow-bundles.ts";
import { type Curve, type Place, SERVER_SIZE } from "./map-layout.ts";
import { setAttributes, svg } from "./svg.ts";

/** What the flow map is drawn of. */

const KIND_SIGNS = { audio: "A", video: "V", data: "D", all: "" } as const;

export interface Node {
  readonly id: string;
  readonly place: Place;
  /** Bits per second. */
  readonly up: number;
  readonly down: number;
}

/** `slot` of `slots` lines of one direction; `isSigned`: with the letter of its kind. */
export interface Line {
  readonly bundle: Bundle;
  readonly slot: number;
  readonly slots: number;
  readonly isSigned: boolean;
}

export function makeLine(): SVGGElement {
  return svg(
    "g",
    { class: "flow-line" },
    svg("title"),
    svg("path", { class: "hit" }),
    svg("path", { class: "line" }),
    svg("path", { class: "head" }),
    svg(
      "g",
      { class: "sign" },
      svg("rect", { y: -8, height: 16, rx: 8 }),
      svg("text", { "text-anchor": "middle", dy: "0.35em" }),
    ),
  );
}

const moved = ({ x, y }: { readonly x: number; readonly y: number }): string =>
  `translate(${x.toFixed(1)} ${y.toFixed(1)})`;

export function drawLine(group: SVGGElement, line: Line, way: Curve, says: string): void {
  const { bundle, isSigned } = line;
  const [title, hit, path, head, sign] = group.children;
  if (!(title && hit && path && head && sign)) return;
  // Where there are many, all are thinner.
  const scale = isSigned ? 1 : 0.6;
  const width = scale * Math.min(10, 1.4 + Math.sqrt(bundle.bps / 1_000_000) * 2.8);
  setAttributes(group, { "data-look": bundle.look, "data-kind": bundle.kind });
  setAttributes(hit, { d: way.d });
  setAttributes(path, { d: way.d, "stroke-width": width });
  const [reach, half] = [7 + width * 0.6, 3.4 + width * 0.55];
  setAttributes(head, {
    d: `M${reach.toFixed(1)} 0 L-3 ${(-half).toFixed(1)} L-3 ${half.toFixed(1)} Z`,
    transform: `${moved(way.head)} rotate(${way.head.degrees.toFixed(1)})`,
  });
  setAttributes(sign, { transform: moved(way.middle) });
  drawSign(sign, bundle, isSigned);
  setText(title, says);
}

/** The letter of the kind, and a sign where a line is not simply active. */
function drawSign(sign: Element, { look, kind }: Bundle, isSigned: boolean): void {
  const mark = look === "active" ? "" : LOOKS[look].sign;
  const label = `${isSigned ? KIND_SIGNS[kind] : ""}${mark}`;
  sign.toggleAttribute("hidden", label === "");
  const [plate, text] = sign.children;
  const half = 4.5 + 3.6 * label.length;
  if (plate) setAttributes(plate, { x: -half, width: 2 * half });
  if (text) setText(text, label);
}

export function makeNode(isServer: boolean): SVGGElement {
  return svg(
    "g",
    { class: isServer ? "node server" : "node" },
    svg("title"),
    isServer ? svg("rect", { rx: 10 }) : svg("circle"),
    svg("text", { class: "initials", "text-anchor": "middle", dy: "0.35em" }),
    svg("text", { class: "name" }),
    svg("text", { class: "rates" }),
  );
}

/** Where name and bit rates stand, from the middle of the node. */
function wordsAt({ side }: Place, radius: number, isIdle: boolean) {
  switch (side) {
    case "above":
      return { x: 0, name: -radius - (isIdle ? 8 : 21), rates: -radius - 7, anchor: "middle" };
    case "left":
      return { x: -radius - 7, name: isIdle ? 4 : -2, rates: 12, anchor: "end" };
    case "right":
      return { x: radius + 7, name: isIdle ? 4 : -2, rates: 12, anchor: "start" };
    case "middle":
      return { x: 0, name: isIdle ? 4 : -3, rates: 12, anchor: "middle" };
    default:
      return { x: 0, name: radius + 17, rates: radius + 31, anchor: "middle" };
  }
}

export function drawNode(
  group: SVGGElement,
  { place, up, down }: Node,
  name: string,
  radius: number,
  isTight: boolean,
): void {
  const [title, shape, initials, label, rates] = group.children;
  if (!(title && shape && initials && label && rates)) return;
  setAttributes(group, { transform: moved(place) });
  const isServer = place.side === "middle";
  const { across, down: high } = SERVER_SIZE;
  if (isServer) {
    setAttributes(shape, { x: -across, y: -high, width: 2 * across, height: 2 * high });
  } else setAttributes(shape, { r: radius });
  const isIdle = up + down === 0;
  const at = wordsAt(place, radius, isIdle);
  setAttributes(label, { x: at.x, y: at.name, "text-anchor": at.anchor });
  setAttributes(rates, { x: at.x, y: at.rates, "text-anchor": at.anchor });
  const most = isTight ? 9 : 14;
  setText(title, name);
  setText(label, name.length > most ? `${name.slice(0, most - 1)}…` : name);
  setText(initials, isServer ? "" : initialsOf(name));
  setText(rates, isIdle ? "" : `↑${short(up)} ↓${short(down)}`);
}

function initialsOf(name: string): string {
  const [first = "", second = ""] = name.split(/\s+/);
  return (second === "" ? first.slice(0, 2) : first.slice(0, 1) + second.slice(0, 1)).toUpperCase();
}

/** `1.2M`, `48k`: where there is little room. */
function short(bps: number): string {
  return bps >= 1_000_000 ? `${(bps / 1_000_000).toFixed(1)}M` : `${Math.round(bps / 1000)}k`;
}

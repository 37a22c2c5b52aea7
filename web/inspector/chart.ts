import { svg } from "./svg.ts";
import { clock } from "./words.ts";

export type Points = readonly (readonly [number, number])[];

export interface Line {
  readonly name: string;
  readonly points: Points;
}

export interface ChartShape {
  readonly width: number;
  readonly height: number;
  /** Milliseconds from the start of the session. */
  readonly from: number;
  readonly to: number;
  readonly unit: (value: number) => string;
}

/** The largest value, rounded up to a number that people read. */
export function ceilingOf(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

const most = (lines: readonly Line[]): number =>
  Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value)));

function pathOf(points: Points, x: (at: number) => number, y: (value: number) => number): string {
  return points
    .map(
      ([at, value], index) =>
        `${index === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`,
    )
    .join("");
}

/** A line in a cell, without axes: how it went, and where it is now. */
export function sparkline(points: Points, { width, height, from, to }: ChartShape): SVGSVGElement {
  const top = ceilingOf(Math.max(0, ...points.map(([, value]) => value)));
  const x = (at: number): number => 2 + ((at - from) / Math.max(1, to - from)) * (width - 5);
  const y = (value: number): number => height - 2 - (value / top) * (height - 5);
  const drawn = svg("svg", {
    class: "spark",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    "aria-hidden": "true",
  });
  const last = points.at(-1);
  if (last === undefined) return drawn;
  const line = pathOf(points, x, y);
  const [first] = points as [readonly [number, number], ...Points];
  const area = `${line}L${x(last[0]).toFixed(1)} ${height - 1}L${x(first[0]).toFixed(1)} ${height - 1}Z`;
  drawn.append(
    svg("path", { class: "area", d: area }),
    svg("path", { class: "curve", d: line }),
    svg("circle", { class: "now", cx: x(last[0]), cy: y(last[1]), r: 2 }),
  );
  return drawn;
}

const [LEFT, BELOW, ABOVE] = [62, 20, 8];

/** Lines over time with axes; the pointer reads values off. */
export function chart(title: string, lines: readonly Line[], shape: ChartShape): SVGSVGElement {
  const { width, height, from, to, unit } = shape;
  const top = ceilingOf(most(lines));
  const x = (at: number): number =>
    LEFT + ((at - from) / Math.max(1, to - from)) * (width - LEFT - 8);
  const y = (value: number): number => height - BELOW - (value / top) * (height - BELOW - ABOVE);
  const drawn = svg("svg", {
    class: "chart",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
  });
  const says = lines
    .map(
      ({ name, points }) =>
        `${name} ${points.length === 0 ? "unknown" : unit(points.at(-1)?.[1] ?? 0)}`,
    )
    .join(", ");
  drawn.append(svg("title", {}, `${title}: ${says}`));
  for (const part of [0, 0.5, 1]) {
    const at = y(top * part);
    drawn.append(
      svg("line", { class: "grid", x1: LEFT, x2: width - 8, y1: at, y2: at }),
      svg("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, unit(top * part)),
    );
  }
  for (const [at, anchor] of [
    [from, "start"],
    [to, "end"],
  ] as const) {
    drawn.append(
      svg(
        "text",
        { x: x(at), y: height - 5, "text-anchor": anchor },
        clock(at).replace(/\.\d+/, ""),
      ),
    );
  }
  lines.forEach(({ points }, index) => {
    drawn.append(svg("path", { class: `curve curve-${index}`, d: pathOf(points, x, y) }));
    const only = points.length === 1 ? points[0] : undefined;
    if (only) drawn.append(svg("circle", { class: "now", cx: x(only[0]), cy: y(only[1]), r: 2 }));
  });
  drawn.append(reader(lines, shape, x));
  return drawn;
}

/** What the lines say where the pointer is. */
function reader(
  lines: readonly Line[],
  { width, height, unit }: ChartShape,
  x: (at: number) => number,
): SVGGElement {
  const rule = svg("line", { class: "rule", y1: ABOVE, y2: height - BELOW });
  const label = svg("text", { class: "reading", y: ABOVE + 10 });
  const field = svg("rect", {
    class: "field",
    x: LEFT,
    y: 0,
    width: Math.max(0, width - LEFT),
    height,
  });
  const group = svg("g", { class: "reader" }, rule, label, field);
  field.addEventListener("pointermove", (event) => {
    const at = event.offsetX;
    const read = lines.flatMap(({ name, points }) => {
      const nearest = points.toSorted(
        (one, other) => Math.abs(x(one[0]) - at) - Math.abs(x(other[0]) - at),
      )[0];
      return nearest === undefined ? [] : [{ name, nearest }];
    });
    const [first] = read;
    if (first === undefined) return;
    const place = x(first.nearest[0]);
    rule.setAttribute("x1", String(place));
    rule.setAttribute("x2", String(place));
    const isLate = place > width * 0.6;
    label.setAttribute("x", String(isLate ? place - 6 : place + 6));
    label.setAttribute("text-anchor", isLate ? "end" : "start");
    const values = read.map(({ name, nearest }) =>
      lines.length > 1 ? `${name} ${unit(nearest[1])}` : unit(nearest[1]),
    );
    label.textContent = `${clock(first.nearest[0]).replace(/\.\d+/, "")}  ${values.join("  ")}`;
    group.toggleAttribute("data-on", true);
  });
  field.addEventListener("pointerleave", () => group.toggleAttribute("data-on", false));
  return group;
}

import type { Flow } from "../protocol/flow.ts";

/**
 * Ended flows never change, and a link may have thousands: most are written once, in rows of their own, and the
 * row of the link, which is written with every change, has the others and says where those stand between them.
 */

/** Of ended flows the row of the link keeps this many, the newest; more go to a row as soon as it fills. */
const KEPT = 16;
const ROW_FILL = 16;

/** Ended flows of a link that are in rows of their own, numbered from 0 in the order they were written. */
export interface EndedFlows {
  readonly numbers: ReadonlyMap<Flow, number>;
  /** How many flows were ever numbered. */
  readonly next: number;
  /** Number of the first flow of each row. */
  readonly rows: readonly number[];
}

export const NO_ENDED_FLOWS: EndedFlows = { numbers: new Map(), next: 0, rows: [] };

/** Flows of the link's row, then ended ones by number: how often, from which number, how many. */
export type Stretch = readonly [kept: number, first: number, count: number];

/** What a change of a link means for these rows. */
export interface Shelving {
  readonly ended: EndedFlows;
  /** What the new row holds, in order; its first number is the former `next`. Empty: there is no new row. */
  readonly written: readonly Flow[];
  /** Rows of which the link has forgotten every flow. */
  readonly erased: readonly number[];
}

/** Chooses what goes to a row of its own. `before` is what the rows had when the link was last written. */
export function shelve(before: EndedFlows, flows: readonly Flow[]): Shelving {
  const fresh = flows.filter((flow) => flow.state === "ended" && !before.numbers.has(flow));
  const excess = fresh.length - KEPT;
  const oldest = new Set(
    excess < ROW_FILL
      ? []
      : fresh.toSorted((one, other) => one.revision - other.revision).slice(0, excess),
  );
  const written = fresh.filter((flow) => oldest.has(flow));
  const there = flows.filter((flow) => before.numbers.has(flow));
  const isForgetting = there.length < before.numbers.size;
  if (written.length === 0 && !isForgetting) return { ended: before, written, erased: [] };
  const { next } = before;
  const numbers = new Map([
    ...there.map((flow) => [flow, before.numbers.get(flow) ?? 0] as const),
    ...written.map((flow, index) => [flow, next + index] as const),
  ]);
  const rows = written.length > 0 ? [...before.rows, next] : before.rows;
  const held = heldRows(rows, [...numbers.values()]);
  return {
    ended: { numbers, next: next + written.length, rows: rows.filter((row) => held.has(row)) },
    written,
    erased: rows.filter((row) => !held.has(row)),
  };
}

/** Of the rows, by the number of their first flow, those that have one of these numbers. */
function heldRows(rows: readonly number[], numbers: readonly number[]): ReadonlySet<number> {
  const held = new Set<number>();
  let at = 0;
  for (const number of numbers.toSorted((one, other) => one - other)) {
    while ((rows[at + 1] ?? Number.POSITIVE_INFINITY) <= number) at += 1;
    held.add(rows[at] ?? number);
  }
  return held;
}

/** The flows of the link's row, and how the others stand between them. */
export function stretchesOf(
  { numbers }: EndedFlows,
  flows: readonly Flow[],
): { readonly kept: readonly Flow[]; readonly stretches: readonly Stretch[] } {
  const kept: Flow[] = [];
  const stretches: Stretch[] = [];
  let sinceLast = 0;
  for (const flow of flows) {
    const number = numbers.get(flow);
    if (number === undefined) {
      kept.push(flow);
      sinceLast += 1;
      continue;
    }
    const [before, first, count] = stretches.at(-1) ?? [0, 0, 0];
    if (count > 0 && sinceLast === 0 && number === first + count) {
      stretches[stretches.length - 1] = [before, first, count + 1];
    } else {
      stretches.push([sinceLast, number, 1]);
      sinceLast = 0;
    }
  }
  return { kept, stretches };
}

/** All flows in their order, from the row of the link and the rows by the number of their first flow. */
export function restored(
  kept: readonly Flow[],
  stretches: readonly Stretch[],
  rows: ReadonlyMap<number, readonly Flow[]>,
): { readonly flows: readonly Flow[]; readonly ended: EndedFlows } {
  const byNumber = new Map(
    [...rows].flatMap(([first, row]) => row.map((flow, index) => [first + index, flow] as const)),
  );
  const numbers = new Map<Flow, number>();
  const flows: Flow[] = [];
  let at = 0;
  for (const [count, first, shelved] of stretches) {
    flows.push(...kept.slice(at, at + count));
    at += count;
    for (let number = first; number < first + shelved; number++) {
      const flow = byNumber.get(number);
      if (!flow) throw new Error(`ended flow ${number} has no row`);
      flows.push(flow);
      numbers.set(flow, number);
    }
  }
  flows.push(...kept.slice(at));
  const next = Math.max(0, ...[...byNumber.keys()].map((number) => number + 1));
  return { flows, ended: { numbers, next, rows: [...rows.keys()].toSorted((a, b) => a - b) } };
}

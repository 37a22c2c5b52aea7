import { setTimeout as delay } from "node:timers/promises";
import { machineSeconds, treeSeconds } from "./process-samples.ts";

/** What one measurement gives, by name with its unit: `cpuUs`, `p50Ms`. */
export type Figures = Readonly<Record<string, number>>;

export interface Contender {
  readonly name: string;
  /** Measures once. Whatever it starts is a child of this process, so that others can be told from it. */
  readonly measure: () => Promise<Figures>;
}

/** What was measured, by contender, and how quiet it was. */
export interface Rounds extends ReadonlyMap<string, readonly Figures[]> {
  /** Rounds that others disturbed and that do not count. */
  readonly dropped: number;
  /** Rounds that others disturbed and that count, because too few were quiet. */
  readonly disturbed: number;
}

/** Cores that others may use in a round. */
const QUIET_CORES = 0.5;
const REST_MS = 200;

interface Round {
  readonly figures: ReadonlyMap<string, Figures>;
  /** Cores of others, in the measurement where they used most. */
  readonly others: number;
}

/**
 * Contenders take turns, in reversed order every other round, after one measurement each that does not count. A round
 * in which others used more than half a core is dropped and repeated, until twice as many have run as were asked for:
 * then the quietest of the disturbed ones count, too, and `disturbed` says how many.
 */
export async function alternate(contenders: readonly Contender[], rounds: number): Promise<Rounds> {
  for (const { measure } of contenders) await measure();
  const measured: Round[] = [];
  const isQuiet = ({ others }: Round): boolean => others <= QUIET_CORES;
  while (measured.filter(isQuiet).length < rounds && measured.length < rounds * 2) {
    const order = measured.length % 2 === 0 ? contenders : contenders.toReversed();
    measured.push(await roundOf(order));
  }
  const kept = measured.toSorted((one, other) => one.others - other.others).slice(0, rounds);
  const figures = new Map(
    contenders.map(({ name }) => [
      name,
      kept.map((round) => round.figures.get(name)).filter((each) => each !== undefined),
    ]),
  );
  const disturbed = kept.filter((round) => !isQuiet(round)).length;
  return Object.assign(figures, { dropped: measured.length - kept.length, disturbed });
}

async function roundOf(order: readonly Contender[]): Promise<Round> {
  const figures = new Map<string, Figures>();
  let others = 0;
  for (const { name, measure } of order) {
    await delay(REST_MS);
    const before = { machine: machineSeconds(), own: treeSeconds(), at: performance.now() };
    figures.set(name, await measure());
    const seconds = (performance.now() - before.at) / 1000;
    const own = treeSeconds() - before.own;
    others = Math.max(others, (machineSeconds() - before.machine - own) / seconds);
  }
  return { figures, others };
}

/** A line of prose: how many rounds a table stands on, and how quiet they were. */
export function saysRounds({ dropped, disturbed }: Rounds, rounds: number): string {
  return `${rounds} rounds counted, ${disturbed} of them with more than half a core used by others, ${dropped} dropped for that.`;
}

const quantile = (sorted: readonly number[], part: number): number => {
  const at = (sorted.length - 1) * part;
  const [low = Number.NaN, high = low] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
};

/** The value below which a part of all lies; NaN of none. */
export const percentile = (values: readonly number[], part: number): number =>
  quantile(
    values.toSorted((one, other) => one - other),
    part,
  );

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** `±4 %`: half of what the middle half of the values spans, over their median. */
export function spread(values: readonly number[]): string {
  const half = (percentile(values, 0.75) - percentile(values, 0.25)) / 2;
  return `±${((half / median(values)) * 100).toFixed(0)} %`;
}

/** The medians of one figure. */
export const medianOf = (figures: readonly Figures[], name: string): number =>
  median(figures.map((each) => each[name] ?? Number.NaN));

/** The spread of one figure. */
export const spreadOf = (figures: readonly Figures[], name: string): string =>
  spread(figures.map((each) => each[name] ?? Number.NaN));

/** `x 1.04 ±3 %`: a figure of one contender over that of another, round by round. */
export function ratioOf(rounds: Rounds, name: string, base: string, figure: string): string {
  const under = rounds.get(base) ?? [];
  const ratios = (rounds.get(name) ?? []).map(
    (figures, round) => (figures[figure] ?? Number.NaN) / (under[round]?.[figure] ?? Number.NaN),
  );
  return ratios.length === 0 ? "" : `x ${median(ratios).toFixed(2)} ${spread(ratios)}`;
}

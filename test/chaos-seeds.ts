import { inject } from "vitest";

declare module "vitest" {
  export interface ProvidedContext {
    /** CHAOS_SEED and CHAOS_RUNS of the environment, as vitest.config.ts hands them on. */
    readonly chaos: { readonly seed: string | undefined; readonly runs: string | undefined };
  }
}

/** The seeds to play: `count` from `first` on, or those that the environment asks for. */
export function seedsToPlay(first: number, count: number): readonly number[] {
  const { seed, runs } = inject("chaos");
  const from = Number(seed ?? first);
  const many = Number(runs ?? (seed === undefined ? count : 1));
  return Array.from({ length: many }, (_none, index) => from + index);
}

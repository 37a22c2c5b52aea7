import fc from "fast-check";
import { describe, it } from "vitest";
import { type Act, CASTS, type Deed, History } from "./flow-history.ts";

/** How often each comes: most histories negotiate, some lose peers. */
const WEIGHTS: Readonly<Record<Act, number>> = {
  exchange: 14,
  offer: 5,
  answer: 5,
  reject: 1,
  rollback: 1,
  transport: 7,
  flow: 3,
  "change-flow": 2,
  applied: 1,
  sources: 2,
  quality: 2,
  join: 3,
  lose: 2,
  leave: 1,
  kick: 1,
  alarm: 3,
};

const acts = fc.oneof(
  ...Object.entries(WEIGHTS).map(([act, weight]) => ({
    weight,
    arbitrary: fc.constant(act as Act),
  })),
);

const deed: fc.Arbitrary<Deed> = fc.record({
  actor: fc.nat({ max: 3 }),
  other: fc.nat({ max: 2 }),
  act: acts,
  n: fc.nat({ max: 99 }),
  m: fc.nat({ max: 99 }),
});

const HISTORIES = 2_500;

describe("any history of a session", () => {
  it.each(CASTS.map((cast, index) => [Object.values(cast.roles).join(", "), index, cast] as const))(
    "[F4] of %s: events and reads agree after every step, and records keep what they promise",
    (_, index, cast) => {
      const seen = new Set<string>();
      fc.assert(
        fc.property(fc.array(deed, { minLength: 1, maxLength: 22, size: "max" }), (deeds) => {
          const history = new History(cast);
          for (const each of deeds) history.do(each);
          for (const each of history.seen) seen.add(each);
        }),
        { numRuns: HISTORIES / CASTS.length, seed: 40 + index },
      );
      console.log(JSON.stringify([...seen].sort()));
    },
    120_000,
  );
});

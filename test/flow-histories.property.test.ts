import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { viewFlows } from "../protocol/views.ts";
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
  assistance: 3,
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

/** What the histories of every cast come to, or they would prove little. */
const ALWAYS = [
  ..."proposed,proposed requested,negotiated,negotiated failed,active,held direction".split(","),
  ..."held requested,impaired,stale,recycled,ICE restart,DTLS association,forwarding".split(","),
  ..."bundled,unbundled,pending ends,pending held,pending sources,sourceFlows,sourceId,quality,applied".split(
    ",",
  ),
  "assistance",
  "limited by a network",
  ...["closed", "expired", "failed", "kicked", "left", "lost", "not-accepted", "rejected"].map(
    (cause) => `ended ${cause}`,
  ),
  ...["rolled-back", "stopped", "superseded", "session-ended"].map((cause) => `ended ${cause}`),
  ...["new", "checking", "connected", "disconnected", "failed", "closed"].map(
    (state) => `transport ${state}`,
  ),
];

const HISTORIES = 4_000;
const EVICTED = 500;
/** On a machine that does other things as well. */
const LIMIT_MS = 600_000;

describe("any history of a session", () => {
  it.each(CASTS.map((cast, index) => [Object.values(cast.roles).join(", "), index, cast] as const))(
    "[F4] of %s: events and reads agree after every step, and records keep what they promise",
    (_, index, cast) => {
      const seen = new Set<string>();
      fc.assert(
        fc.property(fc.array(deed, { minLength: 1, maxLength: 20, size: "max" }), (deeds) => {
          const history = new History(cast);
          for (const each of deeds) history.do(each);
          history.end();
          for (const each of history.seen) seen.add(each);
        }),
        { numRuns: HISTORIES / CASTS.length, seed: 40 + index },
      );
      expect(ALWAYS.filter((each) => !seen.has(each))).toEqual([]);
    },
    LIMIT_MS,
  );

  it.each(CASTS.map((cast, index) => [Object.values(cast.roles).join(", "), index, cast] as const))(
    "[R4] of %s: evicted after every step, a session says the same of its flows",
    (_, index, cast) => {
      fc.assert(
        fc.property(fc.array(deed, { minLength: 1, maxLength: 14, size: "max" }), (deeds) => {
          const awake = new History(cast);
          const evicted = new History(cast);
          for (const each of deeds) {
            awake.do(each);
            evicted.do(each, true);
          }
          expect(viewFlows(evicted.pure.session)).toEqual(viewFlows(awake.pure.session));
        }),
        { numRuns: EVICTED / CASTS.length, seed: 50 + index },
      );
    },
    LIMIT_MS,
  );
});

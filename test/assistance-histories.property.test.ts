import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sameBody } from "../protocol/assistance/bodies.ts";
import { isSettled, type Wish } from "../protocol/assistance/holding.ts";
import { dueOf } from "../protocol/assistance/next-act.ts";
import { type Fate, HoldingWorld } from "./holding-world.ts";

/** Whatever happens between a session and a mobile network: they agree when it is over, and nothing is left behind. */

const FATES = [
  "ok",
  "request-lost",
  "answer-lost",
  "late",
  "late-twice",
  "late-answer",
  "evicted",
  "evicted-with-effect",
  "500",
  "500-with-effect",
  "429",
  "409",
  "400",
  "404",
] as const satisfies readonly Fate[];

/** Without a list a network that lies about what it has, or never says what it made, is believed. */
const KNOWN_FATES = FATES.filter((fate) => !["late-twice", "400"].includes(fate));

const HOUR = 3_600_000;

const BODIES = [
  { qosReference: "video", flowInfo: ["a"], ueIpv4Addr: "10.0.0.1" },
  { qosReference: "audio", flowInfo: ["a"], ueIpv4Addr: "10.0.0.1" },
  { qosReference: "video", flowInfo: ["b"], ueIpv4Addr: "10.0.0.1" },
  { qosReference: "video", flowInfo: ["b"], ueIpv4Addr: "10.0.0.2" },
] as const;

const NEWS = ["end", "end-silently", "delete", "grant", "request", "again", "old"] as const;

/** Data, so that a history that fails can be read. */
type Step =
  | { readonly wish: number | undefined }
  | { readonly pass: number }
  | { readonly fates: readonly Fate[] }
  | { readonly news: (typeof NEWS)[number] };

const wishes: fc.Arbitrary<Step> = fc.nat(BODIES.length - 1).map((wish) => ({ wish }));
const stops: fc.Arbitrary<Step> = fc.constant({ wish: undefined });
const passes: fc.Arbitrary<Step> = fc
  .oneof(fc.nat(3000), fc.nat(90_000), fc.nat(1_000_000))
  .map((pass) => ({ pass }));
const fatesOf = (fates: readonly Fate[]): fc.Arbitrary<Step> =>
  fc
    .array(fc.constantFrom(...fates), { minLength: 1, maxLength: 4 })
    .map((next) => ({ fates: next }));
const news: fc.Arbitrary<Step> = fc.constantFrom(...NEWS).map((each) => ({ news: each }));

function play(world: HoldingWorld, steps: readonly Step[]): void {
  for (const step of steps) {
    if ("pass" in step) world.pass(step.pass);
    else if ("fates" in step) world.fates.push(...step.fates);
    else if ("news" in step) tell(world, step.news);
    else world.wish = wishOf(step.wish);
  }
}

function wishOf(index: number | undefined): Wish | undefined {
  const body = index === undefined ? undefined : BODIES[index];
  return body && { key: "k", network: "n", body, durationSeconds: 600 };
}

function tell(world: HoldingWorld, what: (typeof NEWS)[number]): void {
  if (what === "end" || what === "end-silently") world.end("NETWORK_TERMINATED", what === "end");
  if (what === "delete") world.resources.clear();
  if (what === "request") world.grants = "requested";
  for (const resource of world.resources.values()) {
    if (what === "grant" && resource.status.state === "requested") {
      resource.status = { state: "granted" };
    }
    if (what === "again") world.push(resource);
    if (what === "old") world.push(resource, { happenedAt: 5 });
  }
}

const historyOf = (fates: readonly Fate[]) =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: wishes },
      { weight: 2, arbitrary: stops },
      { weight: 6, arbitrary: passes },
      { weight: 4, arbitrary: fatesOf(fates) },
      { weight: 2, arbitrary: news },
    ),
    { minLength: 5, maxLength: 30 },
  );

const seeds = fc.integer({ min: 1, max: 1_000_000 });

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** The network is well again. */
function recover(world: HoldingWorld): void {
  world.fates.splice(0);
  world.usual = "ok";
  world.grants = "granted";
}

const bodyOf = ({ since: _since, ...body }: Record<string, unknown>) => body;

describe.each(["camara-qod", "nef"] as const)("random histories, %s", (api) => {
  it("[M13] end in agreement with the network, and leave nothing in it", () => {
    fc.assert(
      fc.property(historyOf(FATES), seeds, (steps, seed) => {
        const world = new HoldingWorld(api, randomOf(seed));
        play(world, steps);
        recover(world);
        world.wish ??= {
          key: "k",
          network: "n",
          body: { qosReference: "x" },
          durationSeconds: 600,
        };
        const { wish } = world;
        world.pass(3 * HOUR);
        // It may just have come to the longest time that it can last, and is asked for anew.
        if (world.resources.size === 0) world.pass(60_000);
        const there = [...world.resources.values()].map(({ body }) => bodyOf(body));
        expect(there.filter((body) => sameBody(body, wish?.body ?? {}))).toHaveLength(1);
        expect(there.length).toBeLessThanOrEqual(1 + world.holding.lost);
        world.wish = undefined;
        world.pass(HOUR);
        expect(world.resources.size).toBeLessThanOrEqual(world.holding.lost);
        expect(isSettled(world.holding)).toBe(true);
        expect(dueOf(world.holding, undefined)).toBeNull();
      }),
      { numRuns: 600 },
    );
  });

  it("[M13] that end amid all that leave nothing either", () => {
    fc.assert(
      fc.property(historyOf(FATES), seeds, (steps, seed) => {
        const world = new HoldingWorld(api, randomOf(seed));
        play(world, steps);
        world.wish = undefined;
        world.pass(HOUR / 2);
        recover(world);
        world.pass(2 * HOUR);
        // Only what nobody may look for, eight times over, is left to the network.
        expect(world.resources.size).toBeLessThanOrEqual(world.holding.lost);
        expect(isSettled(world.holding)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});

describe("random histories, rtc-af", () => {
  it("[M13] leave no more than creates whose answer was lost", () => {
    fc.assert(
      fc.property(historyOf(KNOWN_FATES), seeds, (steps, seed) => {
        const world = new HoldingWorld("rtc-af", randomOf(seed));
        play(world, steps);
        recover(world);
        world.wish = undefined;
        world.pass(2 * HOUR);
        expect(isSettled(world.holding)).toBe(true);
        const lost = world.calls.filter(({ act, fate }) => act.type === "create" && fate !== "ok");
        const denied = world.calls.filter(({ fate }) => fate === "404");
        expect(world.resources.size).toBeLessThanOrEqual(lost.length + denied.length);
        if (lost.length + denied.length === 0) expect(world.resources.size).toBe(0);
      }),
      { numRuns: 400 },
    );
  });
});

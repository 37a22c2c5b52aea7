import { reset } from "cloudflare:test";
import { afterAll, afterEach, expect, it } from "vitest";
import { play } from "./chaos-script.ts";
import { seedsToPlay } from "./chaos-seeds.ts";

/** A run takes part of a second; on a machine that does other things as well, it may take its time. */
const LIMIT_MS = 120_000;

/**
 * The real SDK and the real server, with faults between any two frames, for `count` seeds from `first` on. A seed
 * that fails prints what happened; `CHAOS_SEED=17 npx vitest run --project workers test/chaos.test.ts` plays it alone.
 */
export function proveChaos(first: number, count: number): void {
  afterEach(async () => {
    await reset();
  });

  let reports = 0;

  afterAll(() => {
    // What is loaded later has to be there, or these runs would prove less than they seem to.
    expect(reports).toBeGreaterThan(0);
  });

  it.each(seedsToPlay(first, count))(
    "[R3] chaos, seed %i: both ends and the server agree on every link, nothing is lost or applied twice",
    async (seed) => {
      const { run, wrongs } = await play(seed);
      const { world, members, stack } = run;
      const names = members.map(({ name, id }) => `${name}=${id}`).join(" ");
      const story = [`seed ${seed} ${stack} ${names}`, ...world.log].join("\n");
      reports += world.log.filter((line) => line.includes(" up transport")).length;
      expect(wrongs, wrongs.length > 0 ? story : "").toEqual([]);
    },
    LIMIT_MS,
  );
}

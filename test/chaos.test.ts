import { reset } from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import { play } from "./chaos-script.ts";
import { seedsToPlay } from "./chaos-seeds.ts";

/**
 * The real SDK and the real server, with faults between any two frames. A seed that fails prints what happened;
 * `CHAOS_SEED=17 npx vitest run --project workers test/chaos.test.ts` plays it alone.
 */

/** A run takes part of a second; on a machine that does other things as well, it may take its time. */
const LIMIT_MS = 120_000;

afterEach(async () => {
  await reset();
});

it.each(seedsToPlay(1, 260))(
  "[R3] chaos, seed %i: both ends and the server agree on every link, nothing is lost or applied twice",
  async (seed) => {
    const { run, wrongs } = await play(seed);
    const { world, members, stack } = run;
    const names = members.map(({ name, id }) => `${name}=${id}`).join(" ");
    const story = [`seed ${seed} ${stack} ${names}`, ...world.log].join("\n");
    expect(wrongs, wrongs.length > 0 ? story : "").toEqual([]);
  },
  LIMIT_MS,
);

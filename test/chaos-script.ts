import { disagreements } from "./chaos-agreement.ts";
import type { Page } from "./chaos-page.ts";
import { Run } from "./chaos-run.ts";
import type { Line } from "./chaos-socket.ts";

/** What the seed makes of a run: what the pages do, and what goes wrong between any two frames. */

/** How long a run may take to come to rest once nothing breaks any more; offers expire after 60 s. */
const REST_MS = 240_000;
const MOST_STEPS = 6_000;

/** False, or a promise of it, when there is nothing to do it to. */
type Deed = (run: Run) => unknown;

const joined = (run: Run): Page[] =>
  run.pages.filter(({ session, isDead }) => session !== undefined && !isDead);

/** A page that has joined, or false: then there is nothing to do. */
const withPage =
  (what: (page: Page, run: Run) => unknown): Deed =>
  (run) => {
    const pages = joined(run);
    return pages.length === 0 ? false : what(run.world.random.pick(pages), run);
  };

const withLine =
  (what: (line: Line, run: Run) => unknown): Deed =>
  (run) => {
    const { lines } = run;
    return lines.length === 0 ? false : what(run.world.random.pick(lines), run);
  };

const publish = withPage((page, { world: { random } }) => {
  if (page.publications.size >= 3) return false;
  page.publish(random.chance(0.5) ? "audio" : "video");
  return undefined;
});

const ACTIONS: Record<string, { readonly weight: number; readonly deed: Deed }> = {
  publish: { weight: 6, deed: publish },
  unpublish: {
    weight: 3,
    deed: withPage((page) => (page.publications.size === 0 ? false : page.unpublish())),
  },
  glare: {
    weight: 4,
    deed: (run) => {
      for (const page of joined(run)) {
        if (page.publications.size >= 3 || run.world.random.chance(0.3)) page.session?.restartIce();
        else page.publish(run.world.random.chance(0.5) ? "audio" : "video");
      }
    },
  },
  restart: { weight: 3, deed: withPage((page) => page.session?.restartIce()) },
  message: {
    weight: 6,
    deed: withPage((page, { members, world: { random } }) => {
      const others = members.filter((member) => member !== page.member);
      const to = random.pick(others);
      const count = 1 + random.below(4);
      for (let n = 0; n < count; n += 1) page.send(to.id);
    }),
  },
  "path breaks": {
    weight: 2,
    deed: ({ connections, world: { random } }) => {
      const open = connections.filter(({ connectionState }) => connectionState === "connected");
      if (open.length === 0) return false;
      const connection = random.pick(open);
      connection.broken.add(connection.ufrag);
      return undefined;
    },
  },
  "network changes": { weight: 1, deed: (run) => run.online() },
  "leaves and joins": {
    weight: 2,
    deed: withPage((page, run) => {
      page.leave();
      run.close(page);
      run.open(page.member);
    }),
  },
  "loads again": {
    weight: 2,
    deed: withPage((page, run) => {
      page.die();
      run.close(page);
      run.open(page.member);
    }),
  },
};

const FAULTS: Record<string, { readonly weight: number; readonly deed: Deed }> = {
  cut: {
    weight: 6,
    deed: withLine((line, { world: { random } }) =>
      line.cut({
        arrive: random.below(3),
        serverLater: random.chance(0.4),
        clientAfterMs: random.chance(0.3) ? random.below(3000) : 0,
      }),
    ),
  },
  "cut before the reply": {
    weight: 4,
    deed: withLine((line) => {
      if (line.up.pending.length === 0) return false;
      return line.cut({ arrive: 1, serverLater: false, clientAfterMs: 0 });
    }),
  },
  "all cut": {
    weight: 1,
    deed: async (run) => {
      for (const line of run.lines) {
        await line.cut({ arrive: run.world.random.below(2), serverLater: false, clientAfterMs: 0 });
      }
    },
  },
  "half-open": {
    weight: 4,
    deed: withLine((line, { world: { random } }) => {
      const way = random.below(3);
      line.swallowsUp = way !== 1;
      line.swallowsDown = way !== 0;
    }),
  },
  "twice up": {
    weight: 3,
    deed: withLine((line) => {
      line.copiesUp = 1;
    }),
  },
  "twice down": {
    weight: 3,
    deed: withLine((line) => {
      line.copiesDown = 1;
    }),
  },
  "new socket": { weight: 2, deed: withPage((page) => page.session?.reconnectNow()) },
  evicted: { weight: 4, deed: (run) => run.evict() },
  aborted: { weight: 2, deed: (run) => run.abort() },
};

async function one(run: Run, deeds: typeof ACTIONS): Promise<void> {
  const { random } = run.world;
  const total = Object.values(deeds).reduce((sum, { weight }) => sum + weight, 0);
  let left = random.below(total);
  for (const [name, { weight, deed }] of Object.entries(deeds)) {
    left -= weight;
    if (left >= 0) continue;
    run.world.note(`--- ${name}`);
    const done = await deed(run);
    if (done !== false) run.count(name);
    await run.world.drain();
    return;
  }
}

/** Runs a seed; gives what did not agree in the end. */
export async function play(seed: number): Promise<{ run: Run; wrongs: string[] }> {
  const run = await Run.start(seed);
  try {
    const { random } = run.world;
    let actions = 2 + random.below(6);
    let faults = 1 + random.below(7);
    for (const member of run.members) run.open(member);
    for (const page of run.pages) if (random.chance(0.6)) run.publishAtJoin(page);
    for (let step = 0; actions + faults > 0 && step < MOST_STEPS; step += 1) {
      if (actions > 0 && random.chance(0.04)) {
        actions -= 1;
        await one(run, ACTIONS);
      } else if (faults > 0 && random.chance(0.05)) {
        faults -= 1;
        await one(run, FAULTS);
      } else await run.step();
      for (const line of run.sockets) if (random.chance(0.05)) await line.late();
    }
    run.world.note("--- nothing breaks any more");
    for (const line of run.sockets) await line.late();
    const wrongs = [...(await rest(run)), ...run.world.wrongs];
    return { run, wrongs };
  } finally {
    await run.end();
  }
}

/** Lets the run come to rest; gives what does not agree even then. */
async function rest(run: Run): Promise<string[]> {
  const { clock } = run.world;
  const until = clock.now + REST_MS;
  let found: string[] = [];
  // What is at rest must stay so: the first look is when every socket that fell silent has been found out.
  for (let look = clock.now + 35_000; look <= until; look += 30_000) {
    for (let step = 0; clock.now < look; step += 1) {
      if (step > MOST_STEPS) return ["it does not come to rest"];
      await run.step();
    }
    found = await disagreements(run);
    if (found.length === 0) return [];
  }
  return found;
}

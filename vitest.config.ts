import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** CHAOS_SEED=17 plays one seed of the chaos runs, CHAOS_RUNS=2000 that many from there on. */
const chaos = { seed: process.env.CHAOS_SEED, runs: process.env.CHAOS_RUNS };

/** Two projects: `workers` runs inside workerd, `e2e` in Node against `wrangler dev` and real browsers. */
export default defineConfig({
  test: {
    // vitest leaves one core to itself, which is half of a small machine; it needs far less.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    coverage: {
      provider: "istanbul",
      include: ["{protocol,adapters,durable-objects,src}/**/*.ts"],
      // The core has no branch without a test; the shells are covered through their doors.
      thresholds: {
        "protocol/**": { branches: 100, functions: 100, lines: 100 },
        "{adapters,durable-objects,src}/**": { branches: 80, functions: 90, lines: 95 },
      },
      reporter: ["text-summary", "json-summary", ["text", { skipFull: true }]],
    },
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                API_KEYS: "test-key,second-key",
                TOKEN_SECRETS: "test-secret-of-at-least-32-characters",
                TURN_URLS: "turn:127.0.0.1:3478?transport=udp,turn:127.0.0.1:3478?transport=tcp",
                TURN_SECRETS: "turn-secret",
                CNAME_WINDOW_DAYS: "30",
              },
            },
          }),
        ],
        test: {
          name: "workers",
          include: ["test/*.test.ts"],
          provide: { chaos },
          // A Worker and its objects share isolates, too; a workerd of its own for each file takes twice as long.
          isolate: false,
          // From that cache every file is sent all modules it may need, twice: more than workerd takes in one message.
          fsModuleCache: false,
          setupFiles: ["test/main-once.ts", "test/log-watch.ts"],
          globalSetup: ["test/e2e/runtime-log.ts"],
          // Property tests take part of a minute, and longer where others are at work as well.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e",
          provide: { chaos },
          include: ["test/e2e/*.e2e.ts"],
          environment: "node",
          globalSetup: ["test/e2e/global-setup.ts"],
          // Browsers and servers of two files side by side; of three, they stand in each other's way.
          maxWorkers: 2,
          // Browsers stumble on a busy machine; what passes at its second try is named in the report.
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { arrowCount, brokenArrows } from "./arrows.ts";
import { build } from "./build.ts";
import { type Limits, run } from "./processes.ts";
import { ensureTools } from "./tools.ts";
import { writeTypes } from "./types.ts";
import { runVitest } from "./vitest-step.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const MINUTE_MS = 60_000;

/** Set for everything that `npm test` starts: a test must not start the tests. */
export const GUARD = "DUPLEX_TEST_RUN";

export interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly note?: string;
  /** Shown when something failed. */
  readonly output?: string;
}

export interface Step {
  readonly name: string;
  readonly what: string;
  /** Steps of one lane follow each other, lanes run side by side; `last` has the machine to itself. */
  readonly lane: "checks" | "code" | "last";
  /** Steps without which this one cannot run. */
  readonly needs: readonly string[];
  readonly run: (onStart: (child: ChildProcess) => void) => Promise<Result>;
}

const colours = process.stdout.isTTY ? { FORCE_COLOR: "1" } : { FORCE_COLOR: "0", NO_COLOR: "1" };

const limits = (minutes: number, onStart: (child: ChildProcess) => void): Limits => ({
  cwd: root,
  limitMs: minutes * MINUTE_MS,
  env: { ...process.env, ...colours, [GUARD]: "1" },
  onStart,
});

/** A step that holds or does not: it counts as one test. */
const once = async (act: () => Promise<void>): Promise<Result> => {
  try {
    await act();
    return { passed: 1, failed: 0 };
  } catch (fault) {
    return { passed: 0, failed: 1, output: fault instanceof Error ? fault.message : String(fault) };
  }
};

const program = (name: string, what: string, lane: Step["lane"], args: string[]): Step => ({
  name,
  what,
  lane,
  needs: [],
  run: async (onStart) => {
    const { code, output } = await run(process.execPath, args, limits(5, onStart));
    return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, output };
  },
});

const compiles = (name: string, project: string, needs: readonly string[] = []): Step => {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  return { ...program(name, `tsc -p ${project}`, "code", [tsc, "-p", project]), needs };
};

const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");

export const STEPS: readonly Step[] = [
  program("lint", "biome: format and lint", "checks", [biome, "check", "--error-on-warnings", "."]),
  {
    name: "arrows",
    what: "planted violations of the room arrows are reported",
    lane: "checks",
    needs: [],
    run: async () => {
      const broken = await brokenArrows();
      const passed = arrowCount - broken.length;
      return {
        passed,
        failed: broken.length,
        note: `${arrowCount} plants`,
        output: broken.join("\n"),
      };
    },
  },
  program(
    "docs",
    "docs say what tables and rules say, links lead somewhere; tests name promises",
    "checks",
    [join(root, "scripts", "docs.ts"), "--check"],
  ),
  {
    name: "tools",
    what: "browsers and TURN server are installed",
    lane: "checks",
    needs: [],
    run: () => once(ensureTools),
  },
  {
    name: "types",
    what: "wrangler types",
    lane: "code",
    needs: [],
    run: () => once(writeTypes),
  },
  compiles("tsc-protocol", "protocol"),
  compiles("tsc-worker", ".", ["types"]),
  compiles("tsc-client", "client"),
  compiles("tsc-e2e", "test/e2e"),
  compiles("tsc-examples", "examples/media-server"),
  compiles("tsc-example-pages", "examples"),
  compiles("tsc-kit", "media-server-kit"),
  compiles("tsc-network", "network-mock"),
  {
    name: "build",
    what: "pages and SDK",
    lane: "code",
    needs: [],
    run: () => once(() => build("web")),
  },
  {
    name: "package",
    what: "the SDK as an npm package, with its types",
    lane: "code",
    needs: ["build"],
    run: () => once(() => build("all")),
  },
  {
    name: "workers",
    what: "vitest inside workerd, with coverage",
    lane: "code",
    needs: ["build"],
    run: (onStart) => runVitest(root, "workers", ["--coverage"], limits(20, onStart)),
  },
  {
    name: "e2e",
    what: "vitest with real browsers, TURN server and sockets",
    lane: "last",
    needs: ["build", "tools"],
    run: (onStart) => runVitest(root, "e2e", [], limits(35, onStart)),
  },
];

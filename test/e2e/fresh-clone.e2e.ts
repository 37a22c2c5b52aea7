import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../scripts/processes.ts";
import { GUARD } from "../../scripts/steps.ts";
import { toolPath } from "../../scripts/tools.ts";
import { startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const START_LIMIT_MS = 180_000;
const TEST_LIMIT_MS = 60_000;

/** As somebody has it who cloned the repository: their own Node and npm, nothing of ours in PATH. */
const theirPath = (process.env.PATH ?? "")
  .split(":")
  .filter((folder) => !folder.includes("node_modules"))
  .join(":");

let folder: string;
let clone: string;

beforeAll(async () => {
  folder = temporaryFolder("clone");
  clone = join(folder, "duplex");
  const args = ["clone", "--quiet", "--no-hardlinks", root, clone];
  const { code, output } = await run(toolPath("git"), args, { limitMs: 60_000 });
  expect(output).toBe("");
  expect(code).toBe(0);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const createSession = (baseUrl: string): Promise<Response> =>
  fetch(new URL("v1/sessions", baseUrl), {
    method: "POST",
    headers: { Authorization: "Bearer dev-key", "Content-Type": "application/json" },
    body: "{}",
  });

describe("a clone of what is committed, with nothing prepared", () => {
  it(
    "[M19] npm start serves the demo, sessions for dev-key, and leaves nothing running",
    async () => {
      const server = await startServer({
        file: "npm",
        args: ["start", "--silent"],
        cwd: clone,
        env: { PATH: theirPath },
        readyLimitMs: START_LIMIT_MS,
      });
      try {
        const page = await fetch(server.baseUrl);
        expect(page.status).toBe(200);
        expect(page.headers.get("content-type")).toContain("text/html");
        expect((await fetch(new URL("healthz", server.baseUrl))).status).toBe(200);
        const created = await createSession(server.baseUrl);
        expect(created.status).toBe(201);
        expect(created.headers.get("location")).toBeTruthy();
        expect(server.output().trim()).toBe(`Ready on ${server.baseUrl}`);
        expect(server.processes().length).toBeGreaterThan(1);
      } finally {
        expect(await server.stop()).toEqual([]);
      }
    },
    START_LIMIT_MS + 30_000,
  );

  const npmTest = (...args: string[]) =>
    run("npm", ["test", "--silent", "--", ...args], {
      cwd: clone,
      env: { ...process.env, PATH: theirPath },
      limitMs: TEST_LIMIT_MS,
    });

  it("[M19] npm test runs its steps there and ends with the counts", async () => {
    const { code, output } = await npmTest("--only", "arrows,types,tsc-protocol");
    expect(output.trimEnd().split("\n").at(-1)).toMatch(/^\d+ passed, 0 failed$/);
    expect(code).toBe(0);
  });

  it("[M19] npm test plans the tests in browsers, but never runs them from one of them", async () => {
    expect((await npmTest("--plan")).output).toMatch(/^e2e /m);
    expect(process.env[GUARD]).toBe("1");
    const { code, output } = await npmTest();
    expect(output).toContain("started by one of its own tests");
    expect(code).toBe(1);
  });
});

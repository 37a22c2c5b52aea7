import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { experimental_readRawConfig } from "wrangler";
import { CHECKS } from "../../scripts/deploy-checks.ts";
import { choose, classesIn, secretsIn } from "../../scripts/deploy-facts.ts";
import { lookAt } from "../../scripts/deploy-look.ts";
import { run } from "../../scripts/processes.ts";
import { temporaryFolder } from "./watchdog.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const LIMIT_MS = 120_000;

let folder: string;
let log: string;

beforeAll(() => {
  folder = temporaryFolder("deploy");
  log = join(folder, "network");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `npm run deploy` of somebody who has never logged in, on a machine without a network. */
const deploy = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("CLOUDFLARE_"));
  return run(process.execPath, [join(root, "scripts", "deploy.ts"), ...args], {
    cwd: root,
    env: {
      ...Object.fromEntries(kept),
      HOME: folder,
      XDG_CONFIG_HOME: folder,
      NETWORK_LOG: log,
      NODE_OPTIONS: `--import=${join(root, "test", "e2e", "no-network.ts")}`,
      ...env,
    },
    limitMs: LIMIT_MS,
  });
};

const called = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");

describe("npm run deploy", () => {
  it("[M19] --dry-run passes for this repository, goes through all checks, and calls nobody", async () => {
    const { code, output } = await deploy(["--dry-run", "--env", "production"]);
    for (const { name } of CHECKS) expect(output).toMatch(new RegExp(` ${name}(:|$)`, "m"));
    expect(output).not.toContain("ERROR");
    expect(output).toContain("wrangler deploy --dry-run");
    expect(output).toContain("Nothing was deployed");
    expect(code).toBe(0);
    expect(called()).toBe("");
  });

  it("[M19] without a login says so before anything is sent", async () => {
    const { code, output } = await deploy([]);
    expect(output.split("\n")[0]).toMatch(/^ERROR +login: not logged in: .*wrangler login/);
    expect(output).toContain("Nothing was deployed");
    expect(code).toBe(1);
    expect(called()).toBe("");
  });

  it("[M19] with a login and no network says that nobody answered, and whom it asked", async () => {
    const { code, output } = await deploy([], {
      CLOUDFLARE_API_TOKEN: "not-a-token",
      CLOUDFLARE_ACCOUNT_ID: "account",
    });
    expect(output).toMatch(/^ERROR +login: Cloudflare would not say: /m);
    expect(code).toBe(1);
    // By which it is seen that what calls nobody, above, would have been noticed.
    expect(called().split("\n")).toContain("api.cloudflare.com");
  });

  it("[M19] refuses an environment that is not there, a secrets file that is not there, and weak secrets in one", async () => {
    expect((await deploy(["--dry-run", "--env", "moon"])).output).toMatch(
      /^--env: there is no environments\/moon.toml; there are production, staging$/m,
    );
    const missing = await deploy(["--dry-run", "--secrets-file", join(folder, "none")]);
    expect(missing.output).toMatch(/^--secrets-file: there is no /m);
    const secrets = join(folder, "secrets.json");
    writeFileSync(secrets, JSON.stringify({ API_KEYS: "dev-key", TOKEN_SECRETS: "short" }));
    const weak = await deploy(["--dry-run", "--secrets-file", secrets]);
    expect(weak.output).toMatch(/^ERROR +key length: API_KEYS/m);
    expect(weak.output).toMatch(/^ERROR +values: TOKEN_SECRETS.*32/m);
    expect(weak.output).not.toContain("short");
    expect([missing.code, weak.code]).toEqual([1, 1]);
  });
});

describe("npm run deploy, asking an account", () => {
  /** The calls of Cloudflare's API that listing secrets makes; names are all that it tells. */
  let api: Server;
  let base: string;
  let secrets: readonly string[] | undefined;

  beforeAll(async () => {
    api = createServer((request, response) => {
      const known = secrets !== undefined && request.url?.endsWith("/scripts/duplex/secrets");
      response.writeHead(known ? 200 : 404, { "content-type": "application/json" });
      const errors = [{ code: 10007, message: "This Worker does not exist on your account." }];
      const result = secrets?.map((name) => ({ name, type: "secret_text" })) ?? null;
      response.end(
        JSON.stringify({ success: known, errors: known ? [] : errors, messages: [], result }),
      );
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  });

  afterAll(() => new Promise((resolve) => api.close(resolve)));

  const asked = async () => {
    const { output, code } = await deploy([], {
      CLOUDFLARE_API_BASE_URL: base,
      CLOUDFLARE_API_TOKEN: "not-a-token",
      CLOUDFLARE_ACCOUNT_ID: "account",
    });
    expect(code).toBe(1);
    return output;
  };

  it("[M19] names the key that is not set, of a Worker that is there and of one that is not", async () => {
    secrets = ["API_KEYS"];
    const half = await asked();
    expect(half).toMatch(/^ok +login$/m);
    expect(half).toMatch(/^ERROR +keys: TOKEN_SECRETS .*--name duplex/m);
    expect(half).not.toMatch(/ERROR +keys: API_KEYS/);
    secrets = undefined;
    expect(await asked()).toMatch(/^ERROR +keys: API_KEYS .*--secrets-file/m);
  });
});

describe("what a deployment is read from", () => {
  it("[M19] every environment has the code, classes, bindings and assets of wrangler.toml", () => {
    const { rawConfig } = experimental_readRawConfig({ config: join(root, "wrangler.toml") });
    const environments = readdirSync(join(root, "environments"));
    expect(environments.length).toBeGreaterThan(1);
    for (const file of environments) {
      const environment = file.replace(/\.toml$/, "");
      const { settings, complaints, file: written } = choose(environment);
      expect(complaints).toEqual([]);
      expect(settings.name).toBe(`duplex-${environment}`);
      const {
        name: _,
        vars: __,
        routes: ___,
        workers_dev: ____,
        ratelimits,
        analytics_engine_datasets: datasets,
        ...shared
      } = rawConfig as Record<string, unknown>;
      expect(settings).toMatchObject(shared);
      expect(settings.ratelimits?.map(({ name }) => name)).toEqual(
        (ratelimits as { name: string }[]).map(({ name }) => name),
      );
      const bound = (list: unknown) =>
        (list as { binding: string }[] | undefined)?.map(({ binding }) => binding);
      expect(bound(settings.analytics_engine_datasets)).toEqual(bound(datasets));
      expect(JSON.parse(readFileSync(written, "utf8")).main).toBe("../../src/index.ts");
    }
  });

  it("[M19] classes are read from the exports of the Worker, secrets from what wrangler prints", () => {
    const index = readFileSync(join(root, "src", "index.ts"), "utf8");
    expect(classesIn(index).length).toBe(index.match(/^export \{/gm)?.length);
    const list =
      '\u25b2 [WARNING] something\n\n[\n  {\n    "name": "API_KEYS",\n    "type": "secret_text"\n  }\n]\n';
    expect(secretsIn(0, list)).toEqual({ kind: "named", names: ["API_KEYS"] });
    expect(secretsIn(0, "[]\n")).toEqual({ kind: "named", names: [] });
    expect(secretsIn(1, "\u2718 [ERROR] A request to the Cloudflare API failed.")).toMatchObject({
      kind: "refused",
    });
  });
});

describe("the look at what was deployed", () => {
  it("[M19] finds that a server is up and takes keys, or why not", async () => {
    expect(await lookAt(inject("baseUrl"), 10_000)).toEqual({ isUp: true });
    const wrong = createServer((_, response) => {
      response.writeHead(503, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ code: "misconfigured", detail: "TURN_URLS: needed" }));
    });
    await new Promise<void>((resolve) => wrong.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(wrong.address() as AddressInfo).port}/`;
    expect(await lookAt(address, 0)).toEqual({ isUp: false, problem: "503: TURN_URLS: needed" });
    await new Promise((resolve) => wrong.close(resolve));
    expect(await lookAt(address, 0)).toMatchObject({
      isUp: false,
      problem: expect.stringMatching(/^no answer/),
    });
  });
});

import { once } from "node:events";
import { readdirSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { stillRunning } from "../../scripts/processes.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const READY_LIMIT_MS = 60_000;

let state: string;

beforeAll(() => {
  state = temporaryFolder("start");
});

afterAll(() => {
  rmSync(state, { recursive: true, force: true });
});

const start = (env: Record<string, string>): Promise<Server> =>
  startServer({
    file: process.execPath,
    args: [join(root, "scripts", "start.mjs")],
    cwd: root,
    env: { DUPLEX_STATE: state, ...env },
    readyLimitMs: READY_LIMIT_MS,
  });

const createSession = (baseUrl: string, key: string): Promise<number> =>
  fetch(new URL("v1/sessions", baseUrl), {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: "{}",
  }).then(({ status }) => status);

describe("npm start", () => {
  // What a dotenv file, a shell or wrangler's expansion of variables would change.
  it.each([
    ["a=b:c", "price$5", "$HOME", "$" + "{HOME}", "back\\slash", "#1#", "a`b"],
    ["it's", 'say"so"', "$" + "{HOME}", "back\\nslash"],
  ])("[M19] hands %s, %s, %s and %s on to the Worker unchanged", async (...keys) => {
    const server = await start({ API_KEYS: keys.join(", ") });
    try {
      for (const key of keys) expect(await createSession(server.baseUrl, key)).toBe(201);
      expect(await createSession(server.baseUrl, "dev-key")).toBe(401);
    } finally {
      expect(await server.stop()).toEqual([]);
    }
  });

  it("[M13] takes networks as they are written down: on several lines, whatever is in their secrets", async () => {
    const secrets = ["it's", "a`b", "back\\nslash", "price$5", "\u2028"];
    const networks = secrets.map((clientSecret, index) => ({
      name: `n${index}`,
      api: "rtc-af",
      url: "https://af.example/v1",
      auth: { tokenUrl: "https://af.example/token", clientId: "me", clientSecret },
      rtcAf: { provisioningSession: "p", policyTemplateId: "t" },
    }));
    const text = JSON.stringify(networks, undefined, 2).replaceAll("\n", "\r\n");
    const server = await start({ ASSISTANCE_NETWORKS: text });
    try {
      expect(await createSession(server.baseUrl, "dev-key")).toBe(201);
    } finally {
      expect(await server.stop()).toEqual([]);
    }
  });

  it.each([
    ["TURN_PROVIDER", "carrier-pigeon"],
    ["TURN_URLS", "https://turn.example"],
    ["TURN_TTL_SECONDS", "soon"],
    ["TOKEN_SECRETS", "short"],
    ["ALLOWED_ORIGINS", "https://app.example/path"],
    ["PORT", "http"],
    ["HOST", "256.0.0.1"],
  ])("[M19] stops with one line that names %s when it is %s", async (name, value) => {
    const failure = await start({ [name]: value }).then(() => undefined, String);
    const [first, second, ...more] = failure?.split("\n") ?? [];
    expect(first).toContain("the server ended with code 1");
    expect(second).toContain(name);
    expect(more).toEqual([]);
  });

  it("[M19] stops with one line when its port is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const failure = await start({ PORT: String(port) }).then(() => undefined, String);
    other.close();
    expect(failure).toMatch(new RegExp(`ended with code 1\nPORT: 127.0.0.1:${port} is in use;.*$`));
  });

  it("[A4] keeps what it hands on in a file that only its owner can read, and removes it", async () => {
    const files = (): string[] =>
      readdirSync(join(root, ".wrangler")).filter((name) => /^env-\d+$/.test(name));
    const before = files();
    const server = await start({});
    const [own, ...others] = files().filter((name) => !before.includes(name));
    expect(others).toEqual([]);
    expect(statSync(join(root, ".wrangler", own!)).mode & 0o777).toBe(0o600);
    expect(await server.stop()).toEqual([]);
    expect(files()).not.toContain(own);
  });

  it.each([0, 1, 2, 3])(
    "[M19] leaves nothing running when process %i of its chain is killed outright",
    async (which) => {
      const server = await start({});
      const tree = server.processes();
      expect(tree.length).toBeGreaterThan(4);
      process.kill(tree[which]!.pid, "SIGKILL");
      await expect.poll(() => stillRunning(tree), { timeout: 15_000 }).toEqual([]);
    },
  );

  it("[M19] sessions and tokens outlive a restart", async () => {
    const ask = async (path: string, baseUrl: string, key: string, body?: string) => {
      const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
      const method = body === undefined ? "GET" : "POST";
      const init = body === undefined ? { headers } : { headers, method, body };
      const answer = await fetch(new URL(path, baseUrl), init);
      return { status: answer.status, body: (await answer.json()) as Record<string, string> };
    };
    const first = await start({});
    const { body: session } = await ask("v1/sessions", first.baseUrl, "dev-key", "{}");
    const path = `v1/sessions/${session.id}`;
    const { body: peer } = await ask(`${path}/peers`, first.baseUrl, "dev-key", "{}");
    await first.stop();
    const second = await start({});
    const again = await ask(path, second.baseUrl, peer.token!);
    await second.stop();
    expect(again).toMatchObject({ status: 200, body: { id: session.id } });
  });

  it("[M19] two servers of one checkout run side by side", async () => {
    const second = await start({});
    const both = [inject("baseUrl"), second.baseUrl];
    const statuses = await Promise.all(both.map((baseUrl) => createSession(baseUrl, "dev-key")));
    await second.stop();
    expect(statuses).toEqual([201, 201]);
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";
import { IceServers } from "../../client/ice-servers.ts";
import { type Browser, launchChromium } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { type Server, startServer } from "./server.ts";

/** A server whose TURN credentials live for a few seconds, beside the one all tests share. */

const TTL_SECONDS = 20;
const turn = inject("turn");
const state = mkdtempSync(join(tmpdir(), "duplex-renewal-"));
let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = await startServer({
    file: process.execPath,
    args: [fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url))],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: {
      DUPLEX_STATE: state,
      TURN_URLS: `turn:${turn.host}:${turn.port}?transport=udp`,
      TURN_SECRETS: turn.secrets.join(","),
      TURN_TTL_SECONDS: String(TTL_SECONDS),
    },
    readyLimitMs: 90_000,
  });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(state, { recursive: true, force: true });
});

/** Seconds since 1970 at which the credentials in use end. */
const expiryOf = (caller: Caller, peer: string): Promise<number> =>
  caller.page.evaluate((id) => {
    const { iceServers = [] } = window.call.session.connection(id)?.getConfiguration() ?? {};
    return Math.max(...iceServers.map(({ username }) => Number(username?.split(":")[0] ?? 0)));
  }, peer);

it("[A3] credentials are renewed in band before they end, and the relayed call outlives them", async () => {
  const backend = await Backend.start(server.baseUrl);
  const one = await Caller.join(browser, backend, { relay: true });
  const two = await Caller.join(browser, backend, { relay: true });
  await Promise.all([one.receives(two.id), two.receives(one.id)]);
  const first = await expiryOf(one, two.id);
  let second = 0;
  await until("renewed", async () => {
    second = Math.min(await expiryOf(one, two.id), await expiryOf(two, one.id));
    return second > first;
  });
  // When the server made them, by its own clock: their end less their life.
  expect(second - TTL_SECONDS).toBeLessThan(first);
  // Beyond the end of the first credentials.
  await until("the first credentials ended", () => Date.now() / 1000 > first + 3);
  const stats = await Promise.all([one.receives(two.id), two.receives(one.id)]);
  for (const { pair } of stats) expect(pair?.local.candidateType).toBe("relay");
  await Promise.all([one.close(), two.close()]);
});

it.each([5, 20, 59, 60, 3_600, 172_800])(
  "[A3] the SDK asks for new credentials before half of a life of %i s is over, and again until they come",
  (lifeSeconds) => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    try {
      const asked: number[] = [];
      const start = Date.now();
      const servers = new IceServers(() => asked.push((Date.now() - start) / 1000));
      servers.set([{ urls: ["turn:t.example.com"] }], start + lifeSeconds * 1000);
      vi.advanceTimersByTime(lifeSeconds * 500);
      expect(asked[0]).toBeLessThan(lifeSeconds / 2);
      vi.advanceTimersByTime(lifeSeconds * 500);
      expect(asked.length).toBeGreaterThan(1);
      servers.set([{ urls: ["turn:t.example.com"] }], Date.now() + lifeSeconds * 1000);
      const before = asked.length;
      vi.advanceTimersByTime(lifeSeconds * 250);
      expect(asked).toHaveLength(before);
      servers.stop();
    } finally {
      vi.useRealTimers();
    }
  },
);

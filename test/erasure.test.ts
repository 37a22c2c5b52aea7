import { listDurableObjectIds, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CnameMemory } from "../durable-objects/cname-memory.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import {
  call,
  callJson,
  KEY,
  type LivePeer,
  LiveSession,
  MODES,
  type Mode,
} from "./live-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const CNAME = "cname-of-alice";

const offerOf = (): string =>
  `${sdpOf({ version: 7 })}a=ssrc:4711 cname:${CNAME}\r\na=x-secret:only-in-this-text\r\n`;

/** A call with all that a session keeps: both descriptions, candidates, reports, findings. */
async function callIn(session: LiveSession): Promise<{ alice: LivePeer; bob: LivePeer }> {
  const alice = await session.join({ name: "Alice Example", metadata: { mail: "alice@example" } });
  const bob = await session.join({ name: "Bob Example" });
  await alice.request({ type: "offer", id: 1, to: bob.id, sdp: offerOf() } as never);
  const { exchange } = await bob.next("offer");
  await bob.request({
    type: "answer",
    id: 1,
    to: alice.id,
    exchange,
    sdp: sdpOf({ setup: "active" }),
  } as never);
  await alice.request({
    type: "candidates",
    id: 2,
    to: bob.id,
    exchange,
    candidates: [candidateOf(1)],
  } as never);
  const end = (port: number) => ({ candidateType: "host", address: "192.0.2.1", port });
  const pair = { local: end(40_001), remote: end(40_002) };
  await alice.request({ type: "transport", id: 3, to: bob.id, state: "connected", pair } as never);
  return { alice, bob };
}

/** Everything that is in the storage of the session's object, as text. */
const rowsOf = (session: LiveSession): Promise<string> =>
  session.inside(({ storage: { sql, kv } }) => {
    const tables = sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
      )
      .toArray();
    const rows = tables.map(
      ({ name }) => name + JSON.stringify(sql.exec(`SELECT * FROM ${name}`).toArray()),
    );
    return [...rows, ...[...kv.list()].map(([key, value]) => `${key} ${value}`)].join("\n");
  });

/** All that the deployment remembers of CNAMEs. */
async function memoryOfCnames(): Promise<string> {
  const { CNAMES } = env as unknown as { CNAMES: DurableObjectNamespace<CnameMemory> };
  const rows = await Promise.all(
    (await listDurableObjectIds(CNAMES)).map((id) =>
      runInDurableObject(CNAMES.get(id), (_memory, { storage }) =>
        // One that was asked without a time has no table.
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'cname'").toArray().length > 0
          ? storage.sql.exec("SELECT * FROM cname").toArray()
          : [],
      ),
    ),
  );
  return JSON.stringify(rows);
}

async function expectNothingLeft(session: LiveSession): Promise<void> {
  expect(await rowsOf(session)).toBe("");
  expect(await session.inside(({ storage }) => storage.getAlarm())).toBeNull();
  expect(await session.inside(({ storage }) => storage.list())).toEqual(new Map());
  expect(await session.inside((state) => state.getWebSockets().length)).toBeLessThanOrEqual(2);
}

/** Memory is gone, sockets stay: what storage holds shows. */
const evict = (session: LiveSession): Promise<void> =>
  new LiveSession(session.id, "evicted").pause();

/** Once nobody is connected: as if that had been so for the session's time. */
async function longAfter(session: LiveSession): Promise<void> {
  await vi.waitFor(async () => {
    const { emptySince } = JSON.parse((await session.stored()) ?? "{}") as { emptySince?: number };
    expect(emptySince).toEqual(expect.any(Number));
  });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 301_000 });
  await evict(session);
  await session.alarm();
}

const WAYS: readonly (readonly [
  way: string,
  end: (session: LiveSession, peers: readonly LivePeer[]) => Promise<unknown>,
])[] = [
  ["its owner deletes it", (session) => callJson(session.path, "DELETE")],
  [
    "nobody has been connected for its time",
    async (session, peers) => {
      for (const peer of peers) peer.socket.close();
      await longAfter(session);
    },
  ],
  [
    "all have left and its time is over",
    async (session, peers) => {
      for (const peer of peers) await peer.request({ type: "leave", id: 90 } as never);
      await longAfter(session);
    },
  ],
];

describe.each(MODES)("a session that has ended (%s)", (mode: Mode) => {
  it.each(WAYS)("[S6] leaves nothing behind when %s", async (_way, end) => {
    const session = await LiveSession.start(mode, { listed: true, metadata: { title: "secret" } });
    const { alice, bob } = await callIn(session);
    expect(await rowsOf(session)).toContain("only-in-this-text");
    await end(session, [alice, bob]);
    // What memory still believed would show now.
    await evict(session);
    await expectNothingLeft(session);
    const listed = (await (await call("/v1/sessions", { headers: KEY })).json()) as {
      sessions: unknown[];
    };
    expect(listed.sessions).toEqual([]);
  });

  it("[S6] answers as one that never was, and takes nobody in with a token that is still good", async () => {
    const session = await LiveSession.start(mode);
    const { alice, bob } = await callIn(session);
    await callJson(session.path, "DELETE");
    expect((await alice.closing()).code).toBe(4000);
    expect((await bob.closing()).code).toBe(4000);
    const unused = { authorization: `Bearer ${alice.token}` };
    for (const [path, headers] of [
      ["", KEY],
      ["/peers", KEY],
      ["/flows", KEY],
      ["/findings", KEY],
      ["", unused],
      ["/flows", unused],
    ] as const) {
      const response = await call(`${session.path}${path}`, { headers });
      expect(response.status, path).toBe(404);
      expect(await response.json()).toMatchObject({ code: "session-not-found" });
    }
    const invited = await callJson(`${session.path}/peers`, "POST", {});
    expect(invited.status).toBe(404);
    const refused = await session.upgrade(alice.token);
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ code: "session-not-found" });
    expect(await session.stub.view(undefined)).toMatchObject({ code: "session-not-found" });
    await expectNothingLeft(session);
  });

  it("[S6] is not brought back by what comes late", async () => {
    const session = await LiveSession.start(mode);
    const { alice, bob } = await callIn(session);
    await callJson(session.path, "DELETE");
    // Its sockets may still have frames on their way, and close after it.
    for (const peer of [alice, bob]) {
      try {
        peer.socket.send(JSON.stringify({ type: "offer", id: 9, to: "x", sdp: offerOf() }));
        peer.socket.send('{"type":"ice-servers","id":10}');
        peer.socket.close();
      } catch {
        // Closed already: all the better.
      }
    }
    // An alarm that was about to run, and commands that were on their way.
    await session.inside(async ({ storage }) => storage.setAlarm(Date.now() + 60_000));
    await session.alarm();
    await callJson(`${session.path}/peers/${alice.id}`, "DELETE");
    await callJson(session.path, "DELETE");
    await callJson(`${session.path}/flows/nothing`, "PATCH", { held: true });
    await evict(session);
    await expectNothingLeft(session);
  });
});

describe("a session that lives", () => {
  it("[A1] has no token in its storage, nor in what its sockets remember", async () => {
    const session = await LiveSession.start("awake");
    const { alice, bob } = await callIn(session);
    const stored = await rowsOf(session);
    const remembered = await session.inside((state) =>
      JSON.stringify(state.getWebSockets().map((ws) => ws.deserializeAttachment())),
    );
    for (const { token } of [alice, bob]) {
      for (const part of token.split(".")) {
        expect(stored).not.toContain(part);
        expect(remembered).not.toContain(part);
      }
    }
    expect(stored + remembered).not.toContain("turn-secret");
  });

  it("[S6] keeps of a peer that left its flows and where they ran, no description, candidate or credential", async () => {
    const session = await LiveSession.start("awake");
    const { alice, bob } = await callIn(session);
    await alice.request({ type: "leave", id: 9 } as never);
    await bob.next("peer-left");
    const stored = await rowsOf(session);
    for (const gone of [
      "only-in-this-text",
      "a=ice-pwd",
      "v=0",
      "candidate:",
      "abcd0123456789012345678901",
      "Alice Example",
      "alice@example",
    ]) {
      expect(stored, gone).not.toContain(gone);
    }
    const { flows } = await session.read<{ flows: { state: string; reason: string }[] }>("/flows");
    expect(flows).not.toEqual([]);
    for (const flow of flows) expect(flow).toMatchObject({ state: "ended", reason: "left" });
  });
});

describe("what is remembered beyond a session", () => {
  it("[A4] is no CNAME: keyed hashes, another one for each use", async () => {
    const session = await LiveSession.start("awake");
    await callIn(session);
    const { flows } = await session.read<{ flows: { cname?: string }[] }>("/flows");
    const shown = flows.flatMap(({ cname }) => (cname === undefined ? [] : [cname]));
    expect(shown.length).toBeGreaterThan(0);
    for (const cname of shown) expect(cname).toMatch(/^h\.[\w-]{22}$/);
    const kept = await memoryOfCnames();
    expect(kept).toMatch(/[0-9a-f]{64}/);
    expect(kept).not.toContain(CNAME);
    expect(kept).not.toContain(session.id);
    for (const cname of shown) expect(kept).not.toContain(cname.slice(2));
  });
});

import { abortAllDurableObjects, reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { TimelineEntry } from "../protocol/timeline/entry.ts";
import type { TimelineView } from "../protocol/timeline/view.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { call, KEY, type LivePeer, LiveSession, MODES, type Mode } from "./live-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const timelineOf = async (session: LiveSession, query = ""): Promise<TimelineView> => {
  await session.pause();
  return session.read<TimelineView>(`/timeline${query}`);
};

let ids = 0;
async function ask(peer: LivePeer, message: object): Promise<{ exchange?: number; code?: string }> {
  ids += 1;
  return (await peer.request({ ...message, id: ids } as { id: number })) as { exchange?: number };
}

/** Offer, candidates, answer, candidates, paths: as the SDK sends them. */
async function connect(one: LivePeer, other: LivePeer): Promise<void> {
  const sdp = sdpOf({ of: one.id, ufrag: `u${one.id}` });
  const { exchange = 0 } = await ask(one, { type: "offer", to: other.id, sdp });
  const burst = (of: LivePeer, to: LivePeer, n: number) =>
    ask(of, { type: "candidates", to: to.id, exchange, candidates: [candidateOf(n, `u${of.id}`)] });
  await burst(one, other, 1);
  const answer = sdpOf({ of: other.id, ufrag: `u${other.id}`, setup: "active" });
  await ask(other, { type: "answer", to: one.id, exchange, sdp: answer });
  await burst(other, one, 2);
  await burst(one, other, 3);
  for (const [peer, to] of [[one, other] as const, [other, one] as const]) {
    await ask(peer, { type: "transport", to: to.id, state: "checking" });
    await ask(peer, { type: "transport", to: to.id, state: "connected" });
  }
}

/** Without what differs from run to run: times, and ids but for the order in which they came. */
function likeness(entries: readonly TimelineEntry[], peers: readonly LivePeer[]): unknown {
  let text = JSON.stringify(entries.map(({ at: _, ...rest }) => ({ ...rest, until: undefined })));
  for (const [index, { id }] of peers.entries()) text = text.replaceAll(id, `p${index}`);
  // A link is named in the order of the ids, which is chance.
  return JSON.parse(text.replaceAll(/p(\d)~p(\d)/g, (_all, a, b) => [a, b].sort().join("~")));
}

/** A session with all that needs no row in it: candidates, refusals, paths; `size` peers, of whom two are in a call. */
async function play(mode: Mode, size: number): Promise<{ told: unknown; view: TimelineView }> {
  const session = await LiveSession.start(mode);
  const peers: LivePeer[] = [];
  for (let n = 0; n < size; n++) peers.push(await session.join());
  const [one, other] = peers as [LivePeer, LivePeer];
  await connect(one, other);
  for (let n = 0; n < 3; n++) {
    const stale = { type: "candidates", to: other.id, exchange: 9, candidates: [] };
    expect((await ask(one, stale)).code).toBe("stale-negotiation");
  }
  await one.send("not json");
  await one.next("problem");
  one.socket.close(1000, "");
  await vi.waitFor(async () => {
    const { entries } = await session.read<TimelineView>("/timeline");
    expect(entries.map(({ type }) => type)).toContain("peer-lost");
  });
  const again = await session.connect(one.invitation);
  expect(again.inbox).toBeDefined();
  await again.send({ type: "leave" });
  for (const peer of peers.slice(1)) await peer.send({ type: "leave" });
  const view = await vi.waitFor(async () => {
    const last = await timelineOf(session);
    expect(last.entries.filter(({ type }) => type === "peer-left")).toHaveLength(size);
    return last;
  });
  return { told: likeness(view.entries, peers), view };
}

describe("the timeline", () => {
  it.each([2, 6])("[R4] of %i peers is the same, however often the object slept", async (size) => {
    const awake = await play("awake", size);
    const evicted = await play("evicted", size);
    expect(evicted.told).toEqual(awake.told);
    expect(evicted.view.dropped).toBe(0);
    const types = awake.view.entries.map(({ type }) => type);
    for (const type of ["offer", "answer", "candidates", "transport", "refused", "peer-resumed"]) {
      expect(types).toContain(type);
    }
    expect(awake.view.entries.find(({ type }) => type === "refused")).toMatchObject({ times: 3 });
  });

  it.each(MODES)(
    "[M15] %s: who was alone and left is remembered, though nobody else came",
    async (mode) => {
      const session = await LiveSession.start(mode);
      const peer = await session.join();
      await peer.send({ type: "leave" });
      await peer.closing();
      await session.pause();
      const { entries } = await timelineOf(session);
      expect(entries.map(({ type }) => type)).toEqual(["peer-joined", "peer-left"]);
      expect(entries[1]).toMatchObject({ peer: peer.id, reason: "left" });
    },
  );

  it.each(MODES)(
    "[M15][S7] a socket that is closed for problems is lost for them (%s)",
    async (mode) => {
      const session = await LiveSession.start(mode);
      const [one, other] = [await session.join(), await session.join()];
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
      for (let n = 0; n < 80; n++) if (!one.closed) one.socket.send("{");
      expect((await one.closing()).code).toBe(4008);
      other.socket.close(1000, "");
      await vi.waitFor(async () => {
        const { entries, verdicts } = await timelineOf(session);
        expect(entries.filter(({ type }) => type === "peer-lost")).toMatchObject([
          { peer: one.id, code: "malformed-message" },
          { peer: other.id },
        ]);
        expect(entries.at(-1)).not.toHaveProperty("code");
        expect(verdicts[0]).toMatchObject({ cause: "too-many-problems" });
        expect(verdicts[0]?.says).toMatch(/after 6\d refused/);
      });
    },
  );

  it("[R3] after an abort that takes all sockets, what rows have is there, and it goes on", async () => {
    const session = await LiveSession.start("awake");
    const [one, other] = [await session.join(), await session.join()];
    await connect(one, other);
    await abortAllDurableObjects();
    const types = (await timelineOf(session)).entries.map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(["peer-joined", "peer-joined"]);
    expect(types).toContain("answer");
    expect(types.filter((type) => type === "peer-lost")).toHaveLength(2);
  });

  it("[M20] costs no row: what fills the memory of a socket is written once", async () => {
    const session = await LiveSession.start("awake");
    const [one, other] = [await session.join(), await session.join()];
    await connect(one, other);
    const stored = await session.stored();
    for (let n = 0; n < 2; n++) {
      const stale = { type: "candidates", to: other.id, exchange: 90 + n, candidates: [] };
      await ask(one, stale);
      await ask(one, { type: "rollback", to: other.id, exchange: 9 });
    }
    const isAsBefore = (await session.stored()) === stored;
    expect(isAsBefore).toBe(true);
    for (let n = 0; n < 20; n++) {
      await ask(one, { type: "answer", to: other.id, exchange: 9, sdp: "v=0" });
      await ask(one, { type: "rollback", to: other.id, exchange: 9 });
    }
    const isWritten = (await session.stored()) !== stored;
    expect(isWritten).toBe(true);
    const { entries } = await timelineOf(session);
    expect(entries.filter(({ type }) => type === "refused")).toHaveLength(32);
  });

  it.each(MODES)(
    "[S2] %s: an observer that follows is told as things happen, entry by entry",
    async (mode) => {
      const session = await LiveSession.start(mode);
      const observer = await session.connect(
        await session.invite({ role: "observer" }),
        "?timeline=true",
      );
      const [one, other] = [await session.join(), await session.join()];
      await connect(one, other);
      await ask(one, { type: "rollback", to: other.id, exchange: 7 });
      const { entries, newest } = await timelineOf(session);
      await vi.waitFor(async () => {
        expect((await observer.all("timeline")).at(-1)?.newest).toBe(newest);
      });
      const told = (await observer.all("timeline")).flatMap((frame) => frame.entries);
      expect(told).toEqual(entries);
    },
  );

  it("[A4] a download: lines of JSON with no address, and a name", async () => {
    const session = await LiveSession.start("awake", { debug: true });
    const [one, other] = [await session.join(), await session.join()];
    await connect(one, other);
    const response = await call(`${session.path}/timeline?format=ndjson`, { headers: KEY });
    expect(response.headers.get("content-type")).toContain("application/x-ndjson");
    expect(response.headers.get("content-disposition")).toContain(`${session.id}.ndjson`);
    const lines = (await response.text()).trimEnd().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as { type: string });
    expect(entries[0]).toMatchObject({ type: "peer-joined", n: 1 });
    expect(lines.join("\n")).not.toMatch(/192\.0\.2\.|ice-pwd:(?!\*)/);
    const { descriptions } = await session.read<{ descriptions: { sdp: string }[] }>(
      "/descriptions",
    );
    expect(descriptions).toHaveLength(2);
    for (const { sdp } of descriptions) expect(sdp).toMatch(/a=ice-pwd:\*\*\*\r\n/);
  });

  it("[A2] a peer reads neither timeline nor descriptions, a query that is none is refused", async () => {
    const session = await LiveSession.start("awake");
    const peer = await session.join();
    const mine = { headers: { authorization: `Bearer ${peer.token}` } };
    for (const path of ["/timeline", "/descriptions"]) {
      expect((await call(`${session.path}${path}`, mine)).status).toBe(403);
    }
    expect((await call(`${session.path}/timeline?after=x`, { headers: KEY })).status).toBe(400);
  });

  it("[S8] of a large session is judged once for all who look at it within two seconds, of a small one each time", async () => {
    const session = await LiveSession.start("awake", { topology: "central", maxPeers: 70 });
    const server = await session.join({ role: "media-server" });
    const offer = (peer: LivePeer) =>
      ask(peer, { type: "offer", sdp: sdpOf({ of: peer.id, ufrag: `u${peer.id}` }) });
    const verdictOf = async (peer: LivePeer): Promise<string | undefined> => {
      const { verdicts, entries } = await timelineOf(session);
      expect(entries.some((entry) => "by" in entry && entry.by === peer.id)).toBe(true);
      return verdicts.find(({ peers }) => peers?.includes(peer.id))?.says;
    };
    const peers: LivePeer[] = [];
    for (let n = 0; n < 66; n++) peers.push(await session.join());
    const [first, second, third, ...others] = peers as [LivePeer, LivePeer, LivePeer];
    await offer(first);
    expect(await verdictOf(first)).toContain("waits for an answer");
    await offer(second);
    expect(await verdictOf(second)).toContain("waits for an answer");
    for (const peer of others) await offer(peer);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_000 });
    expect(await verdictOf(first)).toContain("waits for an answer");
    await offer(third);
    expect(await verdictOf(third)).toBeUndefined();
    vi.setSystemTime(Date.now() + 2_000);
    expect(await verdictOf(third)).toContain("waits for an answer");
    expect(server.closed).toBeNull();
  });

  it("[S6] is gone with its session", async () => {
    const session = await LiveSession.start("awake");
    await session.join();
    await call(session.path, { method: "DELETE", headers: KEY });
    expect((await call(`${session.path}/timeline`, { headers: KEY })).status).toBe(404);
  });
});

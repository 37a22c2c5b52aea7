import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { SessionStore } from "../durable-objects/session-store.ts";
import type { Flow } from "../protocol/flow.ts";
import type { Link, Session } from "../protocol/session.ts";
import { sdpOf } from "./descriptions.ts";
import { callJson, type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { accepted, PureSession } from "./pure-session.ts";
import { wholeFlows } from "./whole-flows.ts";

afterEach(() => reset());

/** Counts what is written, as the platform does. */
class CountedRows {
  rows = 0;
  readonly sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.sql = new Proxy(sql, {
      get: (target, name) =>
        name === "exec"
          ? (...given: Parameters<SqlStorage["exec"]>) => {
              const cursor = target.exec(...given);
              const rows = cursor.toArray();
              this.rows += cursor.rowsWritten;
              return Object.assign(rows, { toArray: () => rows });
            }
          : Reflect.get(target, name),
    });
  }

  /** Rows that an act writes. */
  of(act: () => void): number {
    const before = this.rows;
    act();
    return this.rows - before;
  }
}

const SIX = ["audio", "video", "application", "audio", "video", "audio"] as const;

/** A link of alice and bob whose exchanges each end the flows of the one before. */
class Churn {
  readonly pure = new PureSession({ sdpPolicy: "report" });
  #round = 0;

  constructor() {
    for (const peer of ["alice", "bob"]) this.pure.join(peer);
  }

  /** Every section is used again, but for the first: its flows live on. */
  next(sections: readonly (typeof SIX)[number][] = SIX): Session {
    this.#round += 1;
    const round = this.#round;
    const shape = sections.map((kind, index) => ({
      kind,
      mid: index === 0 ? "0" : `${index}r${round}`,
    }));
    const { ack } = accepted(
      this.pure.send("alice", {
        type: "offer",
        to: "bob",
        sdp: sdpOf({ version: round, sections: shape }),
      }),
    );
    accepted(
      this.pure.send("bob", {
        type: "answer",
        to: "alice",
        exchange: ack!.exchange!,
        sdp: sdpOf({ version: round, setup: "active", sections: shape }),
      }),
    );
    return this.pure.session;
  }
}

const inObject = async (
  look: (sql: SqlStorage, storage: DurableObjectStorage) => void,
): Promise<void> => {
  const session = await LiveSession.start("awake");
  await session.inside(async ({ storage }) => {
    await storage.deleteAll();
    look(storage.sql, storage);
  });
};

const theLink = (session: Session | null): Link => session!.links.get("alice~bob")!;

describe("ended flows in storage", () => {
  it("[R4] what is read back is the link as it was, in the same order", () =>
    inObject((sql) => {
      const churn = new Churn();
      const store = new SessionStore(sql);
      let before = churn.pure.session;
      store.create(before);
      store.save({ ...before, peers: new Map() }, before);
      for (let round = 0; round < 30; round++) {
        // Every so often much ends at once, or nothing new comes.
        const after = churn.next(round % 7 === 3 ? ["audio"] : SIX);
        store.save(before, after);
        before = after;
        const read = new SessionStore(sql).load();
        expect(theLink(read)).toEqual(theLink(after));
        expect(JSON.stringify(theLink(read))).toBe(JSON.stringify(theLink(after)));
        // Whoever was evicted goes on from what it reads.
        if (round % 3 === 0) {
          const woken = new SessionStore(sql);
          const session = woken.load()!;
          woken.save(session, session, new Set(["alice~bob"]));
          expect(JSON.stringify(theLink(new SessionStore(sql).load()))).toBe(
            JSON.stringify(theLink(after)),
          );
        }
      }
      expect(theLink(before).flows.flows.length).toBeGreaterThan(200);
    }));

  it("[R4] a session goes on from what was read as from what was in memory", () =>
    inObject((sql) => {
      const churn = new Churn();
      let store = new SessionStore(sql);
      let stored = churn.pure.session;
      store.create(stored);
      for (let round = 0; round < 20; round++) {
        const after = churn.next();
        store.save(stored, after);
        store = new SessionStore(sql);
        stored = store.load()!;
        churn.pure.session = { ...after, links: stored.links };
        stored = churn.pure.session;
      }
      const rows = sql.exec<{ count: number }>("SELECT count(*) AS count FROM ended_flow").one();
      expect(rows.count).toBeGreaterThan(5);
      expect(JSON.stringify(theLink(new SessionStore(sql).load()))).toBe(
        JSON.stringify(theLink(churn.pure.session)),
      );
    }));

  it("[M20] a change writes one row, and one more for every sixteen flows that ended", () =>
    inObject((sql) => {
      const churn = new Churn();
      const counted = new CountedRows(sql);
      const store = new SessionStore(counted.sql);
      let before = churn.next();
      store.create(before);
      store.save({ ...before, links: new Map() }, before);
      const sizes: number[] = [];
      let written = 0;
      const rounds = 40;
      for (let round = 0; round < rounds; round++) {
        const after = churn.next();
        const rows = counted.of(() => store.save(before, after));
        // The table is made once.
        expect(rows).toBeLessThanOrEqual(4);
        written += rows;
        before = after;
        const [{ size }] = sql
          .exec<{ size: number }>("SELECT sum(length(json)) AS size FROM link")
          .toArray() as [{ size: number }];
        sizes.push(size);
      }
      const ended = theLink(before).flows.flows.filter(({ state }) => state === "ended").length;
      expect(ended).toBe(rounds * 10);
      expect(written).toBeLessThanOrEqual(rounds + Math.ceil(ended / 16) + 2);
      // A change of one flow writes the row of the link and nothing else, however much has ended.
      const flow = theLink(before).flows.flows.find(({ state }) => state !== "ended") as Flow;
      churn.pure.session = before;
      accepted(
        churn.pure.do({
          type: "change-flow",
          flow: flow.id,
          change: { held: true },
          at: churn.pure.at,
        }),
      );
      expect(counted.of(() => store.save(before, churn.pure.session))).toBe(1);
      // The row of the link does not grow with what has ended.
      expect(sizes.at(-1)!).toBeLessThan(2 * Math.max(...sizes.slice(0, 5)));
    }));

  it("[R4] a write that failed is made good by the next", () =>
    inObject((sql, storage) => {
      const churn = new Churn();
      let isFull = false;
      const failing = new Proxy(sql, {
        get: (target, name) =>
          name === "exec"
            ? (query: string, ...values: unknown[]) => {
                if (isFull && query.startsWith("INSERT INTO link")) throw new Error("disk full");
                return target.exec(query, ...values);
              }
            : Reflect.get(target, name),
      });
      const store = new SessionStore(failing);
      let before = churn.pure.session;
      store.create(before);
      for (let round = 0; round < 12; round++) {
        const after = churn.next();
        const save = () => storage.transactionSync(() => store.save(before, after));
        isFull = true;
        expect(save).toThrow("disk full");
        isFull = false;
        save();
        before = after;
        expect(JSON.stringify(theLink(new SessionStore(sql).load()))).toBe(
          JSON.stringify(theLink(after)),
        );
      }
    }));

  it("[N8] rows of flows that the link has forgotten are erased", () =>
    inObject((sql) => {
      const many = Array.from({ length: 250 }, () => "audio" as const);
      const churn = new Churn();
      const store = new SessionStore(sql);
      let before = churn.pure.session;
      store.create(before);
      for (let round = 0; round < 12; round++) {
        const after = churn.next(many);
        store.save(before, after);
        before = after;
      }
      const { flows } = theLink(before).flows;
      const firsts = sql
        .exec<{ first: number }>("SELECT DISTINCT first FROM ended_flow ORDER BY first")
        .toArray();
      expect(firsts[0]?.first).toBeGreaterThan(0);
      const read = theLink(new SessionStore(sql).load());
      expect(read.flows.flows.map(({ id }) => id)).toEqual(flows.map(({ id }) => id));
      expect(JSON.stringify(read)).toBe(JSON.stringify(theLink(before)));
    }));

  it("[R4] a long text is cut between characters", () =>
    inObject((sql) => {
      const churn = new Churn();
      const store = new SessionStore(sql);
      const before = churn.next();
      store.create(before);
      const link = theLink(before);
      for (const lead of ["", "x"]) {
        const sdp = `${lead}${"😀".repeat(400_000)}`;
        const long: Link = { ...link, inForce: { ...link.inForce!, offer: { sdp } } };
        store.save(before, { ...before, links: new Map([[link.id, long]]) });
        expect(theLink(new SessionStore(sql).load()).inForce!.offer.sdp === sdp).toBe(true);
      }
    }));
});

describe.each(MODES)("%s", (mode) => {
  async function negotiate(alice: LivePeer, bob: LivePeer, round: number): Promise<void> {
    const sections = SIX.map((kind, index) => ({
      kind,
      mid: index === 0 ? "0" : `${index}r${round}`,
    }));
    const ack = await alice.request({
      type: "offer",
      id: round,
      to: bob.id,
      sdp: sdpOf({ version: round, sections }),
    } as never);
    const { exchange } = ack as { exchange: number };
    const answer = sdpOf({ version: round, setup: "active", sections });
    await bob.request({
      type: "answer",
      id: round,
      to: alice.id,
      exchange,
      sdp: answer,
    } as never);
  }

  it("[R4] many ended flows stay readable, whoever was evicted meanwhile", async () => {
    const session = await LiveSession.start(mode, { sdpPolicy: "report" });
    const alice = await session.join();
    const bob = await session.join();
    const known = new Map<string, Flow>();
    for (let round = 1; round <= 8; round++) await negotiate(alice, bob, round);
    for (const { changed } of await alice.all("flows")) {
      for (const flow of wholeFlows(changed)) known.set(flow.id, flow);
    }
    await session.pause();
    const bearer = { authorization: `Bearer ${alice.token}` };
    const response = await callJson(`${session.path}/flows`, "GET", undefined, bearer);
    const read = ((await response.json()) as { flows: Flow[] }).flows;
    expect(read).toEqual([...known.values()]);
    expect(read.filter(({ state }) => state === "ended")).toHaveLength(70);
    // Nothing is left of them when the session is over.
    expect((await callJson(session.path, "DELETE")).status).toBe(204);
    const tables = await session.inside((state) =>
      state.storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name IN ('session', 'link', 'ended_flow')")
        .toArray(),
    );
    expect(tables).toEqual([]);
  });
});

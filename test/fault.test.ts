import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { faultRecord } from "../protocol/fault.ts";
import type { TimelineView } from "../protocol/timeline/view.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { callJson, LiveSession } from "./live-session.ts";
import { secretLines } from "./secret-patterns.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

describe("faults", () => {
  it("[A4] the log says where, never what it was about", () => {
    const record = faultRecord("id-1", new TypeError(`secret ${sdpOf()}`));
    expect(record).toMatchObject({ fault: "id-1", name: "TypeError" });
    expect(record.frames.length).toBeGreaterThan(0);
    expect(JSON.stringify(record)).not.toMatch(/secret|ice-pwd/);
    expect(faultRecord("id-2", "thrown text")).toEqual({
      fault: "id-2",
      name: "string",
      frames: [],
    });
  });

  it("[A4] a fault without a stack, with one that leaves the message out, or with a name that is a text", () => {
    const bare = new Error("secret");
    delete (bare as { stack?: string }).stack;
    expect(faultRecord("id-1", bare).frames).toEqual([]);
    const short = new Error("secret");
    short.stack = "    at step (file:///duplex/index.js:12:34)";
    expect(faultRecord("id-2", short).frames).toEqual(["at step (file:///duplex/index.js:12:34)"]);
    const named = Object.assign(new Error("secret"), { name: "a secret, too" });
    expect(faultRecord("id-3", named)).toMatchObject({ fault: "id-3", name: "Error" });
  });

  it("[S8] a fault in one message closes its sender with 1011 and an opaque id; the session lives", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    const bob = await session.join();
    // What breaks is our own storage, in the middle of saving.
    const put = await session.inside(({ storage: { kv } }) =>
      vi.spyOn(Object.getPrototypeOf(kv) as SyncKvStorage, "put").mockImplementation(() => {
        throw new Error(`no room for ${sdpOf()}`);
      }),
    );
    await alice.send({ type: "offer", to: bob.id, sdp: sdpOf() });
    const problem = await alice.next("problem");
    expect(problem).toMatchObject({ code: "internal-fault", status: 500 });
    const { code, reason } = await alice.closing();
    expect(code).toBe(1011);
    expect(problem.detail).toBe(`fault ${reason}`);
    expect(logged.mock.calls.join()).toContain(reason);
    expect(logged.mock.calls.join()).not.toMatch(/ice-pwd|ice-ufrag/);
    put.mockRestore();
    const back = await session.connect(alice.invitation);
    await bob.settled();
    expect(bob.closed).toBeNull();
    expect(await bob.all("offer")).toEqual([]);
    await back.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    expect(await bob.next("offer")).toMatchObject({ exchange: 1 });
  });
});

it("[M15] a fault that storage survives is in the timeline, by the id that its peer was told", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const session = await LiveSession.start("awake");
  const [alice, bob] = [await session.join(), await session.join()];
  await session.inside(({ storage: { kv } }) => {
    vi.spyOn(Object.getPrototypeOf(kv) as SyncKvStorage, "put").mockImplementationOnce(() => {
      throw new Error("once");
    });
  });
  await alice.send({ type: "offer", to: bob.id, sdp: sdpOf() });
  const { reason } = await alice.closing();
  const { entries } = await session.read<TimelineView>("/timeline");
  expect(entries).toContainEqual(expect.objectContaining({ type: "fault", fault: reason }));
});

describe("a row that cannot be read", () => {
  it("[A4] is quoted nowhere: neither in the log, nor in what is thrown to the runtime, which logs it too", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const session = await LiveSession.start("evicted");
    const alice = await session.join();
    await session.rewrite(() => sdpOf());
    await session.pause();
    const opaque = /^fault [0-9a-f-]{36}$/;
    const thrown = await Promise.resolve(session.stub.view(undefined)).catch(
      ({ message }) => message,
    );
    expect(thrown).toMatch(opaque);
    const rung = await session.alarm().catch(({ message }) => message);
    expect(rung).toMatch(opaque);
    expect(await (await session.upgrade(alice.token)).json()).toMatchObject({
      code: "internal-fault",
      detail: expect.stringMatching(opaque),
    });
    await alice.send({ type: "state", id: 1 });
    expect((await alice.closing()).code).toBe(1011);
    // The first of them is the fault itself: what follows has its id.
    expect(logged.mock.calls.join()).toContain(String(thrown).slice("fault ".length));
    expect(secretLines(logged.mock.calls.join("\n"))).toEqual([]);
  });
});

describe("logs", () => {
  it("[A4] a call, its problems and refused tokens leave no SDP, candidate, address or token in them", async () => {
    const said: unknown[] = [];
    for (const level of ["log", "info", "warn", "error", "debug"] as const) {
      vi.spyOn(console, level).mockImplementation((...words) => void said.push(...words));
    }
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    const bob = await session.join();
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    await alice.request({
      type: "candidates",
      id: 2,
      to: bob.id,
      exchange: 1,
      candidates: [candidateOf(1)],
    } as never);
    await alice.request({ type: "offer", id: 3, to: bob.id, sdp: "v=0 broken" } as never);
    await alice.send("{broken");
    await session.upgrade("not-a-token");
    await callJson(`${session.path}/peers`, "POST", { name: 5 });
    await alice.settled();
    const text = said
      .map((words) => (typeof words === "string" ? words : JSON.stringify(words)))
      .join("\n");
    expect(secretLines(text, [], [alice.token, "not-a-token", "test-key"])).toEqual([]);
  });
});

import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ManagedState } from "../adapters/managed-state.ts";
import { offeredSections } from "../adapters/offered-media.ts";
import type { ManagedMemory } from "../durable-objects/managed-row.ts";
import { ManagedSfu } from "../durable-objects/managed-sfu.ts";
import { SessionObject } from "../durable-objects/session-object.ts";
import type { Flow } from "../protocol/flow.ts";
import { sdpOf } from "./descriptions.ts";
import { call, callJson, type LivePeer, LiveSession, MODES, type Mode } from "./live-session.ts";
import { Meter } from "./meter.ts";
import { checkBody } from "./realtime-schemas.ts";
import { RealtimeStandIn, STAND_IN } from "./realtime-stand-in.ts";

/** Sessions whose media a managed SFU carries, over the real doors: only the SFU is a stand-in. */

const variables = env as unknown as Record<string, unknown>;
const ON = {
  MEDIA_BACKEND: "cloudflare",
  CLOUDFLARE_SFU_APP_ID: STAND_IN.appId,
  CLOUDFLARE_SFU_APP_SECRET: STAND_IN.appSecret,
};

let standIn: RealtimeStandIn;

beforeEach(() => {
  Object.assign(variables, ON);
  standIn = new RealtimeStandIn(checkBody);
  vi.stubGlobal("fetch", standIn.fetch);
});

afterEach(async () => {
  vi.restoreAllMocks();
  switchOff();
  await reset();
  vi.unstubAllGlobals();
});

function switchOff(): void {
  for (const name of Object.keys(ON)) delete variables[name];
}

const sfuOf = ({ id }: LiveSession): DurableObjectStub<ManagedSfu> =>
  (env as unknown as { MANAGED_SFUS: DurableObjectNamespace<ManagedSfu> }).MANAGED_SFUS.getByName(
    id,
  );

const rowsOf = (session: LiveSession): Promise<number> =>
  runInDurableObject(sfuOf(session), (_object, { storage }) => [...storage.kv.list()].length);

const media = (of: string, direction: "sendonly" | "recvonly"): string =>
  sdpOf({
    of,
    sections: [
      { kind: "audio", direction },
      { kind: "video", direction },
    ],
  });

const flowsOf = async (session: LiveSession): Promise<Flow[]> =>
  (await session.read<{ flows: Flow[] }>("/flows")).flows;

/** What the object has written. */
const stateOf = (session: LiveSession): Promise<ManagedState | undefined> =>
  runInDurableObject(sfuOf(session), (_object, { storage }) => {
    const rows = [...storage.kv.list<string>()].map(([, part]) => part);
    return rows.length === 0 ? undefined : (JSON.parse(rows.join("")) as ManagedMemory).state;
  });

/** Nothing is under way between session, object and SFU. */
async function quiet(session: LiveSession): Promise<void> {
  await vi.waitFor(async () => {
    const { contexts = {}, links = {} } = (await stateOf(session)) ?? {};
    expect(Object.values(links).filter(({ calling, remote }) => calling ?? remote)).toEqual([]);
    expect(Object.values(contexts).filter(({ told, revision }) => told < revision)).toEqual([]);
    expect(Object.keys(contexts)).toHaveLength((await flowsOf(session)).length);
  }, 10_000);
}

/** Both objects forget what is in memory only, as they do whenever nothing happens for a while. */
async function pause(session: LiveSession): Promise<void> {
  if (session.mode === "awake") return;
  await quiet(session);
  await vi.waitFor(async () => {
    await session.pause();
  });
  await evictDurableObject(sfuOf(session)).catch((thrown: unknown) => {
    if (!String(thrown).includes("not currently running")) throw thrown;
  });
}

async function post(session: LiveSession, door: "whip" | "whep", of: string) {
  await pause(session);
  const { peer, token } = await session.invite();
  const response = await call(`${session.path}/${door}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/sdp" },
    body: media(of, door === "whip" ? "sendonly" : "recvonly"),
  });
  const text = new TextDecoder().decode(await response.arrayBuffer());
  const url = new URL(response.headers.get("location") ?? "https://none.test/").pathname;
  return { id: peer.id, status: response.status, text, url };
}

const central = (mode: Mode = "awake", more: object = {}): Promise<LiveSession> =>
  LiveSession.start(mode, { topology: "central", ...more });

const peersOf = async (session: LiveSession) =>
  (await session.read<{ peers: { id: string; role: string }[] }>("/peers")).peers;

describe.each(MODES)("a session with a managed SFU, %s", (mode) => {
  it("[C1][M7] WHIP publishes, two players play, and nothing is left when the session ends", async () => {
    const session = await central(mode);
    const cam = await post(session, "whip", "cam");
    expect([cam.status, cam.text]).toEqual([201, expect.stringContaining("a=recvonly")]);
    const players = [await post(session, "whep", "ann"), await post(session, "whep", "ben")];
    for (const { status, text } of players) {
      expect([status, text]).toEqual([201, expect.stringContaining("a=sendonly")]);
    }
    await pause(session);
    await vi.waitFor(async () => {
      const flows = await flowsOf(session);
      const sent = flows.filter(({ from }) => from === cam.id).map(({ id }) => id);
      expect(sent).toHaveLength(2);
      for (const { id } of players) {
        const played = flows.filter(({ to }) => to === id);
        expect(played.map(({ sourceFlows }) => sourceFlows)).toEqual(sent.map((flow) => [flow]));
      }
    });
    expect(standIn.active()).toHaveLength(6);
    await pause(session);
    expect((await callJson(session.path, "DELETE")).status).toBe(204);
    await vi.waitFor(async () => {
      expect(standIn.active()).toEqual([]);
      expect(await rowsOf(session)).toBe(0);
    });
    expect(standIn.complaints).toEqual([]);
  });
});

const offerOf = (of: string): string => media(of, "sendonly");

/** A native peer publishes, without naming the media server. */
async function publish(session: LiveSession, of: string): Promise<LivePeer> {
  const peer = await session.join();
  const end = { candidates: [], complete: true };
  const reply = await peer.request({ id: 1, type: "offer", sdp: offerOf(of) } as { id: number });
  const { exchange = 0 } = reply.type === "ack" ? reply : {};
  await peer.send({ type: "candidates", exchange, ...end });
  expect((await peer.next("answer")).from).toBe("managed-sfu");
  return peer;
}

async function nothingIsLeft(session: LiveSession): Promise<void> {
  expect((await callJson(session.path, "DELETE")).status).toBe(204);
  await vi.waitFor(async () => {
    expect(standIn.active()).toEqual([]);
    expect(await rowsOf(session)).toBe(0);
  });
  expect(standIn.complaints).toEqual([]);
}

describe("native peers", () => {
  it("[C1][M7] publish to the managed SFU and are offered what others send", async () => {
    const session = await central();
    const alice = await publish(session, "alice");
    const bob = await session.join({ publish: [] });
    const { sdp, exchange, from } = await bob.next("offer");
    const sections = (offeredSections(sdp) ?? []).map(
      ({ mid, kind }) => ({ mid, kind, direction: "recvonly" }) as const,
    );
    expect(sections.map(({ kind }) => kind)).toEqual(["audio", "video"]);
    const answer = sdpOf({ of: "bob", setup: "active", sections });
    await bob.send({ type: "answer", to: from, exchange, sdp: answer });
    await bob.send({ type: "candidates", to: from, exchange, candidates: [], complete: true });
    await vi.waitFor(async () => {
      const flows = await flowsOf(session);
      const received = flows.filter(({ to }) => to === bob.id);
      const sent = flows.filter((flow) => flow.from === alice.id).map(({ id }) => [id]);
      expect(received.map(({ sourceFlows }) => sourceFlows)).toEqual(sent);
      expect(standIn.active()).toHaveLength(4);
    });
    await nothingIsLeft(session);
  });

  it("[A2] a media server with a socket goes before it; when that has left, it is the managed one's turn again", async () => {
    const session = await central();
    const sfu = await session.join({ role: "media-server" });
    const alice = await session.join();
    await alice.send({ type: "offer", sdp: offerOf("alice") });
    expect((await sfu.next("offer")).from).toBe(alice.id);
    expect(standIn.calls).toEqual([]);
    await sfu.send({ type: "leave" });
    await sfu.closing();
    expect((await post(session, "whip", "cam")).status).toBe(201);
    await nothingIsLeft(session);
  });
});

describe("where no managed SFU is", () => {
  it("[M20] a mesh session has none, nor has one that was made before, or is made after", async () => {
    const mesh = await LiveSession.start("awake");
    expect(await peersOf(mesh)).toEqual([]);
    switchOff();
    const session = await central();
    Object.assign(variables, ON);
    expect(await peersOf(session)).toEqual([]);
    expect((await post(session, "whip", "cam")).status).toBe(503);
    expect(await rowsOf(session)).toBe(0);
  });

  it("[M19] it leaves the sessions of a deployment that has switched it off", async () => {
    const session = await central();
    expect(await peersOf(session)).toEqual([
      expect.objectContaining({ role: "media-server", managed: true }),
    ]);
    switchOff();
    const alice = await session.join();
    expect(await alice.next("peer-left")).toMatchObject({ peer: "managed-sfu", reason: "left" });
    expect((await post(session, "whip", "cam")).status).toBe(503);
  });

  it("[M19] what it had in rows is forgotten when there is nobody to ask", async () => {
    const session = await central("evicted");
    expect((await post(session, "whip", "cam")).status).toBe(201);
    await pause(session);
    switchOff();
    expect(await rowsOf(session)).toBe(1);
    await callJson(session.path, "DELETE");
    await vi.waitFor(async () => expect(await rowsOf(session)).toBe(0));
  });

  it("[A1] kicked, it closes what it has, and the session goes on without", async () => {
    const session = await central();
    expect((await post(session, "whip", "cam")).status).toBe(201);
    expect((await callJson(`${session.path}/peers/managed-sfu`, "DELETE")).status).toBe(204);
    await vi.waitFor(async () => {
      expect(standIn.active()).toEqual([]);
      expect(await rowsOf(session)).toBe(0);
    });
    expect((await post(session, "whip", "cam2")).status).toBe(503);
  });

  it("[S6] a session without anybody else ends", async () => {
    const session = await central("awake", { emptyTtlSeconds: 1 });
    await vi.waitFor(async () => expect((await call(session.path)).status).toBe(401));
    await vi.waitFor(
      async () => expect((await callJson(session.path, "GET")).status).toBe(404),
      10_000,
    );
    expect(await rowsOf(session)).toBe(0);
  });
});

it("[M20] a publisher and a player cost so many rows and requests", async () => {
  const session = await central();
  const meter = await Meter.start(session);
  const bill = await meter.of(async () => {
    await post(session, "whip", "cam");
    await post(session, "whep", "ann");
    await quiet(session);
  });
  meter.stop();
  // A session and its media for each; an alarm asks after them later.
  expect(standIn.calls).toHaveLength(4);
  expect(bill.rowsWritten).toBeLessThanOrEqual(22);
  await nothingIsLeft(session);
});

describe("what goes wrong", () => {
  it("[W3][S8] an SFU that is down refuses who comes, and takes them when it is back", async () => {
    const session = await central();
    const alice = await session.join();
    for (let call = 0; call < 4; call += 1) {
      standIn.plant({ on: "/sessions/new", kind: "500", effect: false });
    }
    const { status, text } = await post(session, "whip", "cam");
    expect([status, JSON.parse(text)]).toMatchObject([
      422,
      { code: "offer-rejected", detail: "the SFU answered 500" },
    ]);
    await alice.settled();
    expect(alice.closed).toBeNull();
    expect((await post(session, "whip", "cam")).status).toBe(201);
    await nothingIsLeft(session);
  });

  it("[W3][S8] an SFU that does not answer is waited for as long as a client waits", async () => {
    const session = await central();
    const slow = Promise.withResolvers<unknown>();
    standIn.plant({ on: "/tracks/new", kind: "slow", until: slow.promise });
    const { status, text } = await post(session, "whip", "cam");
    expect([status, JSON.parse(text)]).toMatchObject([504, { code: "media-server-timeout" }]);
    slow.resolve(undefined);
    expect((await post(session, "whip", "cam")).status).toBe(201);
    await nothingIsLeft(session);
  });

  it("[R2] what did not get to its object is told again", async () => {
    const session = await central();
    vi.spyOn(ManagedSfu.prototype, "take").mockRejectedValueOnce(new Error("moved"));
    expect((await post(session, "whip", "cam")).status).toBe(201);
    await nothingIsLeft(session);
  });

  it("[R2] an object that fails for long is told when it works again", async () => {
    const session = await central();
    const log = vi.spyOn(console, "error").mockReturnValue(undefined);
    const take = vi.spyOn(ManagedSfu.prototype, "take").mockRejectedValue(new Error("broken"));
    const alice = await session.join();
    await vi.waitFor(() => expect(log).toHaveBeenCalledTimes(1));
    expect(take).toHaveBeenCalledTimes(3);
    take.mockRestore();
    await alice.send({ type: "offer", sdp: `${offerOf("alice")}a=end-of-candidates\r\n` });
    await alice.next("answer");
    await nothingIsLeft(session);
  });

  it("[R2] what did not get to the session is said again", async () => {
    const session = await central();
    vi.spyOn(SessionObject.prototype, "hear").mockRejectedValueOnce(new Error("moved"));
    expect((await post(session, "whip", "cam")).status).toBe(201);
    await nothingIsLeft(session);
  });

  it("[S8] a session that fails for long leaves its object and the next client unharmed", async () => {
    const session = await central();
    const log = vi.spyOn(console, "error").mockReturnValue(undefined);
    const hear = vi.spyOn(SessionObject.prototype, "hear").mockRejectedValue(new Error("broken"));
    const { status } = await post(session, "whip", "cam");
    expect(status).toBe(504);
    expect(log).toHaveBeenCalled();
    hear.mockRestore();
    expect((await post(session, "whip", "cam2")).status).toBe(201);
    await nothingIsLeft(session);
  });

  it("[S6] an end that is not told is noticed with the next word", async () => {
    const session = await central();
    const log = vi.spyOn(console, "error").mockReturnValue(undefined);
    const end = vi.spyOn(ManagedSfu.prototype, "end").mockRejectedValue(new Error("broken"));
    expect((await post(session, "whip", "cam")).status).toBe(201);
    await callJson(session.path, "DELETE");
    await vi.waitFor(() => expect(log).toHaveBeenCalledTimes(1));
    end.mockRestore();
    const probe = { type: "probe", n: 1 } as const;
    await runInDurableObject(sfuOf(session), (object) => object.take(session.id, [probe]));
    await vi.waitFor(async () => {
      expect(standIn.active()).toEqual([]);
      expect(await rowsOf(session)).toBe(0);
    });
  });

  it("[S6] what cannot be closed at once is closed when the SFU is back", async () => {
    const session = await central();
    expect((await post(session, "whip", "cam")).status).toBe(201);
    for (let call = 0; call < 4; call += 1) {
      standIn.plant({ on: "/tracks/close", kind: "500", effect: false });
    }
    await callJson(session.path, "DELETE");
    await vi.waitFor(() => expect(standIn.faults).toEqual([]), 10_000);
    await pause(session);
    expect(await rowsOf(session)).toBe(1);
    await vi.waitFor(async () => {
      await evictDurableObject(sfuOf(session)).catch(() => undefined);
      expect(standIn.active()).toEqual([]);
      expect(await rowsOf(session)).toBe(0);
    }, 20_000);
  });

  it("[D1] what the SFU says that cannot be read goes to nobody", async () => {
    const session = await central();
    const fetch = standIn.fetch;
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      const answer = await (await fetch(url, init)).text();
      return new Response(answer.replace("v=0", "v=1"));
    });
    const { status, text } = await post(session, "whip", "cam");
    expect([status, JSON.parse(text)]).toMatchObject([
      422,
      { detail: expect.stringContaining("a description must begin with v=0") },
    ]);
    await nothingIsLeft(session);
  });
});

import { isDeepStrictEqual } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "../../network-mock/faults.ts";
import type { LogEntry } from "../../network-mock/log.ts";
import { AssistedPlace } from "./assisted-call.ts";
import type { BrowserName } from "./browsers.ts";
import { type Backend, type Caller, type CallerOptions, until } from "./caller.ts";

/** Calls of real browsers over a real TURN server, and what a mobile network was asked for them. */

let place: AssistedPlace;

beforeAll(async () => {
  place = await AssistedPlace.open();
}, 120_000);

afterAll(async () => {
  expect(await place.close()).toEqual([]);
});

/** Calls that are not over: that of a test which failed is none of the next one's. */
const running = new Set<Call>();

afterEach(async () => {
  const { defects } = place.mock;
  for (const call of running) await hangUp(call);
  place.mock.reset();
  expect(defects).toEqual([]);
});

/** What the network was asked, by its own log. */
const asked = (operation: string): readonly LogEntry[] =>
  place.mock.log.filter((entry) => entry.way === "in" && entry.operation === operation);

const answerOf = (entry: LogEntry | undefined) => entry?.answer as Record<string, unknown>;

interface Call {
  readonly backend: Backend;
  readonly alice: Caller;
  readonly bob: Caller;
}

async function called(
  network: string,
  options: CallerOptions = {},
  other: CallerOptions = { relay: true },
  name: BrowserName = "chromium",
): Promise<Call> {
  const backend = await place.session();
  const browser = name === "firefox" ? await place.firefox() : place.browser;
  const alice = await place.join(backend, network, options, browser);
  const bob = await place.join(backend, undefined, other);
  const call = { backend, alice, bob };
  running.add(call);
  await Promise.all([alice.receives(bob.id, other.kinds), bob.receives(alice.id, options.kinds)]);
  return call;
}

async function hangUp(call: Call): Promise<void> {
  running.delete(call);
  await Promise.all([call.alice.close(), call.bob.close()]);
  await place.end(call.backend);
}

async function over(call: Call): Promise<void> {
  await hangUp(call);
  const isEmpty = () => place.mock.resources().length === 0;
  // What an answer that was lost has left behind is looked for when it can have no effect any more.
  await until("nothing is left in the network", isEmpty, 90_000);
}

/** The local end of the selected pair, as the browser has it. */
const localEnd = async (caller: Caller, other: Caller) =>
  (await caller.stats(other.id)).pair?.local;

const created = (): LogEntry => {
  const [one, ...others] = asked("createSession").filter(({ status }) => status === 201);
  expect(others).toEqual([]);
  if (!one) throw new Error("nothing was created");
  return one;
};

const removedAll = (): boolean =>
  asked("deleteSession").filter(({ status }) => status === 204).length ===
  asked("createSession").filter(({ status }) => status === 201).length;

describe("a relayed call in a network with quality on demand", () => {
  it.each(["chromium", "firefox"] as const)(
    "[M13] of two that may only relay, of %s: the session is for the TURN server and its port, and is gone at the end",
    async (name) => {
      const call = await called("phones", { relay: true }, { relay: true }, name);
      const applicationServerPorts = { ports: [place.turn.port] };
      await until("the session is for the port of the TURN server", () => {
        const [{ body } = {}] = place.mock.resources();
        return isDeepStrictEqual(body?.applicationServerPorts, applicationServerPorts);
      });
      const [request] = await place.settled(call.backend, "granted");
      expect(created().body).toMatchObject({
        device: { phoneNumber: "+15550100123" },
        applicationServer: { ipv4Address: "127.0.0.1" },
        applicationServerPorts,
        qosProfile: "QOS_L",
        duration: 600,
      });
      expect(request?.resource).toBe(answerOf(created()).sessionId);
      const { flows } = await call.backend.flows();
      expect(flows).toHaveLength(4);
      const untilOf = async (id: string) =>
        (await call.backend.flow(id)).assistance?.[call.alice.id]?.granted?.until;
      for (const { id, assistance } of flows) {
        // Networks that tell of a session say no time: it is looked up.
        await until("when it ends is known", async () => (await untilOf(id)) !== undefined);
        expect(Object.keys(assistance ?? {})).toEqual([call.alice.id]);
        expect(assistance?.[call.alice.id]).toMatchObject({
          network: "phones",
          state: "granted",
          granted: { profile: "QOS_L" },
        });
      }
      // The network said so by itself, at the address that it was given, with the token.
      const told = place.mock.log.filter(({ way, status }) => way === "out" && status === 204);
      expect(told.length).toBeGreaterThan(0);
      await over(call);
      expect(asked("deleteSession").map(({ status }) => status)).toEqual([204]);
      // It writes its log when it has some of it.
      const isThere = () => place.turn.log().includes(`local 127.0.0.1:${place.turn.port}`);
      await until("the TURN server says the same port", isThere);
    },
  );

  it("[M13] of a network that grants little time: it is extended again and again", async () => {
    const voice: CallerOptions = { relay: true, kinds: ["audio"] };
    const call = await called("brief", voice, voice);
    await place.settled(call.backend, "granted");
    const extended = () => asked("extendQosSessionDuration").filter(({ status }) => status === 200);
    await until("extended twice", () => extended().length >= 2);
    expect(asked("createSession")).toHaveLength(1);
    await over(call);
  });

  it("[M13] that is renegotiated: the session is for what is sent then, and there is one at a time", async () => {
    const voice: CallerOptions = { relay: true, kinds: ["audio"] };
    const call = await called("tiers", voice, voice);
    const profiles = () => place.mock.resources("camara-qod").map(({ body }) => body.qosProfile);
    const isFor = (profile: string) =>
      until(`one session of ${profile}`, () => isDeepStrictEqual(profiles(), [profile]), 60_000);
    await isFor("QOS_S");
    await call.alice.publishCanvas("slides");
    await isFor("QOS_L");
    await place.settled(call.backend, "granted");
    await call.alice.unpublish("slides");
    await isFor("QOS_S");
    await place.settled(call.backend, "granted");
    for (const { body } of asked("createSession")) {
      expect(body).toMatchObject({
        applicationServer: { ipv4Address: "127.0.0.1" },
        applicationServerPorts: { ports: [place.turn.port] },
      });
    }
    await over(call);
    expect(removedAll()).toBe(true);
  });

  it.each(["chromium", "firefox"] as const)(
    "[M13] of %s, the other one relays: addresses and ports of the session are those that the browsers use",
    async (name) => {
      const call = await called("qod", {}, { relay: true }, name);
      // ICE may change its mind, and the session follows.
      await followsPair(call);
      await over(call);
    },
  );

  it("[M13] follows holds, resumes and ICE restarts", async () => {
    const call = await called("qod");
    await followsPair(call);
    const { flows } = await call.backend.flows();
    for (const { id } of flows) await call.backend.change(id, { held: true });
    await until("nothing is held for what is held", () => place.mock.resources().length === 0);
    expect((await call.backend.flow(flows[0]?.id ?? "")).assistance?.[call.alice.id]).toMatchObject(
      {
        state: "waiting",
        reason: "media",
      },
    );
    for (const { id } of flows) await call.backend.change(id, { held: false });
    await followsPair(call);

    const before = await localEnd(call.alice, call.bob);
    await call.alice.page.evaluate((peer) => window.call.session.restartIce(peer), call.bob.id);
    await until("another port", async () => {
      const end = await localEnd(call.alice, call.bob);
      return end !== undefined && end.port !== before?.port;
    });
    await followsPair(call);
    await over(call);
    expect(removedAll()).toBe(true);
  });
});

/** Waits for it; what is there instead is told. */
const followsPair = (call: Call): Promise<void> =>
  until("the session is that of the selected pair", () => isOfPair(call)).catch(
    async (thrown: unknown) => {
      const pairs = [await localEnd(call.alice, call.bob), await localEnd(call.bob, call.alice)];
      const { transports } = await call.backend.flows();
      const seen = [pairs, place.mock.resources(), await place.requests(call.backend), transports];
      throw new Error(`${String(thrown)}: ${JSON.stringify(seen)}`);
    },
  );

/** What lives in the network is for the addresses and ports that the browsers use now. */
async function isOfPair({ alice, bob }: Call): Promise<boolean> {
  const own = await localEnd(alice, bob);
  const relay = await localEnd(bob, alice);
  expect(relay?.candidateType).toBe("relay");
  const [resource, ...others] = place.mock.resources("camara-qod");
  if (!resource || others.length > 0 || !own || !relay) return false;
  const { device, applicationServer, applicationServerPorts, devicePorts } = resource.body as {
    device: { ipv4Address: { publicAddress: string; publicPort: number } };
    applicationServer: { ipv4Address: string };
    applicationServerPorts: { ports: number[] };
    devicePorts: { ports: number[] };
  };
  return (
    device.ipv4Address.publicAddress === own.address &&
    device.ipv4Address.publicPort === own.port &&
    devicePorts.ports.join() === String(own.port) &&
    applicationServer.ipv4Address === relay.address &&
    applicationServerPorts.ports.join() === String(relay.port)
  );
}

describe("a call in a network with a NEF or an RTC AF", () => {
  const direct: CallerOptions = {};

  it("[M13] a dynamic policy follows what is renegotiated, by m-section", async () => {
    const call = await called("af", direct, direct);
    // The policy, and the session for recommendations.
    await place.settled(call.backend, "granted", 2);
    const sections = (): string[] => {
      const [policy] = place.mock.resources("rtc-af").filter(({ kind }) => kind === "policy");
      const { applicationFlowBindings = [] } = (policy?.body ?? {}) as {
        applicationFlowBindings?: { componentReference: string }[];
      };
      return [...new Set(applicationFlowBindings.map((each) => each.componentReference))].sort();
    };
    expect(sections().length).toBeGreaterThan(0);
    const before = sections().join();
    await call.alice.publishCanvas("slides");
    await until(
      "the new section is in the policy",
      () => sections().length > before.split(",").length,
    );
    await call.alice.unpublish("slides");
    await until("it is gone from the policy", () => sections().join() === before).catch(
      async (thrown: unknown) => {
        const seen = [
          before,
          sections(),
          place.mock.resources(),
          await place.requests(call.backend),
        ];
        throw new Error(`${String(thrown)}: ${JSON.stringify([seen, await call.backend.flows()])}`);
      },
    );
    await over(call);
  });

  it("[M13] quality that is not guaranteed lowers the measured bit rate, and its recovery raises it", async () => {
    const call = await called("nef", { width: 1280, height: 720 }, direct);
    await place.settled(call.backend, "granted");
    const { flows } = await call.backend.flows("?kind=video");
    const { mid = "", id = "" } = flows.find(({ from }) => from === call.alice.id) ?? {};
    const rate = () => call.alice.sendingBps(call.bob.id, mid, 1000);
    await until("the usual rate", async () => (await rate()) > 600_000).catch(
      async (thrown: unknown) => {
        const { limits, assistance } = await call.backend.flow(id);
        throw new Error(`${String(thrown)}: ${JSON.stringify([await rate(), limits, assistance])}`);
      },
    );
    const at = Date.now();
    expect(place.mock.impair({ api: "nef" })).toBe(1);
    await until("less than the network has room for", async () => (await rate()) < 300_000, 20_000);
    process.stdout.write(`the measured rate was down after ${Date.now() - at} ms\n`);
    const impaired = await call.backend.flow(id);
    expect(impaired.assistance?.[call.alice.id]).toMatchObject({ state: "impaired" });
    expect(impaired.limits.source).toBe("network");
    place.mock.recover({ api: "nef" });
    await until("the usual rate again", async () => (await rate()) > 600_000);
    expect((await call.backend.flow(id)).limits.source).not.toBe("network");
    await over(call);
  });
});

describe("a delivery boost", () => {
  it("[M13] that a peer asks for raises its measured bit rate for as long as the network gives it", async () => {
    const call = await called("af", { width: 1280, height: 720 }, {});
    await place.settled(call.backend, "granted", 2);
    const { flows } = await call.backend.flows("?kind=video");
    const { mid = "" } = flows.find(({ from }) => from === call.alice.id) ?? {};
    const rate = () => call.alice.sendingBps(call.bob.id, mid, 1000);
    await until("the usual rate", async () => (await rate()) > 600_000);
    const [session] = place.mock.resources("rtc-af").filter(({ kind }) => kind === "assistance");
    const less = { uplinkBps: 250_000, downlinkBps: 250_000 };
    expect(place.mock.impair({ api: "rtc-af", id: session?.id ?? "", ...less })).toBe(1);
    await until("what the network recommends", async () => (await rate()) < 300_000, 60_000);
    expect(await place.boost(call.backend, call.alice)).toEqual({ boosted: true });
    const again = await place.boost(call.backend, call.alice);
    expect(again).toEqual({ boosted: false, reason: "too-often" });
    await until("more for a while", async () => (await rate()) > 500_000, 60_000);
    await until("the end of it", async () => (await rate()) < 300_000, 60_000);
    await over(call);
  });
});

describe("a network that fails", () => {
  // Every API meets every fault in network-adapters.e2e.ts; here is what calls notice of it.
  const FAULTS: readonly (readonly [string, keyof typeof API_OF, Fault])[] = [
    ["is slow", "phones", { kind: "slow", ms: 4000 }],
    ["is down", "nef", { kind: "down" }],
    ["answers 500", "af", { kind: "status", status: 500 }],
    ["answers 429", "phones", { kind: "status", status: 429, retryAfter: 1 }],
    ["answers 409", "phones", { kind: "status", status: 409 }],
    ["answers 410", "nef", { kind: "status", status: 410 }],
    ["answers what is no JSON", "af", { kind: "wrong-json" }],
    ["answers something else", "phones", { kind: "wrong-shape" }],
    ["loses its answers", "nef", { kind: "answer-lost" }],
  ];
  const API_OF = { phones: "camara-qod", nef: "nef", af: "rtc-af" } as const;
  const voice: CallerOptions = { kinds: ["audio"] };

  it.each(FAULTS)(
    "[M13] %s: calls go on, records say so, all is well when it is back, nothing stays (%s)",
    async (_what, network, fault) => {
      const api = API_OF[network];
      place.mock.faults.add({ ...fault, api });
      // Media flow both ways, whatever the network does.
      const call = await called(network, voice, voice);
      const { backend } = call;
      await until("it was asked", () => place.mock.log.some((entry) => entry.api === api));
      if (fault.kind !== "slow") {
        await until("the record says why not", async () => {
          const [request] = await place.requests(backend);
          return request?.record.reason !== undefined;
        });
      }
      place.mock.faults.clear();
      await place.settled(backend, "granted", network === "af" ? 2 : 1);
      await over(call);
    },
  );
});

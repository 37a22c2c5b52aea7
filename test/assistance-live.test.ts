import { abortAllDurableObjects, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AssistanceRequest } from "../protocol/assistance/records.ts";
import type { Flow } from "../protocol/flow.ts";
import { sdpOf } from "./descriptions.ts";
import { call, callJson, KEY, type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { NETWORKS, StandInNetwork } from "./network-stand-in.ts";
import { keysOf, later } from "./webhook-answers.ts";

const variables = env as unknown as Record<string, unknown>;

let network: StandInNetwork;

beforeEach(() => {
  network = new StandInNetwork();
  network.configure();
});

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
  StandInNetwork.forget();
});

let ids = 0;
const ask = (peer: LivePeer, message: object) =>
  peer.request({ ...message, id: ++ids } as { id: number });

const pairBy = (server: string) => ({
  local: {
    candidateType: "relay",
    address: server,
    port: 50_000,
    protocol: "udp",
    relayProtocol: "udp",
    url: `turn:${server.includes(":") ? `[${server}]` : server}:3478?transport=udp`,
  },
  remote: { candidateType: "relay", address: server, port: 50_001, protocol: "udp" },
});

const IPV6_RELAY = "2001:db8:ffff::3";

interface Assisted {
  readonly session: LiveSession;
  readonly alice: LivePeer;
  readonly bob: LivePeer;
}

/** Alice, who is in the network, has called Bob, who has answered: nobody knows the way yet. */
async function answered(
  mode: (typeof MODES)[number],
  config: object = {},
  claims: object = { network: "qod", phoneNumber: "+15550100123" },
): Promise<Assisted & { readonly exchange: number }> {
  const session = await LiveSession.start(mode, config);
  const alice = await session.join(claims);
  const bob = await session.join();
  const { exchange } = (await ask(alice, { type: "offer", to: bob.id, sdp: sdpOf() })) as {
    exchange: number;
  };
  const sdp = sdpOf({ setup: "active" });
  await ask(bob, { type: "answer", to: alice.id, exchange, sdp });
  return { session, alice, bob, exchange };
}

/** They are connected over a TURN server. */
async function called(
  mode: (typeof MODES)[number],
  config?: object,
  claims?: object,
  server = "192.0.2.3",
): Promise<Assisted> {
  const { session, alice, bob } = await answered(mode, config, claims);
  await ask(alice, { type: "transport", to: bob.id, state: "connected", pair: pairBy(server) });
  return { session, alice, bob };
}

const requestsOf = async (session: LiveSession): Promise<AssistanceRequest[]> =>
  (await session.read<{ requests?: AssistanceRequest[] }>("/assistance")).requests ?? [];

const stateOf = async (session: LiveSession): Promise<string | undefined> =>
  (await requestsOf(session))[0]?.record.state;

/** Rings the session's alarm, later and later, until it holds. */
async function until(session: LiveSession, holds: () => unknown): Promise<void> {
  await vi.waitFor(
    async () => {
      later(60);
      await session.alarm();
      expect(await holds()).toBe(true);
    },
    { timeout: 10_000, interval: 10 },
  );
}

const flowsOf = async (session: LiveSession): Promise<Flow[]> =>
  (await session.read<{ flows: Flow[] }>("/flows")).flows;

const isEmpty = async (session: LiveSession): Promise<void> => {
  await vi.waitFor(async () => expect(await keysOf(session)).toEqual([]));
  expect(await session.inside(({ storage }) => storage.getAlarm())).toBeNull();
};

describe.each(MODES)("%s", (mode) => {
  it("[M13] a call asks, is told, shows it, and leaves nothing behind", async () => {
    const { session, alice } = await called(mode);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    const [body] = [...network.resources.values()];
    expect(body).toMatchObject({
      device: { phoneNumber: "+15550100123" },
      applicationServer: { ipv4Address: "192.0.2.3" },
      applicationServerPorts: { ports: [3478] },
      qosProfile: "QOS_L",
      duration: 3600,
    });
    await vi.waitFor(async () => expect(await stateOf(session)).toBe("requested"));
    await session.pause();
    expect((await network.tell("AVAILABLE")).status).toBe(204);
    await vi.waitFor(async () => expect(await stateOf(session)).toBe("granted"));
    for (const { assistance } of await flowsOf(session)) {
      expect(assistance?.[alice.id]).toMatchObject({ network: "qod", state: "granted" });
    }
    await callJson(session.path, "DELETE");
    await vi.waitFor(() => expect(network.resources.size).toBe(0));
    expect(network.asked).toEqual(["POST /qod/sessions", "DELETE /qod/sessions/{id}"]);
    await isEmpty(session);
    expect((await call(`${session.path}/assistance`, { headers: KEY })).status).toBe(404);
  });

  it("[M13] what the network cannot hold is advised, and asked for anew", async () => {
    const { session, alice } = await called(mode);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    await network.tell("AVAILABLE");
    await session.pause();
    const first = [...network.resources.keys()][0];
    await network.tell("UNAVAILABLE", { statusInfo: "NETWORK_TERMINATED" });
    await vi.waitFor(async () => {
      const [flow] = (await flowsOf(session)).filter(({ from }) => from === alice.id);
      expect(flow?.limits).toMatchObject({ source: "network", effectiveBps: expect.any(Number) });
    });
    const advice = await alice.next("advice");
    expect(advice).toMatchObject({ network: "qod", peer: alice.id });
    await until(session, () => {
      const [now] = [...network.resources.keys()];
      return now !== undefined && now !== first;
    });
  });

  it("[M13] a network that is away when all ends is told later; nothing stays there or here", async () => {
    const { session } = await called(mode);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    network.mood = "down";
    await callJson(session.path, "DELETE");
    await vi.waitFor(() => expect(network.asked.at(-1)).toMatch(/^DELETE/));
    expect((await call(session.path, { headers: KEY })).status).toBe(404);
    await vi.waitFor(async () => expect(await stateOf(session)).toBe("ended"));
    await session.pause();
    network.mood = "well";
    await until(session, () => network.resources.size === 0);
    await isEmpty(session);
  });

  it("[M13] an answer that nobody heard is looked for: what it made is taken over, and removed in the end", async () => {
    network.mood = "lost";
    const { session } = await called(mode);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    network.mood = "well";
    await until(session, async () => (await requestsOf(session))[0]?.resource !== undefined);
    expect(network.asked).toEqual(["POST /qod/sessions"]);
    await callJson(session.path, "DELETE");
    await until(session, () => network.resources.size === 0);
    await isEmpty(session);
  });

  it("[M13] what rests on candidates is asked for once, and stays through every wake of the object", async () => {
    const { session, alice, bob, exchange } = await answered(mode);
    const candidate = "candidate:1 1 udp 2122260223 198.51.100.7 50000 typ host";
    const candidates = [{ candidate, sdpMid: "0" }];
    await ask(bob, { type: "candidates", to: alice.id, exchange, candidates });
    expect(network.calls).toEqual([]);
    await vi.waitFor(() => expect(network.resources.size).toBe(1), { timeout: 6_000 });
    await network.tell("AVAILABLE");
    for (let times = 0; times < 3; times += 1) {
      await session.pause();
      await session.alarm();
      await ask(alice, { type: "state" });
    }
    expect(network.asked).toEqual(["POST /qod/sessions"]);
  });

  it.each(["its network", "every network"])(
    "[S6] what is left of a session goes when %s is taken out of the configuration: phone numbers are among it",
    async (which) => {
      const { session } = await called(mode);
      await vi.waitFor(() => expect(network.resources.size).toBe(1));
      network.mood = "down";
      await callJson(session.path, "DELETE");
      await vi.waitFor(async () => expect(await stateOf(session)).toBe("ended"));
      expect((await keysOf(session)).length).toBeGreaterThan(0);
      if (which === "its network") variables.ASSISTANCE_NETWORKS = JSON.stringify([NETWORKS.nef]);
      else delete variables.ASSISTANCE_NETWORKS;
      // A deployment with other variables begins its objects anew.
      await abortAllDurableObjects();
      await until(session, async () => (await keysOf(session)).length === 0);
      await isEmpty(session);
    },
  );

  it("[M13] while the configuration is wrong nothing is asked and nothing forgotten", async () => {
    const { session } = await called(mode);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    variables.TURN_TTL_SECONDS = "soon";
    await abortAllDurableObjects();
    for (let times = 0; times < 3; times += 1) {
      later(600);
      await session.alarm();
      // It is looked at again after a while, and not at once, for ever.
      const next = await session.inside(({ storage }) => storage.getAlarm());
      expect((next ?? 0) - Date.now()).toBeGreaterThan(1_000);
    }
    expect(network.resources.size).toBe(1);
    expect((await keysOf(session)).length).toBeGreaterThan(0);
    delete variables.TURN_TTL_SECONDS;
    await abortAllDurableObjects();
    await until(session, () => network.resources.size === 0);
    await until(session, async () => (await keysOf(session)).length === 0);
  });

  it.each([
    ["are none left", "[]"],
    ["is another", JSON.stringify([NETWORKS.nef])],
  ])("[M13] what a network recommended holds no more once there %s", async (_, networks) => {
    const { session, alice } = await called(mode);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    await network.tell("AVAILABLE");
    await network.tell("UNAVAILABLE", { statusInfo: "NETWORK_TERMINATED" });
    const shown = async () => (await flowsOf(session)).map(({ assistance }) => assistance);
    await vi.waitFor(async () => expect(JSON.stringify(await shown())).toContain("advised"));
    variables.ASSISTANCE_NETWORKS = networks;
    await abortAllDurableObjects();
    const back = await session.connect(alice.invitation);
    await vi.waitFor(async () => {
      for (const { assistance, limits } of await flowsOf(session)) {
        expect(assistance).toBeUndefined();
        expect(limits.source).not.toBe("network");
      }
    });
    const advice = await back.next("advice");
    expect(advice).toEqual({ type: "advice", flow: advice.flow, mid: "0", peer: alice.id });
  });

  it("[M13] what a network would have been asked is shown no more once there is another", async () => {
    const { session, alice } = await called(mode, { assistance: "dry-run" });
    const shown = async () => (await flowsOf(session)).map(({ assistance }) => assistance);
    await vi.waitFor(async () => expect(JSON.stringify(await shown())).toContain("dry-run"));
    variables.ASSISTANCE_NETWORKS = JSON.stringify([NETWORKS.nef]);
    await abortAllDurableObjects();
    await session.connect(alice.invitation);
    await vi.waitFor(async () => expect(await shown()).toEqual([undefined, undefined]));
  });

  it("[M13] a dry run shows what it would ask, and asks nobody", async () => {
    const { session, alice } = await called(mode, { assistance: "dry-run" });
    const [request] = await requestsOf(session);
    expect(request).toMatchObject({
      peer: alice.id,
      mode: "dry-run",
      record: { state: "dry-run", asked: { profile: "QOS_L" } },
      body: { qosProfile: "QOS_L", applicationServer: { ipv4Address: "192.0.2.3" } },
    });
    await vi.waitFor(async () => {
      const [flow] = await flowsOf(session);
      expect(flow?.assistance?.[alice.id]?.state).toBe("dry-run");
    });
    await callJson(session.path, "DELETE");
    expect(network.calls).toEqual([]);
    await isEmpty(session);
  });
});

describe.each(MODES)("a boost, %s", (mode) => {
  const boost = async (
    session: LiveSession,
    peer: string,
    headers: Record<string, string> = KEY,
  ) => {
    await session.pause();
    return callJson(`${session.path}/peers/${peer}/boost`, "POST", {}, headers);
  };

  it("[M13] that a peer asks of its network is given, and what the network recommends read at once", async () => {
    const { session, alice, bob } = await called(mode, {}, { network: "af" }, IPV6_RELAY);
    await vi.waitFor(() => expect(network.resources.size).toBe(2));
    const uplink = async () => {
      const [flow] = (await flowsOf(session)).filter(({ from }) => from === alice.id);
      return flow?.assistance?.[alice.id]?.advised?.uplinkBps;
    };
    await vi.waitFor(async () => expect(await uplink()).toBe(50_000));
    const own = { authorization: `Bearer ${alice.token}` };
    expect(await (await boost(session, alice.id, own)).json()).toEqual({ boosted: true });
    await vi.waitFor(async () => expect(await uplink()).not.toBe(50_000));
    later(6);
    const refused = await (await boost(session, alice.id)).json();
    expect(refused).toEqual({ boosted: false, reason: "no-boost" });
    expect((await boost(session, bob.id, own)).status).toBe(403);
    const none = await (await boost(session, bob.id)).json();
    expect(none).toEqual({ boosted: false, reason: "not-assisted" });
  });
});

it.each(MODES)(
  "[M13] what a network recommended that wants to be left alone holds no longer than a while, %s",
  async (mode) => {
    const { session, alice } = await called(mode, {}, { network: "af" }, IPV6_RELAY);
    const limit = async () => {
      const [flow] = (await flowsOf(session)).filter(({ from }) => from === alice.id);
      return flow?.limits.effectiveBps;
    };
    await vi.waitFor(async () => expect(await limit()).toBe(50_000));
    await session.pause();
    network.mood = 429;
    network.retryAfterSeconds = 3600;
    const reads = () => network.calls.filter(({ path }) => path.endsWith("/recommendation")).length;
    const before = reads();
    later(11);
    await session.alarm();
    await vi.waitFor(() => expect(reads()).toBe(before + 1));
    expect(await limit()).toBe(50_000);
    const alarm = await session.inside(({ storage }) => storage.getAlarm());
    expect((alarm ?? 0) - Date.now()).toBeLessThanOrEqual(90_000);
    await session.pause();
    later(91);
    await session.alarm();
    await vi.waitFor(async () => expect(await limit()).toBeUndefined());
    expect(reads()).toBe(before + 1);
  },
);

describe("boosts", () => {
  it("[M13] of whoever asks for them all the time cost the network no more than one call in five seconds", async () => {
    const { session, alice } = await called("awake", {}, { network: "af" }, IPV6_RELAY);
    await vi.waitFor(() => expect(network.resources.size).toBe(2));
    const path = `${session.path}/peers/${alice.id}/boost`;
    const boost = async () => (await callJson(path, "POST", {}, KEY)).json();
    const asked = () => network.asked.filter((each) => each.endsWith("/boost")).length;
    const answers = await Promise.all(Array.from({ length: 20 }, boost));
    expect(asked()).toBe(1);
    expect(answers.filter((each) => (each as { boosted: boolean }).boosted)).toHaveLength(1);
    expect(answers).toContainEqual({ boosted: false, reason: "too-often" });
    later(4);
    expect(await boost()).toEqual({ boosted: false, reason: "too-often" });
    expect(asked()).toBe(1);
    later(2);
    expect(await boost()).toEqual({ boosted: false, reason: "no-boost" });
    expect(asked()).toBe(2);
  });

  it("[M13] are not asked for while the network wants a pause", async () => {
    const { session, alice } = await called("awake", {}, { network: "af" }, IPV6_RELAY);
    await vi.waitFor(() => expect(network.resources.size).toBe(2));
    await vi.waitFor(async () =>
      expect((await requestsOf(session)).map(({ resource }) => resource)).not.toContain(undefined),
    );
    network.mood = 429;
    network.retryAfterSeconds = 60;
    const path = `${session.path}/peers/${alice.id}/boost`;
    const boost = async () => (await callJson(path, "POST", {}, KEY)).json();
    const asked = () => network.asked.filter((each) => each.endsWith("/boost")).length;
    expect(await boost()).toMatchObject({ boosted: false });
    expect(asked()).toBe(1);
    later(30);
    expect(await boost()).toEqual({ boosted: false, reason: "too-often" });
    expect(asked()).toBe(1);
    network.mood = "well";
    later(40);
    expect(await boost()).toEqual({ boosted: true });
  });
});

describe("a peer that changes all the time", () => {
  const posts = () => network.asked.filter((each) => each.startsWith("POST")).length;

  it("[M13] what it selects does not use up what the network takes from all", async () => {
    const { alice, bob } = await called("awake");
    for (let server = 4; server < 124; server += 1) {
      const pair = pairBy(`192.0.2.${server}`);
      await ask(alice, { type: "transport", to: bob.id, state: "connected", pair });
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(posts()).toBeLessThan(50);
    // Nobody has to do anything for that: what was selected last is asked for.
    const servers = () =>
      [...network.resources.values()].map(
        ({ applicationServer }) => (applicationServer as { ipv4Address: string }).ipv4Address,
      );
    await vi.waitFor(() => expect(servers()).toEqual(["192.0.2.123"]), { timeout: 5_000 });
  });
});

describe("the pair", () => {
  it("[M13] that the other end tells first makes no session before the UE has told it: there is one, for what the UE says", async () => {
    const { session, alice, bob } = await answered("awake");
    const pair = pairBy("192.0.2.3");
    const seen = { local: pair.remote, remote: { ...pair.local, url: undefined } };
    await ask(bob, { type: "transport", to: alice.id, state: "connected", pair: seen });
    // Whoever is asked at once is asked by now.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(network.calls).toEqual([]);
    await ask(alice, { type: "transport", to: bob.id, state: "connected", pair });
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    await vi.waitFor(async () => expect(await stateOf(session)).toBe("requested"));
    expect(network.asked).toEqual(["POST /qod/sessions"]);
    const [body] = [...network.resources.values()];
    expect(body?.applicationServerPorts).toEqual({ ports: [3478] });
  });
});

describe("a deployment that asks nobody any more", () => {
  it("[M13] says so of calls that go on, and limits them no longer", async () => {
    const { session, alice } = await called("evicted");
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    await network.tell("AVAILABLE");
    await network.tell("UNAVAILABLE", { statusInfo: "NETWORK_TERMINATED" });
    const limits = async () =>
      (await flowsOf(session))
        .filter(({ from }) => from === alice.id)
        .map((flow) => [flow.limits.source, flow.assistance?.[alice.id]?.state]);
    await vi.waitFor(async () => expect(await limits()).toContainEqual(["network", "ended"]));
    delete variables.ASSISTANCE_NETWORKS;
    await session.pause();
    await vi.waitFor(async () => {
      for (const [source, state] of await limits()) {
        expect(source).not.toBe("network");
        expect(state).toBeUndefined();
      }
    });
    await callJson(session.path, "DELETE");
    await isEmpty(session);
  });
});

describe("a request under way", () => {
  it("[M13] is known after a crash of the object, and looked for", async () => {
    network.mood = "silent";
    const { session, alice } = await called("awake");
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    network.mood = "well";
    await abortAllDurableObjects();
    await alice.closing();
    // Nobody comes back: the session ends, and what was made in it is found and taken back.
    await until(session, () => network.resources.size === 0);
    expect(network.asked).toEqual(["POST /qod/sessions", "DELETE /qod/sessions/{id}"]);
    await until(session, async () => (await keysOf(session)).length === 0);
  });

  it("[M13] does not wake the object again and again while a network takes its time", async () => {
    network.mood = "silent";
    const { session } = await called("awake");
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    for (let times = 0; times < 3; times += 1) {
      later(61);
      await session.alarm();
      const next = await session.inside(({ storage }) => storage.getAlarm());
      expect((next ?? 0) - Date.now()).toBeGreaterThan(10_000);
    }
    network.mood = "well";
    await vi.waitFor(async () => expect(await stateOf(session)).toBe("requested"));
  });

  it("[M13] keeps no call waiting, and is given up after a day without an answer", async () => {
    const { session } = await called("awake");
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    network.mood = 500;
    await callJson(session.path, "DELETE");
    later(90_000);
    await until(session, async () => (await keysOf(session)).length === 0);
    expect(network.resources.size).toBe(1);
  });
});

describe("who is asked for", () => {
  it("[M13] nobody of a session that wants nothing, or whose key is not the network's", async () => {
    const phoneNumber = "+15550100123";
    const off = await called("awake", { assistance: "off" });
    expect(await requestsOf(off.session)).toEqual([]);
    const foreign = await called("awake", {}, { network: "others", phoneNumber });
    expect(await requestsOf(foreign.session)).toEqual([]);
    const none = await called("awake", {}, { network: "unknown", phoneNumber });
    expect(await requestsOf(none.session)).toEqual([]);
    expect(network.calls).toEqual([]);
    const own = await called("awake", {}, { network: "own", phoneNumber });
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    expect(await requestsOf(own.session)).toHaveLength(1);
  });

  it("[M13] by the address from which it signals, which is shown to nobody in the session", async () => {
    const { session, alice } = await called("awake", {}, { network: "nef" }, IPV6_RELAY);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    const [body] = [...network.resources.values()];
    expect(body?.ueIpv6Addr).toMatch(/^2001:db8:/);
    expect(await requestsOf(session)).toHaveLength(1);
    expect(JSON.stringify(await session.read())).not.toContain("2001:db8");
    expect(JSON.stringify(await alice.all("welcome"))).not.toContain("2001:db8");
    expect(JSON.stringify(await session.read("/timeline"))).not.toContain("2001:db8");
  });
});

describe("what networks say", () => {
  it("[M13] counts only at the address that they were given, with its token, about what is still asked", async () => {
    const { session } = await called("awake");
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
    expect(await codeOf(await network.tell("AVAILABLE", {}, {}))).toBe("unauthorized");
    expect(
      await codeOf(await network.tell("AVAILABLE", {}, { authorization: "Bearer wrong" })),
    ).toBe("unauthorized");
    expect(await stateOf(session)).toBe("requested");
    const [body] = [...network.resources.values()];
    const sink = new URL(String(body?.sink)).pathname;
    const { accessToken } = (body?.sinkCredential ?? {}) as { accessToken?: string };
    const headers = { authorization: `Bearer ${accessToken}` };
    expect(await codeOf(await callJson(`${sink}0`, "POST", {}, headers))).toBe("unauthorized");
    expect(await codeOf(await callJson(sink, "POST", { a: 1 }, headers))).toBe("invalid-request");
    expect(await codeOf(await call(sink, { method: "POST", headers }))).toBe("invalid-request");
    const large = { filler: "x".repeat(70_000) };
    expect((await callJson(sink, "POST", large, headers)).status).toBe(413);
    const event = {
      id: "e1",
      source: "s",
      specversion: "1.0",
      type: "org.camaraproject.quality-on-demand.v1.qos-status-changed",
      data: { sessionId: [...network.resources.keys()][0], qosStatus: "AVAILABLE" },
    };
    await callJson(session.path, "DELETE");
    await vi.waitFor(() => expect(network.resources.size).toBe(0));
    await isEmpty(session);
    const late = await callJson(sink, "POST", event, headers);
    expect(late.status).toBe(410);
    expect(await codeOf(late)).toBe("assistance-over");
  });

  it("[M13] at an address that is longer than any that was given out is refused like all else, and so is such a boost", async () => {
    const session = await LiveSession.start("awake");
    const long = "x".repeat(3_000);
    for (const path of [
      `/v1/assistance/notifications/${long}`,
      `${session.path}/peers/${long}/boost`,
    ]) {
      const refused = await callJson(path, "POST", {}, KEY);
      expect(refused.status).toBe(400);
      expect(refused.headers.get("content-type")).toBe("application/problem+json");
      expect(await refused.json()).toMatchObject({ code: "invalid-request" });
    }
  });

  it("[M13] a NEF tests its address, and tells of a subscription without a token", async () => {
    const { session } = await called("awake", {}, { network: "nef" }, IPV6_RELAY);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    const [[id, body] = []] = [...network.resources];
    const path = new URL(String(body?.notificationDestination)).pathname;
    const transaction = `https://network.test/nef/duplex/subscriptions/${id}`;
    const test = await callJson(path, "POST", { subscription: transaction }, {});
    expect(test.status).toBe(204);
    const eventReports = [{ event: "QOS_NOT_GUARANTEED" }];
    expect((await callJson(path, "POST", { transaction, eventReports }, {})).status).toBe(204);
    await vi.waitFor(async () => expect(await stateOf(session)).toBe("impaired"));
  });

  it("[M13] without end wakes no session: one request is told of two hundred times in ten seconds, others as before", async () => {
    const first = await called("awake", {}, { network: "nef" }, IPV6_RELAY);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    const second = await called("awake", {}, { network: "nef" }, IPV6_RELAY);
    await vi.waitFor(() => expect(network.resources.size).toBe(2));
    const tellers = [...network.resources].map(([id, body]) => {
      const path = new URL(String(body?.notificationDestination)).pathname;
      const transaction = `https://network.test/nef/duplex/subscriptions/${id}`;
      return (event: string) =>
        callJson(path, "POST", { transaction, eventReports: [{ event }] }, {});
    });
    const [flood, calm] = tellers as [(typeof tellers)[0], (typeof tellers)[0]];
    const answers: Response[] = [];
    // At most two periods are touched.
    for (let count = 0; count < 401 && answers.at(-1)?.status !== 429; count++) {
      answers.push(await flood(count % 2 === 0 ? "QOS_NOT_GUARANTEED" : "QOS_GUARANTEED"));
    }
    expect(answers.at(-1)?.status).toBe(429);
    expect(answers.at(-1)?.headers.get("retry-after")).toBe("10");
    expect(answers.filter(({ status }) => status === 204).length).toBeGreaterThanOrEqual(200);
    expect((await calm("QOS_NOT_GUARANTEED")).status).toBe(204);
    const states = await Promise.all([stateOf(first.session), stateOf(second.session)]);
    expect(states[1]).toBe("impaired");
  });
});

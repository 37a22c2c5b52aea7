import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AssistanceRequest } from "../protocol/assistance/records.ts";
import type { Flow } from "../protocol/flow.ts";
import { sdpOf } from "./descriptions.ts";
import { call, callJson, type LivePeer, LiveSession } from "./live-session.ts";
import { NETWORKS, StandInNetwork } from "./network-stand-in.ts";

/** What mobile networks are asked for UEs that come by other doors than a WebSocket of `duplex.v1`. */

const variables = env as unknown as Record<string, unknown>;

/** Both know their UEs by address. */
const BY_ADDRESS = [
  { ...NETWORKS.nef, name: "north", prefixes: ["2001:db8:a::/48"] },
  { ...NETWORKS.nef, name: "south", prefixes: ["2001:db8:b::/48"] },
];

let network: StandInNetwork;

beforeEach(() => {
  network = new StandInNetwork();
  network.configure();
  variables.ASSISTANCE_NETWORKS = JSON.stringify([...BY_ADDRESS, NETWORKS.qod]);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
  StandInNetwork.forget();
});

const NORTH = "2001:db8:a::7";
const SOUTH = "2001:db8:b::7";

const candidateAt = (address: string) => `candidate:1 1 udp 2113937151 ${address} 50000 typ host`;

const media = (of: string, direction: "sendonly" | "recvonly", more: object = {}): string =>
  sdpOf({ of, sections: [{ kind: "video", direction }], ...more });

const from = (address: string) => ({ "cf-connecting-ip": address });

/** A media server answers the next offer, and tells where it is. */
async function answer(server: LivePeer, more: object = {}): Promise<void> {
  const { from: to, exchange } = await server.next("offer");
  const sdp = media(`sfu${to}`, "recvonly", { setup: "active", ...more });
  await server.send({ type: "answer", to, exchange, sdp });
  const candidates = [{ candidate: candidateAt("2001:db8:ffff::9"), sdpMid: "0" }];
  await server.send({ type: "candidates", to, exchange, candidates, complete: true });
}

const fragment = (address: string, ufrag: string): string =>
  [
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${ufrag}0123456789012345678901`,
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "a=mid:0",
    `a=${candidateAt(address)}`,
    "",
  ].join("\r\n");

/** A WHIP publisher and the media server it publishes to. */
async function published(address: string, claims: object = {}) {
  const session = await LiveSession.start("awake", { topology: "central" });
  const server = await session.join({ role: "media-server" });
  const { token, peer } = await session.invite(claims);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/sdp" };
  const [response] = await Promise.all([
    call(`${session.path}/whip`, {
      method: "POST",
      headers: { ...headers, ...from(address) },
      body: media("cam", "sendonly"),
    }),
    answer(server),
  ]);
  const url = new URL(response.headers.get("location") ?? "").pathname;
  const patch = (body: string, at: string, more: object = {}) =>
    call(url, {
      method: "PATCH",
      headers: {
        "content-type": "application/trickle-ice-sdpfrag",
        "if-match": "*",
        ...from(at),
        ...more,
      },
      body,
    });
  return { session, server, id: peer.id, token, url, patch };
}

const requestsOf = async (session: LiveSession) =>
  (await session.read<{ requests: AssistanceRequest[] }>("/assistance")).requests;

const networksOf = async (session: LiveSession) =>
  (await requestsOf(session)).map(({ network: name, body }) => [name, body?.ueIpv6Addr]);

describe("a WHIP publisher", () => {
  it("[M13] is asked for by its candidates alone, and no more after DELETE", async () => {
    const { session, url, patch } = await published(NORTH);
    expect((await patch(fragment(NORTH, "ufragcam"), NORTH)).status).toBe(204);
    await vi.waitFor(() => expect(network.resources.size).toBe(1), { timeout: 6_000 });
    expect(await networksOf(session)).toEqual([["north", NORTH]]);
    await call(url, { method: "DELETE" });
    await vi.waitFor(() => expect(network.resources.size).toBe(0));
  });

  it("[M13] that restarts ICE from another network is asked for there, and in the one before no more", async () => {
    const { session, server, patch } = await published(NORTH);
    await patch(fragment(NORTH, "ufragcam"), NORTH);
    await vi.waitFor(() => expect(network.resources.size).toBe(1), { timeout: 6_000 });
    await Promise.all([
      patch(fragment(SOUTH, "fresh"), SOUTH),
      answer(server, { ufrag: "again", version: 2 }),
    ]);
    await vi.waitFor(async () => expect(await networksOf(session)).toEqual([["south", SOUTH]]), {
      timeout: 6_000,
    });
  });
});

describe("a peer of duplex.v1", () => {
  it("[M13] that begins anew with a newer token is in the network that the first one named", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join({ network: "qod", phoneNumber: "+15550100123" });
    const bob = await session.join();
    const prolonged = await callJson(`${session.path}/peers/${alice.id}/token`, "POST", {});
    const again = await session.connect((await prolonged.json()) as never, "?fresh=true");
    const { exchange } = (await again.request({
      id: 1,
      type: "offer",
      to: bob.id,
      sdp: sdpOf(),
    } as never)) as { exchange: number };
    await bob.request({
      id: 1,
      type: "answer",
      to: again.id,
      exchange,
      sdp: sdpOf({ setup: "active" }),
    } as never);
    expect(await requestsOf(session)).toMatchObject([{ peer: alice.id, network: "qod" }]);
  });
});

/** Both ends behind the TURN server. */
const SERVER = {
  candidateType: "relay",
  address: "192.0.2.3",
  port: 50_000,
  relayProtocol: "udp",
  url: "turn:192.0.2.3:3478?transport=udp",
};
const PAIR = { local: SERVER, remote: { ...SERVER, port: 50_001 } };

describe("two peers on one device", () => {
  async function calling(bob: LivePeer, claims: object): Promise<LivePeer> {
    const peer = await bob.session.join(claims);
    const ask = (from: LivePeer, message: object) => from.request(message as never);
    await ask(peer, { id: 1, type: "offer", to: bob.id, sdp: sdpOf({ of: peer.id }) });
    const { exchange, from: to } = await bob.next("offer");
    const sdp = sdpOf({ of: `b${peer.id}`, setup: "active" });
    await bob.send({ type: "answer", to, exchange, sdp });
    await peer.next("answer");
    await ask(peer, { id: 2, type: "transport", to: bob.id, state: "connected", pair: PAIR });
    return peer;
  }

  it("[M13] do not take what the network holds for the other: it stays when one of them leaves", async () => {
    delete variables.ASSISTANCE_NOTIFY_URL;
    variables.ASSISTANCE_NETWORKS = JSON.stringify([NETWORKS.qod]);
    network.refusesOverlaps = true;
    network.grants = true;
    const session = await LiveSession.start("awake");
    const bob = await session.join();
    const claims = { network: "qod", phoneNumber: "+15550100123" };
    const one = await calling(bob, claims);
    await vi.waitFor(() => expect(network.resources.size).toBe(1));
    const [held] = network.resources.keys();
    const two = await calling(bob, claims);
    const searches = () => network.calls.filter(({ path }) => path.endsWith("/retrieve-sessions"));
    await vi.waitFor(() => expect(searches().length).toBeGreaterThan(0));
    await vi.waitFor(async () =>
      expect(await requestsOf(session)).toMatchObject([
        { peer: one.id, resource: held, record: { state: "granted" } },
        { peer: two.id, record: { state: "refused" } },
      ]),
    );
    await two.send({ type: "leave" });
    await two.closing();
    await vi.waitFor(async () => expect(await requestsOf(session)).toHaveLength(1));
    expect([...network.resources.keys()]).toEqual([held]);
  });
});

describe("a UE with several links over one TURN server", () => {
  it("[M13] is advised no more on all of them together than what one session is worth", async () => {
    variables.ASSISTANCE_NETWORKS = JSON.stringify([NETWORKS.qod]);
    const session = await LiveSession.start("awake");
    const ue = await session.join({ network: "qod", phoneNumber: "+15550100123" });
    for (const other of [await session.join(), await session.join()]) {
      const sections = [{ kind: "video" as const }];
      await ue.request({
        id: 1 + ue.inbox.length,
        type: "offer",
        to: other.id,
        sdp: sdpOf({ of: `u${other.id}`, sections }),
      } as never);
      const { exchange } = await other.next("offer");
      const sdp = sdpOf({ of: other.id, setup: "active", sections });
      await other.send({ type: "answer", to: ue.id, exchange, sdp });
      await ue.next("answer");
      await ue.send({ type: "transport", to: other.id, state: "connected", pair: PAIR });
    }
    await vi.waitFor(async () =>
      expect(await requestsOf(session)).toMatchObject([
        { links: [expect.any(String), expect.any(String)], resource: expect.any(String) },
      ]),
    );
    await network.tell("UNAVAILABLE", { statusInfo: "NETWORK_TERMINATED" });
    const limits = async () =>
      (await session.read<{ flows: Flow[] }>("/flows")).flows
        .filter((flow) => flow.from === ue.id)
        .map(({ limits: { effectiveBps } }) => effectiveBps ?? 0);
    await vi.waitFor(async () => expect((await limits()).every((bps) => bps > 0)).toBe(true));
    const sum = (await limits()).reduce((one, other) => one + other, 0);
    expect(sum).toBeLessThanOrEqual(NETWORKS.qod.withoutQos.uplinkBps);
  });
});

import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { withHashedCnames } from "../durable-objects/hash-cnames.ts";
import type { Flow, FlowsView } from "../protocol/flow.ts";
import { FlowFilter } from "../protocol/flow-query.ts";
import { filterFlows, isFilter } from "../protocol/flows/filter.ts";
import type { PairEnd, SelectedPair } from "../protocol/transport.ts";
import { sdpOf } from "./descriptions.ts";
import { AUDIO, Negotiation, textOf, VIDEO } from "./link-negotiation.ts";
import { call, callJson, KEY, type LivePeer, LiveSession, MODES } from "./live-session.ts";

afterEach(() => reset());

const host = (address: string, port: number, more: Partial<PairEnd> = {}): PairEnd => ({
  candidateType: "host",
  address,
  port,
  protocol: "udp",
  ...more,
});

/** A link whose one transport was reported with this pair. */
const reported = (pair: SelectedPair, more: object = {}): Negotiation => {
  const link = new Negotiation();
  link.record("chromium.max-bundle");
  link.report("a", { transport: "0", state: "connected", pair, ...more });
  return link;
};

const found = ({ flows }: Negotiation, filter: FlowFilter): number =>
  filterFlows(flows.flows, filter, flows.transports).length;

describe("look-up by 5-tuple", () => {
  const direct = reported({ local: host("192.0.2.1", 1000), remote: host("2001:DB8:0::2", 2000) });

  it.each<[string, FlowFilter]>([
    [
      "all five",
      {
        protocol: "udp",
        localAddress: "192.0.2.1",
        localPort: 1000,
        remoteAddress: "2001:db8::2",
        remotePort: 2000,
      },
    ],
    [
      "seen from the other end",
      {
        localAddress: "2001:db8::2",
        localPort: 2000,
        remoteAddress: "192.0.2.1",
        remotePort: 1000,
      },
    ],
    ["one address", { remoteAddress: "192.0.2.1" }],
    ["one port", { localPort: 2000 }],
    ["a protocol in capitals", { protocol: "UDP" }],
    ["another spelling of IPv6", { localAddress: "[2001:0DB8:0:0:0:0:0:2]" }],
    ["IPv4 in IPv6 clothes", { localAddress: "::ffff:192.0.2.1" }],
    ["another filter that fits as well", { localPort: 1000, kind: "audio", state: "active" }],
  ])("[F5] finds a flow by %s", (_, filter) => {
    expect(found(direct, filter)).toBe(filter.kind ? 2 : 6);
  });

  it.each<[string, FlowFilter]>([
    ["another protocol", { protocol: "tcp", localPort: 1000 }],
    ["another address", { localAddress: "192.0.2.3" }],
    ["the ports of two ends as one", { localAddress: "192.0.2.1", localPort: 2000 }],
    ["both ends the same", { localPort: 1000, remotePort: 1000 }],
    ["the address of one end for both", { localAddress: "192.0.2.1", remoteAddress: "192.0.2.1" }],
    ["another transport", { localPort: 1000, transport: "a~b:t.0.2" }],
  ])("[F5] does not find it by %s", (_, filter) => {
    expect(found(direct, filter)).toBe(0);
  });

  it("[F5] finds nothing by what was never reported", () => {
    const hidden = reported({
      local: host("c0ffee.local", 1000, { address: null, protocol: null }),
      remote: host("192.0.2.2", 2000, { protocol: null }),
    });
    expect(found(hidden, { remotePort: 2000 })).toBe(6);
    expect(found(hidden, { remotePort: 2000, protocol: "udp" })).toBe(0);
    expect(found(hidden, { localAddress: "c0ffee.local" })).toBe(0);
    const silent = new Negotiation();
    silent.record("chromium.max-bundle");
    expect(found(silent, { protocol: "udp" })).toBe(0);
    expect(filterFlows(silent.flows.flows, { protocol: "udp" })).toEqual([]);
  });

  it("[F5] finds a flow behind a NAT by its interface and by its public side", () => {
    const behind = reported({
      local: host("203.0.113.1", 6000, {
        candidateType: "srflx",
        relatedAddress: "10.0.0.7",
        relatedPort: 5000,
      }),
      remote: host("198.51.100.1", 7000),
    });
    const remote = { remoteAddress: "198.51.100.1", remotePort: 7000 };
    expect(found(behind, { ...remote, localAddress: "10.0.0.7", localPort: 5000 })).toBe(6);
    expect(found(behind, { ...remote, localAddress: "203.0.113.1", localPort: 6000 })).toBe(6);
    expect(found(behind, { ...remote, localAddress: "203.0.113.1", localPort: 5000 })).toBe(0);
  });

  it("[F5] finds a relayed flow on the hop to the TURN server and beyond it", () => {
    const relayed = reported({
      local: host("198.51.100.9", 50_000, {
        candidateType: "relay",
        relatedAddress: "10.0.0.7",
        relatedPort: 5000,
        relayProtocol: "tls",
        url: "turns:TURN.example.net:443?transport=tcp",
      }),
      remote: host("192.0.2.2", 2000),
    });
    const access = { localAddress: "10.0.0.7", localPort: 5000, remotePort: 443 };
    const core = { localAddress: "198.51.100.9", localPort: 50_000, remotePort: 2000 };
    expect(found(relayed, { ...access, protocol: "tcp", remoteAddress: "turn.EXAMPLE.net." })).toBe(
      6,
    );
    expect(found(relayed, { ...access, protocol: "udp" })).toBe(0);
    expect(found(relayed, { ...core, protocol: "udp" })).toBe(6);
    expect(found(relayed, { ...core, protocol: "tcp" })).toBe(0);
    expect(found(relayed, { localPort: 5000, remotePort: 2000 })).toBe(0);
  });

  it("[F6] finds only what runs on the transport of the 5-tuple", () => {
    const link = new Negotiation();
    const text = textOf(AUDIO, "a=mid:0", ...VIDEO, "a=mid:1");
    link.exchange(text, text);
    const open = link.flows.transports.filter(({ state }) => state !== "closed");
    expect(open.length).toBeGreaterThan(1);
    for (const [index, { id }] of open.entries()) {
      const pair = { local: host("192.0.2.1", 1000 + index), remote: host("192.0.2.2", 2000) };
      link.report("a", { transport: id, state: "connected", pair });
    }
    for (const [index, { id }] of open.entries()) {
      const own = filterFlows(link.flows.flows, { localPort: 1000 + index }, link.flows.transports);
      expect(own.length).toBeGreaterThan(0);
      expect(new Set(own.map(({ transport }) => transport))).toEqual(new Set([id]));
      expect(found(link, { transport: id })).toBe(own.length);
    }
  });

  it("[F4] a filter that asks for nothing is none", () => {
    expect(isFilter({})).toBe(false);
    expect(isFilter({ kind: undefined })).toBe(false);
    expect(isFilter({ kind: "audio" })).toBe(true);
  });
});

describe("CNAMEs outside the session", () => {
  const env = {
    TOKEN_SECRETS: "a-secret-of-at-least-32-characters,and-another-of-at-least-32-characters",
  };
  const flowOf = (cname?: string): Flow =>
    ({ id: "f", ...(cname === undefined ? {} : { cname }) }) as Flow;
  const hash = async (session: string, cname: string, secrets: object = env) =>
    (await withHashedCnames(secrets, session, [flowOf(cname)]))[0]?.cname;

  it("[M18] are keyed hashes: equal where they are equal in a session, and nowhere else", async () => {
    const one = await hash("s1", "alice@host");
    expect(one).toMatch(/^h\.[\w-]{22}$/);
    expect(await hash("s1", "alice@host")).toBe(one);
    expect(await hash("s1", "bob@host")).not.toBe(one);
    expect(await hash("s2", "alice@host")).not.toBe(one);
    const other = { TOKEN_SECRETS: "other-secret-of-at-least-32-characters" };
    expect(await hash("s1", "alice@host", other)).not.toBe(one);
  });

  it("[M18] are hashed for each flow that has one; the records stay as they are", async () => {
    const flows = [flowOf("x"), flowOf(), flowOf("y"), flowOf("x")];
    const copy = structuredClone(flows);
    const shown = await withHashedCnames(env, "s", flows);
    expect(flows).toEqual(copy);
    expect(shown[1]).toEqual({ id: "f" });
    expect(shown[0]?.cname).toBe(shown[3]?.cname);
    expect(shown[0]?.cname).not.toBe(shown[2]?.cname);
  });

  it("[M18] are left out where there is no key", async () => {
    expect(await withHashedCnames({}, "s", [flowOf("x")])).toEqual([{ id: "f" }]);
    expect(await withHashedCnames({}, "s", [flowOf()])).toEqual([{ id: "f" }]);
  });
});

it("[M4] OpenAPI has the filters, ports as numbers", async () => {
  const document = (await (await call("/openapi.json")).json()) as {
    paths: Record<string, { get: { parameters: { name: string; schema: object }[] } }>;
  };
  const { parameters } = document.paths["/v1/sessions/{id}/flows"]!.get;
  const byName = new Map(parameters.map(({ name, schema }) => [name, schema]));
  expect([...byName.keys()].sort()).toEqual(["id", ...Object.keys(FlowFilter.shape)].sort());
  for (const name of ["localPort", "remotePort"]) {
    expect(byName.get(name)).toMatchObject({ type: "integer", minimum: 0, maximum: 65_535 });
  }
});

describe.each(MODES)("%s", (mode) => {
  async function talk(): Promise<[LiveSession, LivePeer, LivePeer]> {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const bob = await session.join();
    const sections = [
      { kind: "audio", ssrc: 1111 },
      { kind: "video", ssrc: 2222 },
      { kind: "application" },
    ] as const;
    const offer = { type: "offer", id: 1, to: bob.id, sdp: sdpOf({ sections }) };
    const { exchange } = (await alice.request(offer as never)) as { exchange: number };
    const sdp = sdpOf({ setup: "active", sections });
    await bob.request({ type: "answer", id: 1, to: alice.id, exchange, sdp } as never);
    const pair = { local: host("192.0.2.1", 1000), remote: host("192.0.2.2", 2000) };
    const report = { type: "transport", id: 2, to: bob.id, state: "connected", pair };
    await alice.request(report as never);
    return [session, alice, bob];
  }

  const as = async (session: LiveSession, path: string, peer?: LivePeer): Promise<Response> => {
    await session.pause();
    const headers = peer ? { authorization: `Bearer ${peer.token}` } : KEY;
    return call(`${session.path}/flows${path}`, { headers });
  };
  const read = async (session: LiveSession, path: string, peer?: LivePeer): Promise<FlowsView> =>
    (await (await as(session, path, peer)).json()) as FlowsView;

  it("[M4] GET answers what fits all filters, with the transports of that", async () => {
    const [session, alice, bob] = await talk();
    const count = async (query: string) => {
      const { flows, transports } = await read(session, `?${query}`);
      return [flows.length, transports.length];
    };
    expect(await count("")).toEqual([6, 1]);
    expect(await count(`peer=${alice.id}&direction=uplink&kind=video`)).toEqual([1, 1]);
    expect(await count(`peer=${bob.id}`)).toEqual([6, 1]);
    expect(await count("state=held")).toEqual([0, 0]);
    expect(await count("localAddress=192.0.2.2&remotePort=1000&protocol=UDP")).toEqual([6, 1]);
    expect(await count("localPort=3000")).toEqual([0, 0]);
    const { transports } = await read(session, "");
    const transport = encodeURIComponent(transports[0]!.id);
    expect(await count(`transport=${transport}&kind=data`)).toEqual([2, 1]);
  });

  it.each([
    ["localPort=70000", "localPort"],
    ["remotePort=-1", "remotePort"],
    ["localPort=", "localPort"],
    ["localPort=0x50", "localPort"],
    ["remotePort=1.5", "remotePort"],
    ["localAddress=", "localAddress"],
    ["state=running", "state"],
    ["kind=text", "kind"],
    ["kind=audio&kind=video", "kind"],
    ["direction=up", "direction"],
    ["peer=", "peer"],
    ["knd=audio", "knd"],
  ])("[M4] a filter that cannot be is refused by name: %s", async (query, name) => {
    const session = await LiveSession.start(mode);
    const response = await as(session, `?${query}`);
    expect(response.status).toBe(400);
    const problem = (await response.json()) as { code: string; detail: string };
    expect(problem.code).toBe("invalid-request");
    expect(problem.detail).toContain(name);
  });

  it("[A2] filters find a peer nothing that is not its own", async () => {
    const [session, alice, bob] = await talk();
    const carol = await session.join();
    const eve = await session.join({ role: "observer" });
    const query = `?localPort=1000&peer=${alice.id}`;
    expect(await read(session, query, carol)).toMatchObject({ flows: [], transports: [] });
    expect((await read(session, query, alice)).flows).toHaveLength(6);
    // Only she told of this interface of hers: bob cannot find it out by asking.
    expect(await read(session, query, bob)).toMatchObject({ flows: [], transports: [] });
    expect((await read(session, query, eve)).flows).toHaveLength(6);
  });

  it("[M18] the back end reads hashes of CNAMEs, peers and observers the CNAMEs", async () => {
    const [session, alice] = await talk();
    const eve = await session.join({ role: "observer" });
    const cnamesOf = ({ flows }: FlowsView) => flows.map(({ cname }) => cname);
    const plain = cnamesOf(await read(session, "", alice));
    expect(plain).toContain("alice1111");
    expect(cnamesOf(await read(session, "", eve))).toEqual(plain);
    const outside = await read(session, "");
    const hashed = cnamesOf(outside);
    for (const [index, cname] of hashed.entries()) {
      expect(cname === undefined).toBe(plain[index] === undefined);
      if (cname !== undefined) expect(cname).toMatch(/^h\.[\w-]{22}$/);
    }
    expect(new Set(hashed).size).toBe(new Set(plain).size);
    expect(JSON.stringify(outside)).not.toContain("alice1111");
    const [flow] = outside.flows;
    const path = `/${encodeURIComponent(flow!.id)}`;
    expect(await (await as(session, path)).json()).toEqual(flow);
    expect(await (await as(session, path, alice)).json()).toMatchObject({ cname: "alice1111" });
    await session.pause();
    const changed = await callJson(`${session.path}/flows${path}`, "PATCH", { held: true });
    expect(await changed.json()).toMatchObject({ state: "held", cname: flow!.cname });
  });
});

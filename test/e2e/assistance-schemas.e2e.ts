import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type PublishedFile, publishedSchemas, schemasFolder } from "../../network-mock/schemas.ts";
import { appSessionOf } from "../../protocol/assistance/app-session.ts";
import type { AssistedLink, Mapped } from "../../protocol/assistance/assisted.ts";
import type { LinkKnowledge } from "../../protocol/assistance/derive.ts";
import { dynamicPolicyOf } from "../../protocol/assistance/dynamic-policy.ts";
import { UNVERIFIED_MARKINGS } from "../../protocol/assistance/markings.ts";
import { networkAssistanceSessionOf } from "../../protocol/assistance/network-assistance.ts";
import type { QosProfile } from "../../protocol/assistance/qod-profile.ts";
import { qodSessionsOf } from "../../protocol/assistance/qod-session.ts";
import { qosSubscriptionOf } from "../../protocol/assistance/qos-subscription.ts";
import type { SelectedPair } from "../../protocol/transport.ts";
import { AssistedCall } from "../assisted-call.ts";
import { PAIRS } from "../link-negotiation.ts";
import { accepted } from "../pure-session.ts";
import { type Browser, launch } from "./browsers.ts";
import { startCoturn, type TurnServer } from "./coturn.ts";
import { livePair } from "./live-pair.ts";
import { unknownMembers } from "./published-members.ts";

/**
 * Request bodies against the files that 3GPP and CAMARA publish. These are not of this project: without them beside the
 * clone there is nothing to compare with. Their known errors are mended in network-mock/repairs.ts.
 */

const schemas = publishedSchemas();
const isThere = existsSync(schemasFolder());

interface Request {
  readonly file: PublishedFile;
  readonly schema: string;
  readonly body: unknown;
}

const PROFILES: readonly QosProfile[] = [
  {
    name: "QOS_L",
    status: "ACTIVE",
    maxUpstreamRate: { value: 100, unit: "Mbps" },
    maxDownstreamRate: { value: 100, unit: "Mbps" },
    maxDuration: { value: 1, unit: "Hours" },
  },
];

const SLICE = { dnn: "internet", snssai: { sst: 1, sd: "0000ab" } };
const OPTIONS = [{}, { ...SLICE, markings: UNVERIFIED_MARKINGS }] as const;
const DEVICES = [
  { device: "address" },
  { device: "phone-number", phoneNumber: "+123456789" },
  { device: "token" },
] as const;

/** Every body that a link makes, with every option; what it lacks makes none. */
function requestsOf(link: AssistedLink): Request[] {
  const of = (
    file: PublishedFile,
    schema: string,
    mapped: Mapped<object>,
    more: object = {},
  ): Request[] =>
    "body" in mapped
      ? [{ file, schema, body: JSON.parse(JSON.stringify({ ...mapped.body, ...more })) }]
      : [];
  const AF = "rtc-af-session-handling.yaml";
  const notificationDestination = "https://sig.example.com/nef";
  return OPTIONS.flatMap((options) => [
    ...[true, false].flatMap((multiplex) => [
      ...of(
        AF,
        "DynamicPolicy",
        dynamicPolicyOf(link, { policyTemplateId: "t", multiplex, ...options }),
      ),
      ...of(
        "nef-as-session-with-qos.yaml",
        "AsSessionWithQoSSubscription",
        qosSubscriptionOf(link, {
          ...{ qosReference: "conv-video", altQoSReferences: ["half"], multiplex },
          ...{ exterAppId: "duplex", ipDomain: "east", ...options },
        }),
        // Who sends it fills it in.
        { notificationDestination },
      ),
      ...of(
        "pcf-policy-authorization.yaml",
        "AppSessionContext",
        appSessionOf(link, {
          ...{ notifUri: "https://sig.example.com/pcf", afAppId: "duplex", multiplex, ...options },
        }),
      ),
    ]),
    ...of(AF, "NetworkAssistanceSession", networkAssistanceSessionOf(link, options)),
    ...DEVICES.flatMap((device) =>
      qodSessionsOf(link, { durationSeconds: 86_400, profiles: PROFILES, ...device }).flatMap(
        ({ result }) => of("quality-on-demand.yaml", "CreateSession", result),
      ),
    ),
  ]);
}

/** What is wrong with a request, by the published schema and by the names it knows. */
function faultsOf({ file, schema, body }: Request): string[] {
  const description = schemas.description(file);
  const reference = { $ref: `#/components/schemas/${schema}` };
  return [
    ...schemas.check(file, schema, body, "request"),
    ...unknownMembers(description, reference, body).map((each) => `${each} is unknown`),
  ];
}

const counts = new Map<string, number>();

/** Fails with all that is wrong; counts what was looked at, so that nothing passes by being absent. */
function hold(link: AssistedLink | undefined): void {
  for (const request of link ? requestsOf(link) : []) {
    expect({ faults: faultsOf(request), request }).toEqual({ faults: [], request });
    counts.set(request.schema, (counts.get(request.schema) ?? 0) + 1);
  }
}

const host = (address: string, port: number) =>
  ({ candidateType: "host", address, port, protocol: "udp" }) as const;
const direct: SelectedPair = {
  local: host("10.45.0.2", 50_000),
  remote: host("198.51.100.9", 3478),
};
const six: SelectedPair = { local: host("2001:db8::5", 50_000), remote: host("2001:db8::9", 443) };
const relayed: SelectedPair = {
  local: {
    ...{ candidateType: "relay", address: "198.51.100.1", port: 60_000, relayProtocol: "tls" },
    ...{ url: "turns:198.51.100.1", relatedAddress: "203.0.113.7", relatedPort: 4444 },
  },
  remote: host("198.51.100.9", 5000),
};
const reversed = ({ local, remote }: SelectedPair): SelectedPair => ({
  local: { ...remote, candidateType: "host" },
  remote: { ...local, candidateType: local.candidateType === "relay" ? "relay" : "srflx" },
});

const KNOWLEDGE: readonly LinkKnowledge[] = [
  {},
  {
    seen: "203.0.113.7",
    relay: [{ address: "198.51.100.1", port: 3478, domain: "turn.example.net" }],
  },
  { seen: "2001:db8::7", relay: [{ domain: "turn.example.net", protocol: "tcp" }] },
  {
    seen: "10.45.0.2",
    relay: [
      { address: "198.51.100.1", port: 3478 },
      { address: "198.51.100.1", port: 443, protocol: "tcp" },
    ],
  },
];

/** Both ends of a call, with all that may be known of them. */
function holdBoth(call: AssistedCall, knowledge: readonly LinkKnowledge[] = KNOWLEDGE): void {
  for (const ue of ["a", "b"]) for (const each of knowledge) hold(call.seen(ue, each));
}

const report = (call: AssistedCall, peer: string, pair: SelectedPair): void => {
  const to = peer === "a" ? "b" : "a";
  for (const { id, state, rtcpMux } of call.transports) {
    if (state === "closed") continue;
    const more = rtcpMux ? {} : { rtcpPair: pair };
    accepted(
      call.send(peer, {
        ...{ type: "transport", to, transport: id, state: "connected", pair, ...more },
      }),
    );
  }
};

describe.skipIf(!isThere)("request bodies from the corpus", () => {
  it.each(PAIRS)("[M13] %s", (_name, offer, answer) => {
    for (const config of [{}, { iceTransportPolicy: "relay" }]) {
      const call = AssistedCall.of([offer, answer], config);
      holdBoth(call);
      for (const pair of [direct, six, relayed]) {
        report(call, "a", pair);
        holdBoth(call, [{}]);
        report(call, "b", reversed(pair));
        holdBoth(call, [{}]);
      }
    }
    const served = new AssistedCall({}).peers("a").serve("b").exchange("a", "b", [offer, answer]);
    report(served, "a", direct);
    holdBoth(served);
  });

  it("[M13] there were bodies of every kind", () => {
    expect([...counts.keys()].toSorted()).toEqual([
      ...["AppSessionContext", "AsSessionWithQoSSubscription", "CreateSession", "DynamicPolicy"],
      "NetworkAssistanceSession",
    ]);
    for (const count of counts.values()) expect(count).toBeGreaterThan(PAIRS.length * 10);
  });
});

const BINDING = "applicationFlowBindings.0";
const FLOW = `${BINDING}.applicationFlowDescription`;

/** Errors that nobody is to make, each where it was right before: what is put where; undefined takes away. */
const PLANTED: readonly (readonly [what: string, schema: string, at: string, value?: unknown])[] = [
  ["no session", "DynamicPolicy", "sessionId"],
  ["no bindings", "DynamicPolicy", "applicationFlowBindings", []],
  [
    "a rate in megabits",
    "DynamicPolicy",
    `${BINDING}.qosSpecification.uplinkBitRates.maximumRequestedBitRate`,
    "5 mbit/s",
  ],
  [
    "a payload type of eight bits",
    "DynamicPolicy",
    `${FLOW}.uplinkMultiplexedMediaInfos.0.payloadType`,
    200,
  ],
  ["a misspelt member inside", "DynamicPolicy", `${FLOW}.mediatype`, "VIDEO"],
  [
    "a filter and a domain",
    "NetworkAssistanceSession",
    "applicationFlowDescription.domainName",
    "turn.example.net",
  ],
  ["an address as a number", "AsSessionWithQoSSubscription", "ueIpv4Addr", 167_772_161],
  ["three filters", "AsSessionWithQoSSubscription", "flowInfo.0.flowDescriptions.2", "permit"],
  ["a flow without number", "AsSessionWithQoSSubscription", "flowInfo.0.flowId"],
  ["a component without number", "AppSessionContext", "ascReqData.medComponents.1.medCompN"],
  ["two addresses of one UE", "AppSessionContext", "ascReqData.ueIpv6", "2001:db8::1"],
  ["a profile with a blank", "CreateSession", "qosProfile", "QOS L"],
  ["no time at all", "CreateSession", "duration", 0],
  ["a device that is nobody", "CreateSession", "device", {}],
  ["a port too high", "CreateSession", "devicePorts.ports.0", 65_536],
  ["a misspelt member", "CreateSession", "appServer", {}],
];

/** A copy of a body with a value at a path; undefined takes away what is there. */
function planted(body: unknown, path: string, value: unknown): unknown {
  const copy: unknown = structuredClone(body);
  const names = path.split(".");
  const last = names.pop() ?? "";
  const place = names.reduce((at, name) => (at as Record<string, unknown>)[name], copy);
  if (value === undefined) delete (place as Record<string, unknown>)[last];
  else (place as Record<string, unknown>)[last] = value;
  return copy;
}

describe.skipIf(!isThere)("the test of this test", () => {
  it.each(PLANTED)("[M13] finds %s in a %s", (_what, schema, path, value) => {
    const [name, offer, answer] = PAIRS.find(([each]) => each === "chromium.two-video-tracks")!;
    const call = AssistedCall.of([offer, answer]);
    report(call, "a", direct);
    report(call, "b", reversed(direct));
    const request = requestsOf(call.of("a")).find((each) => each.schema === schema);
    expect([name, request && faultsOf(request)]).toEqual([name, []]);
    const body = planted(request?.body, String(path), value);
    expect(faultsOf({ ...request!, body })).not.toEqual([]);
  });
});

describe.skipIf(!isThere)("request bodies from live calls in Chromium", () => {
  let browser: Browser;
  let turn: TurnServer;
  const SECRET = "turn-secret-of-the-test";

  beforeAll(async () => {
    browser = await launch("chromium");
    turn = await startCoturn([SECRET]);
  });

  afterAll(async () => {
    await browser?.close();
    await turn?.stop();
  });

  /** TURN REST. */
  const credentials = () => {
    const username = `${Math.floor(Date.now() / 1000) + 600}:test`;
    const credential = createHmac("sha1", SECRET).update(username).digest("base64");
    return { urls: turn.urls.filter((url) => url.endsWith("udp")), username, credential };
  };

  it.each([true, false])("[M13] through all its exchanges, data beside media: %s", async (data) => {
    const page = await browser.open(inject("baseUrl"));
    const exchanges = await livePair(page, { data });
    await page.close();
    const call = new AssistedCall({}).peers("a", "b");
    for (const { what, offer, answer, pairs } of exchanges) {
      call.exchange("a", "b", [offer, answer]);
      holdBoth(call);
      call.select("a", pairs.a.local, pairs.a.remote);
      call.select("b", pairs.b.local, pairs.b.remote);
      holdBoth(call);
      const link = call.of("a");
      const policy = dynamicPolicyOf(link, { policyTemplateId: "t", multiplex: true });
      if (what === "hold" && !data) expect(policy).toEqual({ lacks: "media" });
      else expect(policy).toHaveProperty("body");
      const { path } = link.transports[0]!;
      expect(path).toMatchObject({
        ...{ known: "pair", isRelayed: false },
        ue: { address: pairs.a.local.address, port: pairs.a.local.port },
        remotes: [{ address: pairs.a.remote.address, port: pairs.a.remote.port }],
      });
    }
    expect(exchanges).toHaveLength(4);
  });

  it("[M13] relayed: quality on demand is for the addresses and ports that coturn used", async () => {
    const page = await browser.open(inject("baseUrl"));
    const server = credentials();
    const exchanges = await livePair(page, { iceServers: [server], relayOnly: true });
    await page.close();
    const call = new AssistedCall({ iceTransportPolicy: "relay" }).peers("a", "b");
    const relay = [{ address: "127.0.0.1", port: turn.port }];
    for (const { what, offer, answer, pairs } of exchanges) {
      call.exchange("a", "b", [offer, answer]);
      holdBoth(call);
      call.select("a", pairs.a.local, pairs.a.remote);
      call.select("b", pairs.b.local, pairs.b.remote);
      holdBoth(call);
      for (const ue of ["a", "b"]) {
        // Chromium tells nobody of its own address then; the signalling server sees it, here without a NAT.
        const link = call.of(ue, { relay, seen: "127.0.0.1" });
        const sessions = qodSessionsOf(link, {
          ...{ durationSeconds: 60, profile: "QOS_M", device: "address" },
        });
        const body = {
          device: { ipv4Address: { publicAddress: "127.0.0.1", privateAddress: "127.0.0.1" } },
          applicationServer: { ipv4Address: "127.0.0.1" },
          applicationServerPorts: { ports: [turn.port] },
          ...{ qosProfile: "QOS_M", duration: 60 },
        };
        const result = what === "hold" ? { lacks: "media" } : { body };
        expect(sessions).toEqual([{ server: "127.0.0.1", result }]);
        expect(link.transports[0]?.path).toMatchObject({ known: "pair", isRelayed: true });
        expect(turn.log()).toContain(`UDP listener opened on: 127.0.0.1:${turn.port}`);
        const { port } = pairs[ue === "a" ? "a" : "b"].local;
        expect(turn.log()).toContain(`Local relay addr: 127.0.0.1:${port}`);
      }
    }
  });
});

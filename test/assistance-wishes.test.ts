import { describe, expect, it } from "vitest";
import { afterAct } from "../protocol/assistance/after-act.ts";
import type { Rates } from "../protocol/assistance/assisted.ts";
import { bpsOf } from "../protocol/assistance/bit-rate.ts";
import { assistedLink } from "../protocol/assistance/derive.ts";

import { emptyHolding, type Holding, type Wish } from "../protocol/assistance/holding.ts";
import type { NetworkStatus } from "../protocol/assistance/network.ts";
import type { NetworkAssistanceSession } from "../protocol/assistance/network-assistance.ts";
import { begun, nextAct } from "../protocol/assistance/next-act.ts";
import { nextPatience, PATIENCE, wishIn } from "../protocol/assistance/patience.ts";
import { DEFAULT_BPS } from "../protocol/assistance/rates.ts";
import { recordsOf, viewRequests } from "../protocol/assistance/records.ts";
import type { Relay } from "../protocol/assistance/relays.ts";
import { type Wanted, wantedOf } from "../protocol/assistance/wishes.ts";
import { readConfig } from "../protocol/config.ts";
import type { FromPeer } from "../protocol/messages.ts";
import { type Link, withLink } from "../protocol/session.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { Story } from "./verdict-story.ts";

const base = {
  prefixes: ["203.0.113.0/24"],
  defaults: { audioBps: 64_000, videoBps: 900_000, dataBps: 9_000 },
};
const QOD = {
  ...base,
  name: "qod",
  api: "camara-qod",
  url: "https://qod.example.net/v1",
  withoutQos: { uplinkBps: 200_000, downlinkBps: 300_000 },
  profiles: { half: { uplinkBps: 500_000 } },
  qod: {
    durationSeconds: 600,
    profiles: [
      {
        name: "small",
        maxUpstreamRate: { value: 200, unit: "kbps" },
        maxDownstreamRate: { value: 200, unit: "kbps" },
      },
      {
        name: "large",
        maxUpstreamRate: { value: 20, unit: "Mbps" },
        maxDownstreamRate: { value: 20, unit: "Mbps" },
      },
    ],
  },
};
const NEF = {
  ...base,
  name: "nef",
  api: "nef",
  url: "https://nef.example.net/v1",
  dnn: "internet",
  snssai: { sst: 1, sd: "0000FF" },
  nef: { scsAsId: "duplex", qosReference: "conv", altQosReferences: ["conv-half"] },
};
const AF = {
  ...base,
  defaults: {},
  name: "af",
  api: "rtc-af",
  url: "https://af.example.net/v1",
  snssai: { sst: 1 },
  rtcAf: { provisioningSession: "p1", policyTemplateId: "t1" },
};

const { networks } = readConfig({
  ASSISTANCE_NOTIFY_URL: "https://signal.example.com",
  ASSISTANCE_NETWORKS: JSON.stringify([QOD, NEF, AF]),
}).assistance;

const around = { networks, relays: [] };
const RELAYED = {
  local: {
    candidateType: "relay",
    address: "192.0.2.3",
    port: 50_000,
    protocol: "udp",
    relayProtocol: "udp",
    url: "turn:192.0.2.3:3478?transport=udp",
    relatedAddress: "203.0.113.7",
    relatedPort: 40_000,
  },
  remote: { candidateType: "relay", address: "192.0.2.3", port: 50_001, protocol: "udp" },
} as const;

/** Alice, who is in a network, has called Bob. */
function called(network: string, config: object = {}, phoneNumber?: string): Story {
  const story = new Story(config);
  const ue = { network, address: "203.0.113.7", ...(phoneNumber && { phoneNumber }) };
  return story
    .come("alice", "peer", { ue })
    .come("bob")
    .offer("alice", "bob")
    .answer("bob", "alice");
}

const connected = (story: Story, pair: object = RELAYED): Story =>
  story
    .candidates("alice", "bob", { host: 1 })
    .report("alice", "connected", { pair } as Partial<Extract<FromPeer, { type: "transport" }>>);

/** Alice has called Carol too, by the same TURN server. */
function calledTwice(): Story {
  const story = connected(called("qod")).come("carol");
  story.tell("alice", {
    type: "offer",
    to: "carol",
    sdp: story.session.links.get(AB)?.inForce?.offer.sdp ?? "",
  });
  const exchange = story.session.links.get("alice~carol")?.open?.exchange ?? 0;
  const sdp = (story.session.links.get(AB)?.inForce?.answer.sdp ?? "").replaceAll("bob", "carol");
  story.tell("carol", { type: "answer", to: "alice", exchange, sdp });
  const pair = { ...RELAYED, local: { ...RELAYED.local, relatedPort: 40_001 } };
  story.tell("alice", { type: "transport", to: "carol", state: "connected", pair });
  return story;
}

const wantedIn = (story: Story): readonly Wanted[] => wantedOf(story.session, around);

const shortOf = (story: Story) =>
  wantedIn(story).map(({ ue, network, links, mode, wish, lacks }) => ({
    ue,
    network,
    links,
    mode,
    ...(lacks && { lacks }),
    ...(wish && { asked: wish.asked, duration: wish.durationSeconds }),
  }));

const AB = "alice~bob";

describe("[M13] what a session wants of mobile networks", () => {
  it("[M13] nothing before an answer, of who is in none, and once all is over", () => {
    const story = new Story().come("alice", "peer", { ue: { network: "qod" } }).come("bob");
    story.offer("alice", "bob");
    expect(wantedIn(story)).toEqual([]);
    expect(wantedIn(new Story().agree())).toEqual([]);
    const over = called("qod");
    over.tell("bob", { type: "leave" });
    expect(wantedIn(over)).toEqual([]);
  });

  it("[M13] CAMARA: one session per server, with the profile that has room for the rates", () => {
    const story = called("qod");
    expect(shortOf(story)).toEqual([
      { ue: "alice", network: "qod", links: [AB], mode: "on", lacks: expect.any(String) },
    ]);
    const [wanted] = wantedIn(connected(story));
    expect(wanted?.key).toBe("qod 192.0.2.3 alice");
    expect(wanted?.wish).toMatchObject({
      durationSeconds: 600,
      asked: { profile: "small" },
      body: {
        applicationServer: { ipv4Address: "192.0.2.3" },
        applicationServerPorts: { ports: [3478] },
        qosProfile: "small",
      },
    });
  });

  it("[M13] CAMARA: links to one relay are one session, asked for what they need together", () => {
    const story = calledTwice();
    const [wanted, ...others] = wantedIn(story);
    expect(others).toEqual([]);
    expect(wanted?.links).toEqual([AB, "alice~carol"]);
    expect(wanted?.wish?.body.applicationServerPorts).toEqual({ ports: [3478] });
    const [one, both] = [connected(called("qod")), story].map((each) => wantedIn(each)[0]?.wish);
    expect(both?.asked?.uplinkBps).toBe(2 * (one?.asked?.uplinkBps ?? 0));
  });

  it("[M13] CAMARA: devices by phone number, a profile that is always the same", () => {
    const only = { ...QOD, qod: { device: "phone-number", profile: "voice" } };
    const other = readConfig({ ASSISTANCE_NETWORKS: JSON.stringify([only]) }).assistance.networks;
    const story = connected(called("qod", {}, "+15550100123"));
    const [wanted] = wantedOf(story.session, { networks: other, relays: [] });
    expect(wanted?.wish?.body).toMatchObject({
      device: { phoneNumber: "+15550100123" },
      qosProfile: "voice",
    });
  });

  it("[M13] NEF and RTC AF: one request per link, with slice and data network", () => {
    const [nef] = wantedIn(connected(called("nef")));
    expect(nef?.wish?.body).toMatchObject({
      qosReference: "conv",
      altQoSReferences: ["conv-half"],
      dnn: "internet",
      snssai: { sst: 1, sd: "0000FF" },
    });
    expect(nef?.wish?.asked?.profile).toBe("conv");
    const [af, recommending, ...others] = wantedIn(connected(called("af")));
    expect(others).toEqual([]);
    expect(recommending?.wish?.body).toHaveProperty("requestedQoS");
    expect(recommending?.key).not.toBe(af?.key);
    const quiet = { ...AF, rtcAf: { ...AF.rtcAf, recommendations: false } };
    const around = readConfig({ ASSISTANCE_NETWORKS: JSON.stringify([quiet]) }).assistance;
    const story = connected(called("af"));
    expect(wantedOf(story.session, { ...around, relays: [] })).toHaveLength(1);
    expect(af?.wish?.body).toMatchObject({ policyTemplateId: "t1", sliceInfo: { sst: 1 } });
    expect(af?.wish?.asked?.profile).toBe("t1");
    expect(wantedIn(called("nef"))[0]?.lacks).toBe("ue-address");
  });

  it("[M13] NEF and RTC AF: header extensions that mark packets, by the table of the network", () => {
    const markings = { "urn:x:mine": "PDU_SET_MARKING" };
    const around = readConfig({
      ASSISTANCE_NOTIFY_URL: "https://signal.example.com",
      ASSISTANCE_NETWORKS: JSON.stringify([
        { ...NEF, markings },
        { ...AF, markings },
      ]),
    }).assistance;
    const marked = (shape: Shape) =>
      sdpOf(shape).replace("a=mid:0\r\n", "a=mid:0\r\na=extmap:9 urn:x:mine\r\n");
    const bodiesOf = (network: string, { networks }: typeof around) => {
      const story = new Story().come("alice", "peer", { ue: { network } }).come("bob");
      story
        .offer("alice", "bob", marked({ of: "alice" }))
        .answer("bob", "alice", marked({ of: "bob", setup: "active" }));
      const end = (address: string) =>
        ({ candidateType: "host", address, port: 4000, protocol: "udp" }) as const;
      story.report("alice", "connected", {
        pair: { local: end("10.45.0.2"), remote: end("198.51.100.9") },
      });
      return wantedOf(story.session, { networks, relays: [] }).map(({ wish }) => wish?.body);
    };
    const said = {
      rtpHeaderExtInfo: { rtpHeaderExtType: "PDU_SET_MARKING", rtpHeaderExtId: 9 },
    };
    const [nef] = bodiesOf("nef", around);
    expect(nef).toMatchObject({ protoDescUl: said, protoDescDl: said });
    const [policy, recommending] = bodiesOf("af", around);
    const flow = { mediaTransportParameters: said };
    expect(policy?.applicationFlowBindings).toMatchObject([{ applicationFlowDescription: flow }]);
    expect(recommending?.applicationFlowDescription).toMatchObject(flow);
    expect(JSON.stringify(bodiesOf("nef", { networks }))).not.toContain("rtpHeaderExtInfo");
  });

  it("[M13] RTC AF: what is to be recommended is asked for all paths of a link, and recorded so", () => {
    const of = (shape: Shape) =>
      sdpOf({ sections: [{ kind: "audio" }, { kind: "video" }], ...shape }).replace(
        /a=group:BUNDLE[^\r]*\r\n/,
        "",
      );
    const story = new Story().come("alice", "peer", { ue: { network: "af" } }).come("bob");
    story
      .offer("alice", "bob", of({ of: "alice" }))
      .answer("bob", "alice", of({ of: "bob", setup: "active" }));
    const transports = story.session.links.get(AB)?.flows.transports ?? [];
    expect(transports).toHaveLength(2);
    const pair = {
      local: { candidateType: "host", address: "10.45.0.2", port: 4000, protocol: "udp" },
      remote: { candidateType: "host", address: "198.51.100.9", port: 5000, protocol: "udp" },
    } as const;
    for (const { id } of transports) {
      story.report("alice", "connected", { transport: id, pair });
    }
    const wish = wantedIn(story).find(({ key }) => key.endsWith("recommendations"))?.wish;
    if (!wish) throw new Error("nothing is wished for");
    const { requestedQoS } = wish.body as unknown as NetworkAssistanceSession;
    const uplinkBps = Math.round((DEFAULT_BPS.audio + DEFAULT_BPS.video) * 1.05);
    expect(bpsOf(requestedQoS.uplinkBitRates.maximumRequestedBitRate)).toBe(uplinkBps);
    expect(wish.asked).toEqual({ uplinkBps, downlinkBps: uplinkBps, profile: "t1" });
  });

  it("[M13] what candidates alone say is likely to be something else soon", () => {
    const phones = { ...QOD, qod: { device: "phone-number", profile: "voice" } };
    const around = readConfig({ ASSISTANCE_NETWORKS: JSON.stringify([phones]) }).assistance;
    const story = called("qod", {}, "+15550100123").candidates("bob", "alice", { host: 1 });
    const wanted = () => wantedOf(story.session, { ...around, relays: [] })[0];
    expect(wanted()).toMatchObject({ isTentative: true, wish: { body: { qosProfile: "voice" } } });
    connected(story);
    expect(wanted()?.wish).toBeDefined();
    expect(wanted()).not.toHaveProperty("isTentative");
  });

  it("[M13] a pair that the other end alone has told is to be told by the UE soon", () => {
    const story = called("qod");
    const pair = {
      local: { candidateType: "host", address: "198.51.100.9", port: 5000, protocol: "udp" },
      remote: { candidateType: "host", address: "203.0.113.7", port: 4000, protocol: "udp" },
    } as const;
    story.report("bob", "connected", { pair });
    expect(wantedIn(story)[0]).toMatchObject({ isTentative: true, isHearsay: true });
    story.report("alice", "connected", { pair: { local: pair.remote, remote: pair.local } });
    expect(wantedIn(story)[0]?.wish).toBeDefined();
    for (const name of ["isTentative", "isHearsay"]) {
      expect(wantedIn(story)[0]).not.toHaveProperty(name);
    }
  });

  it("[M13] of relays alone it is sure where they are reached, if there is one way to them", () => {
    const phones = { ...QOD, qod: { device: "phone-number", profile: "voice" } };
    const around = readConfig({ ASSISTANCE_NETWORKS: JSON.stringify([phones]) }).assistance;
    const story = called("qod", { iceTransportPolicy: "relay" }, "+15550100123");
    story.candidates("alice", "bob", { relay: 1 });
    const relay = { address: "8.8.4.7", port: 3478, protocol: "udp" } as const;
    const tentativeWith = (...relays: readonly Relay[]) =>
      wantedOf(story.session, { ...around, relays }).map(({ isTentative }) => isTentative);
    expect(tentativeWith(relay)).toEqual([undefined]);
    expect(tentativeWith(relay, { ...relay, protocol: "tcp" })).toEqual([true]);
    expect(tentativeWith(relay, { ...relay, port: 443 })).toEqual([true]);
  });

  it("[M13] a ceiling holds for its link, those of several that share a request together", () => {
    const asked = (story: Story) => wantedIn(story)[0]?.wish?.asked;
    const config = { maxUplinkBps: 50_000 };
    const one = connected(called("qod", config));
    const ceilings = ({ session }: Story, id: string) =>
      assistedLink(session, session.links.get(id) as Link, "alice")?.ceilings?.uplinkBps;
    expect(ceilings(one, AB)).toBe(50_000);
    expect(asked(one)?.uplinkBps).toBe(50_000);
    const free = asked(calledTwice()) as Required<Rates>;
    /** A description that takes no more than this in all. */
    const cap = (story: Story, id: string, whose: "offer" | "answer", kbps: number) => {
      const link = story.session.links.get(id) as Link;
      const inForce = link.inForce as NonNullable<Link["inForce"]>;
      const sdp = inForce[whose].sdp.replace("t=0 0", `b=AS:${kbps}\r\nt=0 0`);
      const capped = { ...inForce, [whose]: { ...inForce[whose], sdp } };
      story.session = withLink(story.session, { ...link, inForce: capped });
    };
    // Alice offers: the answers limit what she sends, her offers what she is sent.
    for (const [whose, limited] of [
      ["answer", { uplinkBps: 60_000 }],
      ["offer", { downlinkBps: 60_000 }],
    ] as const) {
      const two = calledTwice();
      cap(two, AB, whose, 40);
      expect(asked(two)).toEqual(free);
      cap(two, "alice~carol", whose, 20);
      expect(asked(two)).toEqual({ ...free, ...limited });
    }
  });

  it("[M13] a dry run wants the same, and says so", () => {
    expect(wantedIn(connected(called("nef", { assistance: "dry-run" })))[0]?.mode).toBe("dry-run");
  });
});

describe("[M13] while nobody knows the path", () => {
  const story = connected(called("qod"));
  const [sure] = wantedIn(story) as [Wanted];
  const other = { ...sure, wish: { ...(sure.wish as Wish), body: { duration: 60 } } };
  const guess: Wanted = { ...other, isTentative: true };
  const { wish: _, ...nothing } = sure;
  const hearsay: Wanted = { ...guess, isHearsay: true };
  const blind: Wanted = { ...nothing, lacks: "ue-address" };
  const now = { isAmid: true, waitedMs: 0 };
  const held = () => heldAs(sure, "camara-qod", { state: "granted" });

  it("[M13] what is held stays for a while, by whatever key; then it is what candidates say, or nothing", () => {
    for (const wanted of [guess, blind, undefined]) {
      expect(wishIn(wanted, held(), now)).toMatchObject({
        body: sure.wish?.body,
        asked: sure.wish?.asked,
        durationSeconds: sure.wish?.durationSeconds,
      });
    }
    const over = { isAmid: true, waitedMs: PATIENCE.heldMs };
    expect(wishIn(guess, held(), over)).toBe(guess.wish);
    expect(wishIn(blind, held(), over)).toBeUndefined();
    expect(wishIn(undefined, held(), over)).toBeUndefined();
  });

  it("[M13] what the other end says of the path is believed sooner: media run there already", () => {
    expect(wishIn(hearsay, undefined, now)).toBeUndefined();
    expect(wishIn(hearsay, held(), now)?.body).toEqual(sure.wish?.body);
    expect(nextPatience(hearsay, held(), now)).toBe(PATIENCE.candidatesMs);
    const later = { isAmid: true, waitedMs: PATIENCE.candidatesMs };
    for (const holding of [undefined, held()]) {
      expect(wishIn(hearsay, holding, later)).toBe(hearsay.wish);
      expect(nextPatience(hearsay, holding, later)).toBeUndefined();
    }
  });

  it("[M13] what is sure, or over, is so at once", () => {
    expect(wishIn(sure, held(), now)).toBe(sure.wish);
    expect(wishIn({ ...nothing, lacks: "media" }, held(), now)).toBeUndefined();
    expect(wishIn(undefined, held(), { isAmid: false, waitedMs: 0 })).toBeUndefined();
    expect(wishIn({ ...sure, mode: "dry-run" }, held(), now)).toBeUndefined();
  });

  it("[M13] nothing is asked for by a guess, but what can be completed later", () => {
    expect(wishIn(guess, undefined, now)).toBeUndefined();
    expect(wishIn({ ...guess, canBeCompleted: true }, undefined, now)).toBe(guess.wish);
    const later = { isAmid: true, waitedMs: PATIENCE.candidatesMs };
    expect(wishIn(guess, undefined, later)).toBe(guess.wish);
    const bare = { ...held(), held: { ...held().held, body: undefined } } as unknown as Holding;
    expect(wishIn(guess, bare, now)).toBeUndefined();
    const plain = heldAs({ ...sure, wish: { key: "k", network: "qod", body: {} } }, "nef", {
      state: "granted",
    });
    expect(wishIn(blind, plain, now)).toEqual({ key: sure.key, network: "qod", body: {} });
  });

  it("[M13] the end of it is waited for only where something changes then: whoever waits cannot sleep", () => {
    const { candidatesMs, heldMs } = PATIENCE;
    const at = (waitedMs: number) => ({ isAmid: true, waitedMs });
    // Nothing is held: a guess is asked for after a while, and nothing changes afterwards.
    expect(nextPatience(guess, undefined, now)).toBe(candidatesMs);
    expect(nextPatience(guess, undefined, at(candidatesMs))).toBeUndefined();
    expect(nextPatience(blind, undefined, now)).toBeUndefined();
    // What is held is given up for a guess, or for nothing; a guess that it was made for keeps it.
    expect(nextPatience(guess, held(), at(candidatesMs))).toBe(heldMs);
    expect(nextPatience(blind, held(), now)).toBe(heldMs);
    expect(nextPatience(undefined, held(), at(heldMs - 1))).toBe(heldMs);
    expect(nextPatience(blind, held(), at(heldMs))).toBeUndefined();
    expect(nextPatience({ ...sure, isTentative: true }, held(), now)).toBeUndefined();
    expect(nextPatience(sure, held(), now)).toBeUndefined();
  });
});

/** A holding after the network has said this. */
function heldAs(wanted: Wanted, api: Holding["api"], status: NetworkStatus): Holding {
  const empty = emptyHolding(wanted.key, wanted.network, api);
  const act = nextAct(empty, wanted.wish, 1);
  if (!act) throw new Error("nothing to do");
  return afterAct(begun(empty, act, 1), act, { type: "done", id: "r1", status }, 2, 0.5);
}

describe("[M13] what is shown of it", () => {
  const at = 1_700_000_000_000;

  function recordWith(status: NetworkStatus | undefined, network = "qod") {
    const story = connected(called(network));
    const [wanted] = wantedIn(story) as [Wanted];
    const holdings = new Map(
      status ? [[wanted.key, heldAs(wanted, "camara-qod", status)] as const] : [],
    );
    return recordsOf(story.session, [wanted], holdings, networks, at)[0]?.record;
  }

  it("[M13] what holds, and what is advised while it does not", () => {
    expect(recordWith(undefined)).toMatchObject({
      state: "requested",
      asked: { profile: "small" },
    });
    const granted = recordWith({ state: "granted" });
    expect(granted).toMatchObject({ state: "granted", granted: { profile: "small" } });
    expect(granted).not.toHaveProperty("advised");
    expect(recordWith({ state: "granted", profile: "half" })?.advised).toEqual({
      uplinkBps: 500_000,
    });
    expect(recordWith({ state: "impaired", profile: "half" })?.advised).toEqual({
      uplinkBps: 500_000,
    });
    expect(recordWith({ state: "impaired" })?.advised).toEqual(QOD.withoutQos);
    expect(recordWith({ state: "impaired", profile: "none" })?.advised).toEqual(QOD.withoutQos);
    expect(recordWith({ state: "ended", reason: "NETWORK_TERMINATED" })?.advised).toEqual(
      QOD.withoutQos,
    );
    // No profile of the configuration has such a name.
    for (const profile of ["constructor", "toString", "__proto__"]) {
      expect(recordWith({ state: "granted", profile })).not.toHaveProperty("advised");
      expect(recordWith({ state: "impaired", profile })?.advised).toEqual(QOD.withoutQos);
    }
    const own = { uplinkBps: 33_000 };
    expect(recordWith({ state: "granted", advised: own })?.advised).toEqual(own);
    expect(recordWith({ state: "impaired" }, "nef")).not.toHaveProperty("advised");
  });

  it("[M13] what one request of several links is worth is shared out among them", () => {
    const story = connected(called("qod"));
    const [one] = wantedIn(story) as [Wanted];
    const wanted = { ...one, links: [AB, "alice~carol"] };
    const advisedWith = (network: object, status: NetworkStatus) => {
      const shared = networks.map(({ withoutQos: _, ...each }) => ({ ...each, ...network }));
      const holdings = new Map([[wanted.key, heldAs(wanted, "camara-qod", status)]]);
      const ends = recordsOf(story.session, [wanted], holdings, shared, at);
      return ends.map(({ record }) => record.advised);
    };
    const impaired = { state: "impaired" } as const;
    const half = { uplinkBps: 250_000 };
    expect(advisedWith({}, { state: "granted", profile: "half" })).toEqual([half, half]);
    expect(advisedWith({}, impaired)).toEqual([undefined, undefined]);
    const withoutQos = { downlinkBps: 401 };
    expect(advisedWith({ withoutQos }, impaired)).toEqual([
      { downlinkBps: 200 },
      { downlinkBps: 200 },
    ]);
    const holdings = new Map([
      [wanted.key, { ue: "alice", holding: heldAs(wanted, "camara-qod", impaired) }],
    ]);
    const [shown] = viewRequests(story.session, [wanted], holdings, networks, at);
    expect(shown?.record.advised).toEqual(QOD.withoutQos);
  });

  it("[M13] since when it is so stays; a dry run asks nobody", () => {
    const story = connected(called("qod", { assistance: "dry-run" }));
    const wanted = wantedIn(story);
    const [end] = recordsOf(story.session, wanted, new Map(), networks, at);
    expect(end?.record).toMatchObject({ state: "dry-run", since: at });
    story.do({ type: "assistance", link: AB, peer: "alice", assistance: end?.record ?? null, at });
    const [later] = recordsOf(story.session, wanted, new Map(), networks, at + 9);
    expect(later?.record).toMatchObject({ state: "dry-run", since: at });
  });

  it("[M13] operators see since when it is so too, whenever they look", () => {
    const story = connected(called("qod"));
    const [wanted] = wantedIn(story) as [Wanted];
    const holding = heldAs(wanted, "camara-qod", { state: "impaired" });
    const entries = new Map([[wanted.key, { ue: "alice", holding }]]);
    const sinceIn = (each: Wanted) =>
      viewRequests(story.session, [each], entries, networks, at + 60_000)[0]?.record.since;
    expect(sinceIn(wanted)).toBe(at + 60_000);
    const [end] = recordsOf(
      story.session,
      [wanted],
      new Map([[wanted.key, holding]]),
      networks,
      at,
    );
    story.do({ type: "assistance", link: AB, peer: "alice", assistance: end?.record ?? null, at });
    expect(sinceIn(wanted)).toBe(at);
    // Its flows show another request of the same end: what is worse.
    const granted = heldAs(wanted, "camara-qod", { state: "granted" });
    const held = granted.held && { ...granted.held, grantedAt: at + 7 };
    entries.set("other", { ue: "alice", holding: { ...granted, held } });
    expect(sinceIn({ ...wanted, key: "other" })).toBe(at + 7);
  });

  it("[M13] of several requests for one end the worst is shown", () => {
    const story = connected(called("qod"));
    const [wanted] = wantedIn(story) as [Wanted];
    const other: Wanted = { ...wanted, key: "other", lacks: "device" };
    const { wish: _, ...lacking } = other;
    for (const both of [
      [wanted, lacking],
      [lacking, wanted],
    ]) {
      const holdings = new Map([[wanted.key, heldAs(wanted, "camara-qod", { state: "granted" })]]);
      const records = recordsOf(story.session, both, holdings, networks, at);
      expect(records.map(({ record }) => [record.state, record.reason])).toEqual([
        ["waiting", "device"],
      ]);
    }
  });

  it("[M13] what is recommended shows with the quality, whichever is asked first", () => {
    const story = connected(called("af"));
    const [policy, recommending] = wantedIn(story) as [Wanted, Wanted];
    const advised = { uplinkBps: 44_000 };
    const holdings = new Map([
      [policy.key, heldAs(policy, "rtc-af", { state: "requested" })],
      [recommending.key, heldAs(recommending, "rtc-af", { state: "granted", advised })],
    ]);
    for (const wanted of [
      [policy, recommending],
      [recommending, policy],
    ]) {
      const [end] = recordsOf(story.session, wanted, holdings, networks, at);
      expect(end?.record).toMatchObject({ state: "requested", advised });
    }
  });

  it("[M13] what a network recommends goes before what the configuration says for the state of another request", () => {
    const story = connected(called("af"));
    const [policy, recommending] = wantedIn(story) as [Wanted, Wanted];
    const withoutQos = { uplinkBps: 400_000, downlinkBps: 800_000 };
    const careful = networks.map((network) => ({ ...network, withoutQos }));
    const advisedWith = (advised: NetworkStatus["advised"]) => {
      const status: NetworkStatus = { state: "granted", ...(advised && { advised }) };
      const holdings = new Map([
        [policy.key, heldAs(policy, "rtc-af", { state: "impaired" })],
        [recommending.key, heldAs(recommending, "rtc-af", status)],
      ]);
      return [
        [policy, recommending],
        [recommending, policy],
      ].map((wanted) => recordsOf(story.session, wanted, holdings, careful, at)[0]?.record.advised);
    };
    const less = { uplinkBps: 44_000, downlinkBps: 55_000 };
    expect(advisedWith(less)).toEqual([less, less]);
    expect(advisedWith(undefined)).toEqual([withoutQos, withoutQos]);
  });

  it("[M13] what has ended and is asked for anew is advised as before until it is granted", () => {
    const story = connected(called("qod"));
    const [wanted] = wantedIn(story) as [Wanted];
    const advisedAfter = (status: NetworkStatus) => {
      const holdings = new Map([[wanted.key, heldAs(wanted, "camara-qod", status)]]);
      const [end] = recordsOf(story.session, [wanted], holdings, networks, at);
      const assistance = end?.record ?? null;
      story.do({ type: "assistance", link: AB, peer: "alice", assistance, at });
      return end?.record.advised;
    };
    expect(advisedAfter({ state: "requested" })).toBeUndefined();
    expect(advisedAfter({ state: "ended", reason: "NETWORK_TERMINATED" })).toEqual(QOD.withoutQos);
    expect(advisedAfter({ state: "requested" })).toEqual(QOD.withoutQos);
    expect(advisedAfter({ state: "requested" })).toEqual(QOD.withoutQos);
    expect(advisedAfter({ state: "granted" })).toBeUndefined();
    expect(advisedAfter({ state: "requested" })).toBeUndefined();
  });

  it("[M13] what is granted anew is not advised as before because recommendations are not there yet", () => {
    const story = connected(called("af"));
    const [policy, recommending] = wantedIn(story) as [Wanted, Wanted];
    const withoutQos = { uplinkBps: 400_000, downlinkBps: 800_000 };
    const careful = networks.map((network) => ({ ...network, withoutQos }));
    const advisedAfter = (status: NetworkStatus, other: NetworkStatus) => {
      const holdings = new Map([
        [policy.key, heldAs(policy, "rtc-af", status)],
        [recommending.key, heldAs(recommending, "rtc-af", other)],
      ]);
      const [end] = recordsOf(story.session, [policy, recommending], holdings, careful, at);
      const assistance = end?.record ?? null;
      story.do({ type: "assistance", link: AB, peer: "alice", assistance, at });
      return end?.record.advised;
    };
    const [granted, requested] = [{ state: "granted" }, { state: "requested" }] as const;
    expect(advisedAfter({ state: "ended" }, granted)).toEqual(withoutQos);
    expect(advisedAfter(requested, granted)).toEqual(withoutQos);
    expect(advisedAfter(requested, requested)).toEqual(withoutQos);
    expect(advisedAfter(granted, requested)).toBeUndefined();
    expect(advisedAfter(granted, granted)).toBeUndefined();
  });

  it("[M13] a network that left the configuration is no reason to fail, nor a link that is gone", () => {
    const story = connected(called("qod"));
    const wanted = wantedIn(story);
    const bare = withLink(story.session, {
      ...(story.session.links.get(AB) as NonNullable<ReturnType<typeof story.session.links.get>>),
      id: "alice~bobby",
    });
    expect(recordsOf({ ...bare, links: new Map() }, wanted, new Map(), [], at)).toHaveLength(1);
  });

  it("[M13] operators see every request, those that are being taken back too", () => {
    const story = connected(called("qod"));
    const [wanted] = wantedIn(story) as [Wanted];
    const held = heldAs(wanted, "camara-qod", { state: "granted" });
    const former = { ...held, key: "former" };
    const entries = new Map([
      [wanted.key, { ue: "alice", holding: held }],
      ["former", { ue: "carol", holding: former }],
    ]);
    const shown = viewRequests(null, [wanted], entries, networks, at);
    expect(shown).toMatchObject([
      { peer: "alice", links: [AB], mode: "on", resource: "r1", body: wanted.wish?.body },
      {
        peer: "carol",
        links: [],
        resource: "r1",
        body: wanted.wish?.body,
        record: { state: "ended" },
      },
    ]);
    const { wish: _, ...lacking } = { ...wanted, lacks: "device" as const };
    const [waiting] = viewRequests(null, [lacking], new Map(), networks, at);
    expect(waiting).not.toHaveProperty("body");
    expect(waiting).not.toHaveProperty("resource");
  });
});

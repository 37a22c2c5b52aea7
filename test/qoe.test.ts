import { describe, expect, it } from "vitest";
import type { Flow } from "../protocol/flow.ts";
import { Experience } from "../protocol/flow-quality.ts";
import type { QualityReport } from "../protocol/message-parts.ts";
import { isProblem } from "../protocol/problem.ts";
import { type ConsumptionReport, consumptionReports } from "../protocol/qoe/consumption.ts";
import { type MeasuredPeer, measuredPeer } from "../protocol/qoe/measured-peer.ts";
import { qoeReportXml } from "../protocol/qoe/report.ts";
import { element, escaped, textElement } from "../protocol/qoe/xml.ts";
import type { Transport } from "../protocol/transport.ts";
import { sdpOf } from "./descriptions.ts";
import { LiveRealm } from "./live-realm.ts";
import { call, callJson, KEY, type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { Story } from "./verdict-story.ts";

/** Quality of experience in records, and reports in the formats of 3GPP (M14). */

const SECTIONS = [{ kind: "audio" }, { kind: "video" }] as const;
const dateTime = (at: number): string => new Date(at).toISOString();
const SUBJECT = { session: "s1", peer: "bob", url: "wss://a.example/v1/x", dateTime };

const PICTURE = {
  measuredMs: 9_500,
  corruptions: 2,
  corruptionMs: 750,
  losses: 3,
  framesPerSecond: 24.5,
  jitters: 1,
  jitterMs: 5_000,
  syncLosses: 1,
  syncLossMs: 2_500,
  internalMs: 43,
  codecBps: 812_345,
} as const;

/** A call of Alice and Bob whose media run since now. */
const running = (): Story =>
  new Story().agree({ sections: SECTIONS }).report("alice", "connected").report("bob", "connected");

const measuredBy = (story: Story, peer: string): MeasuredPeer => {
  const measured = measuredPeer(story.session, peer);
  if (isProblem(measured)) throw new Error(measured.code);
  return measured;
};

const xmlOf = (story: Story, peer = "bob"): string =>
  qoeReportXml({ ...SUBJECT, peer }, measuredBy(story, peer).flows);

/** Elements of metrics with their values. */
const metricsIn = (xml: string): string[] =>
  [...xml.matchAll(/<rtc:QoeMetric>(.*?)<sv:delimiter>/g)].map(([, metric = ""]) => metric);

/** Reports of a peer about media that Alice sends. */
const measuring = (story: Story, kind: string, report: Omit<QualityReport, "flow">): Story =>
  story.measure("bob", { flow: story.flow("alice", kind), ...report });

describe("XML", () => {
  it("[M14] holds whatever a name holds, and nothing that no document may hold", () => {
    expect(escaped(`a<b>&"c"\n`)).toBe("a&#60;b&#62;&#38;&#34;c&#34;&#10;");
    expect(escaped("\u0000\ud800\uffff😀é")).toBe("\uFFFD\uFFFD\uFFFD😀é");
    expect(element("a", { b: "<", c: 1, d: undefined })).toBe('<a b="&#60;" c="1"/>');
    expect(element("a", {}, textElement("b", "&"), element("c", {}))).toBe(
      "<a><b>&#38;</b><c/></a>",
    );
  });
});

describe("a QoE report", () => {
  it("[M14] has one report for each metric that is known of a flow, in the units of the clause", () => {
    const story = measuring(running(), "video", { packets: 500, packetsLost: 7, qoe: PICTURE });
    story.measure("bob", { flow: story.flow("bob", "video"), roundTripMs: 31.6 });
    const xml = xmlOf(story);
    expect(metricsIn(xml)).toEqual([
      '<rtc:Corruption_Duration totalCorruptionDuration="750" numberOfCorruptionEvents="2"/>',
      '<rtc:Successive_Loss totalNumberofSuccessivePacketLoss="7" totalNumberOfSuccessivePacketLoss="7" numberOfSuccessiveLossEvents="3" numberOfReceivedPackets="500"/>',
      "<rtc:Frame_Rate>24.5</rtc:Frame_Rate>",
      '<rtc:Jitter_Duration totalJitterDuration="5" numberOfJitterEvents="1"/>',
      '<rtc:SyncLoss_Duration totalSyncLossDuration="2.5" numberOfSyncLossEvents="1"/>',
      '<rtc:Round_Trip_Time networkRTT="32" internalRTT="43"/>',
      '<rtc:Average_Codec_Bitrate averageCodecBitRate="812.345" averageCodecBitrate="812.345"/>',
    ]);
    expect(xml.match(/<QoeReport /g)).toHaveLength(7);
    expect(xml).toContain(
      `reportTime="${dateTime(story.at)}" reportPeriod="10" recordingSessionId="7331"`,
    );
    expect(xml).toContain(
      `<AvgThroughput numBytes="${Math.round((812_345 * 9_500) / 8000)}" activityTime="9500" t="${dateTime(story.at - 9_500)}" duration="9500"/>`,
    );
    expect(xml).toContain('duplex:mid="1" duplex:kind="video" duplex:direction="downlink"');
  });

  it("[M14] says nothing of what is not known, and zero where nothing happened", () => {
    const nothing = { measuredMs: 1, losses: 0, corruptions: 0, jitters: 0, syncLosses: 0 };
    const story = measuring(running(), "audio", { packets: 0, packetsLost: -2, qoe: nothing });
    expect(metricsIn(xmlOf(story))).toEqual([
      '<rtc:Corruption_Duration totalCorruptionDuration="0" numberOfCorruptionEvents="0"/>',
      '<rtc:Successive_Loss totalNumberofSuccessivePacketLoss="0" totalNumberOfSuccessivePacketLoss="0" numberOfSuccessiveLossEvents="0" numberOfReceivedPackets="0"/>',
      '<rtc:Jitter_Duration totalJitterDuration="0" numberOfJitterEvents="0"/>',
      '<rtc:SyncLoss_Duration totalSyncLossDuration="0" numberOfSyncLossEvents="0"/>',
    ]);
    const sent = running();
    sent.measure("bob", {
      flow: sent.flow("bob"),
      roundTripMs: 20,
      qoe: { measuredMs: 4_000, codecBps: 32_000 },
    });
    // Nobody knows what of the round trip is not the network's.
    expect(metricsIn(xmlOf(sent))).toEqual([
      '<rtc:Average_Codec_Bitrate averageCodecBitRate="32" averageCodecBitrate="32"/>',
    ]);
    expect(xmlOf(sent)).toContain('duplex:direction="uplink"');
  });

  it("[M14] says nothing of loss where nobody told how many packets were lost, or came", () => {
    const qoe = { measuredMs: 5_000, losses: 3 };
    for (const packets of [{}, { packets: 500 }, { packetsLost: 7 }]) {
      expect(metricsIn(xmlOf(measuring(running(), "audio", { ...packets, qoe })))).toEqual([]);
    }
    // Nor where the latest report has left them out.
    const story = measuring(running(), "audio", { packets: 500, packetsLost: 7, qoe });
    expect(metricsIn(xmlOf(story))).toHaveLength(1);
    measuring(story.wait(5), "audio", { bitrateBps: 30_000 });
    expect(metricsIn(xmlOf(story))).toEqual([]);
  });

  it("[M14] takes delays that a flow does not show from the others of its link", () => {
    const story = measuring(running(), "video", { qoe: { measuredMs: 5, internalMs: 70 } });
    measuring(story, "audio", { qoe: { measuredMs: 5, internalMs: 20 } });
    story.measure(
      "bob",
      { flow: story.flow("bob"), roundTripMs: 12, qoe: { measuredMs: 5 } },
      { flow: story.flow("bob", "video"), roundTripMs: 14, qoe: { measuredMs: 5 } },
    );
    const delays = metricsIn(xmlOf(story)).sort();
    expect(delays).toEqual([
      '<rtc:Round_Trip_Time networkRTT="12" internalRTT="20"/>',
      '<rtc:Round_Trip_Time networkRTT="12" internalRTT="20"/>',
      '<rtc:Round_Trip_Time networkRTT="12" internalRTT="70"/>',
      '<rtc:Round_Trip_Time networkRTT="14" internalRTT="20"/>',
    ]);
  });

  it("[M14] takes delays from the newest that runs, and nothing from what is over for what runs", () => {
    const story = measuring(running(), "video", { qoe: { measuredMs: 5 } });
    story.measure(
      "bob",
      { flow: story.flow("alice"), qoe: { measuredMs: 5, internalMs: 20 } },
      { flow: story.flow("bob"), roundTripMs: 12 },
      { flow: story.flow("bob", "video"), roundTripMs: 14 },
    );
    const { flows } = measuredBy(story, "bob");
    const trips = (changed: Readonly<Record<string, Partial<Flow>>>) =>
      metricsIn(
        qoeReportXml(
          SUBJECT,
          flows.map((flow) => ({ ...flow, ...changed[flow.id] })),
        ),
      )
        .filter((metric) => metric.includes("Round_Trip"))
        .map((metric) => metric.replace(/[^\d ]+/g, "").trim());
    const [newest, over] = [
      { since: story.at + 1 },
      { state: "ended", since: story.at + 2 },
    ] as const;
    const [sound, picture] = [story.flow("bob"), story.flow("bob", "video")];
    const heard = story.flow("alice");
    expect(trips({ [sound]: newest })).toEqual(["12 20", "12 20"]);
    expect(trips({ [picture]: newest })).toEqual(["14 20", "14 20"]);
    // What is over is newest, and is passed over.
    expect(trips({ [picture]: over })).toEqual(["12 20", "12 20"]);
    expect(trips({ [sound]: over, [picture]: over })).toEqual([]);
    expect(trips({ [heard]: over })).toEqual(["12 20"]);
    // Of what is over, all that is known is as good.
    expect(trips({ [sound]: over, [picture]: over, [heard]: over })).toEqual(["12 20"]);
    const all = Object.fromEntries(flows.map(({ id }) => [id, over]));
    expect(trips(all)).toEqual(["12 20", "12 20"]);
  });

  it("[M14] holds no more than the types of its schema, whatever a record has", () => {
    const most = 0xffff_ffff;
    expect(
      [most, most + 1].map((measuredMs) => Experience.safeParse({ measuredMs }).success),
    ).toEqual([true, false]);
    const story = measuring(running(), "audio", {
      roundTripMs: 1e300,
      qoe: { measuredMs: 1e300, internalMs: Number.MAX_SAFE_INTEGER },
    });
    const xml = xmlOf(story);
    expect(metricsIn(xml)).toEqual([
      `<rtc:Round_Trip_Time networkRTT="${most}" internalRTT="${most}"/>`,
    ]);
    expect(xml).toContain(
      `activityTime="${most}" t="${dateTime(story.at - most)}" duration="${most}"`,
    );
  });

  it("[M14] is empty of who has measured nothing, and does not count more bytes than its type holds", () => {
    const story = measuring(running(), "audio", { bitrateBps: 30_000 });
    expect(metricsIn(xmlOf(story))).toEqual([]);
    expect(xmlOf(story, "alice")).not.toContain("<QoeReport");
    const long = { measuredMs: 86_400_000, codecBps: 1_000_000 };
    expect(xmlOf(measuring(story, "video", { qoe: long }))).toContain('numBytes="4294967295"');
  });
});

describe("the record of a flow", () => {
  it("[M14] keeps the latest that an end has experienced, and when it said so", () => {
    const story = measuring(running(), "video", { qoe: PICTURE });
    const flowOf = (): Flow | undefined =>
      measuredBy(story, "bob").flows.find(({ id }) => id === story.flow("alice", "video"));
    expect(flowOf()?.quality).toEqual({ bob: { qoe: { ...PICTURE, at: story.at } } });
    story.wait(5);
    measuring(story, "video", { qoe: { measuredMs: 14_500, losses: 3 } });
    expect(flowOf()?.quality).toEqual({
      bob: { qoe: { measuredMs: 14_500, losses: 3, at: story.at } },
    });
  });

  it("[M14] has what was experienced when later figures say nothing of it", () => {
    const story = measuring(running(), "video", { bitrateBps: 1, qoe: PICTURE });
    const { at } = story;
    measuring(story.wait(5), "video", { bitrateBps: 2 });
    const flow = measuredBy(story, "bob").flows.find(
      ({ id }) => id === story.flow("alice", "video"),
    );
    expect(flow?.quality).toEqual({ bob: { bitrateBps: 2, qoe: { ...PICTURE, at } } });
  });
});

const consumedBy = (story: Story, peer = "bob", transports?: Transport[]): ConsumptionReport[] => {
  const measured = measuredBy(story, peer);
  const consumer = { ...SUBJECT, peer, at: story.at };
  return consumptionReports(consumer, measured.flows, transports ?? measured.transports);
};

const end = (port: number, more: object = {}) => ({
  candidateType: "host",
  address: "192.0.2.7",
  port,
  protocol: "udp",
  ...more,
});

describe("a consumption report", () => {
  it("[M14] has a unit for each m-line, and lasts longer each time it is made", () => {
    const story = running();
    const startTime = dateTime(story.at);
    const units = (duration: number) =>
      ["0", "1"].map((mediaConsumed) => ({ mediaConsumed, startTime, duration }));
    const report = (duration: number) => ({
      reportingClientId: "bob",
      sessionId: `s1/${[...story.session.links.keys()][0]}`,
      mediaPlayerEntry: SUBJECT.url,
      consumptionReportingUnits: units(duration),
    });
    // More than nothing, from the start.
    expect(consumedBy(story)).toEqual([report(1)]);
    story.wait(20);
    expect(consumedBy(story)).toEqual([report(20)]);
    story.wait(5);
    expect(consumedBy(story)).toEqual([report(25)]);
    story.leave("alice").wait(60);
    expect(consumedBy(story)).toEqual([report(25)]);
    expect(consumedBy(story, "alice")).toEqual([{ ...report(25), reportingClientId: "alice" }]);
  });

  it("[M14] counts the direction that ran longest, and not what is held", () => {
    const story = running().wait(10);
    story.tell("alice", { type: "flow", flow: story.flow("alice", "video"), held: true }).wait(10);
    story.tell("bob", { type: "flow", flow: story.flow("bob", "video"), held: true }).wait(10);
    const [report] = consumedBy(story);
    expect(report?.consumptionReportingUnits.map(({ duration }) => duration)).toEqual([30, 20]);
  });

  it("[M14] names both ends of the path of RTP where they are known, and is not made of what never ran", () => {
    const none = new Story().agree({ sections: SECTIONS });
    expect(consumedBy(none)).toEqual([]);
    const story = none.report("alice", "connected").report("bob", "connected", {
      pair: { local: end(4_000), remote: end(5_000, { address: "198.51.100.9" }) } as never,
    });
    story.wait(1);
    const [unit] = consumedBy(story)[0]?.consumptionReportingUnits ?? [];
    expect(unit).toMatchObject({
      clientEndpointAddress: { domainName: "192.0.2.7", portNumbers: [4_000], portNumber: 4_000 },
      serverEndpointAddress: {
        domainName: "198.51.100.9",
        portNumbers: [5_000],
        portNumber: 5_000,
      },
    });
    const withTuples = (change: (tuple: Transport["fiveTuples"][number]) => object) =>
      measuredBy(story, "bob").transports.map((transport) => ({
        ...transport,
        fiveTuples: transport.fiveTuples.map((tuple) => ({ ...tuple, ...change(tuple) })),
      })) as Transport[];
    for (const transports of [
      withTuples(() => ({ component: "rtcp" })),
      withTuples(() => ({ local: { address: "192.0.2.7" }, remote: { port: 1 } })),
      [],
    ]) {
      const [bare] = consumedBy(story, "bob", transports)[0]?.consumptionReportingUnits ?? [];
      expect(Object.keys(bare ?? {})).toEqual(["mediaConsumed", "startTime", "duration"]);
    }
  });
});

describe("who reads reports of a peer", () => {
  it("[M14] the back end, observers and the peer itself, which may have left", () => {
    const story = running().come("carol").come("watcher", "observer");
    const read = (peer: string, id?: string, role: "peer" | "observer" = "peer") => {
      const measured = measuredPeer(
        story.session,
        peer,
        id === undefined ? undefined : { id, role },
      );
      return isProblem(measured) ? measured.code : measured.flows.length;
    };
    expect([read("bob"), read("bob", "bob"), read("bob", "watcher", "observer")]).toEqual([
      4, 4, 4,
    ]);
    expect([read("bob", "alice"), read("nobody", "alice")]).toEqual([
      "not-permitted",
      "not-permitted",
    ]);
    expect([read("carol"), read("nobody")]).toEqual([0, "unknown-peer"]);
    story.leave("bob");
    expect([read("bob"), read("bob", "bob")]).toEqual([4, 4]);
  });

  it("[M14] an endpoint of SWAP comes through its realm", () => {
    const story = running();
    const bob = story.session.peers.get("bob");
    const endpoint = { realm: "home", source: "0123456789" };
    const peers = new Map(story.session.peers).set("bob", { ...bob!, endpoint });
    expect(measuredPeer({ ...story.session, peers }, "bob")).toMatchObject({ realm: "home" });
    expect(measuredBy(story, "bob")).not.toHaveProperty("realm");
  });
});

async function connect(one: LivePeer, other: LivePeer): Promise<void> {
  const offer = { type: "offer", id: 1, to: other.id, sdp: sdpOf({ sections: SECTIONS }) };
  expect(await one.request(offer)).toMatchObject({ type: "ack", exchange: 1 });
  const sdp = sdpOf({ of: "bob", sections: SECTIONS, setup: "active" });
  const answer = { type: "answer", id: 1, to: one.id, exchange: 1, sdp };
  expect(await other.request(answer)).toMatchObject({ type: "ack" });
  for (const [peer, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const report = { type: "transport", id: 2, to: to.id, state: "connected" };
    expect(await peer.request(report)).toMatchObject({ type: "ack" });
  }
}

describe.each(MODES)("reports over HTTP, %s", (mode) => {
  it("[M14] are made of what the peer has told last", async () => {
    const session = await LiveSession.start(mode);
    const [alice, bob] = [await session.join(), await session.join()];
    await connect(alice, bob);
    const { flows } = await session.read<{ flows: Flow[] }>("/flows");
    const flow = flows.find(({ from, kind }) => from === alice.id && kind === "video")?.id;
    const report = { flow, packets: 500, packetsLost: 7, qoe: PICTURE };
    const message = { type: "quality", id: 3, to: alice.id, flows: [report] };
    expect(await bob.request(message)).toMatchObject({ type: "ack" });
    await session.pause();
    const path = `${session.path}/peers/${bob.id}`;
    const read = await call(`${path}/qoe`, { headers: KEY });
    expect([read.status, read.headers.get("content-type")]).toEqual([
      200,
      "application/3gprtc-qoe-report+xml",
    ]);
    const xml = await read.text();
    expect(metricsIn(xml)).toHaveLength(6);
    expect(xml).toContain(`contentURI="wss://duplex.test${session.path}/signalling"`);
    expect(xml).toContain(`clientID="${bob.id}"`);
    const consumed = await callJson(`${path}/consumption`, "GET");
    expect(await consumed.json()).toMatchObject({
      reports: [
        {
          reportingClientId: bob.id,
          consumptionReportingUnits: [{ mediaConsumed: "0" }, { mediaConsumed: "1" }],
        },
      ],
    });
    const own = { authorization: `Bearer ${alice.token}` };
    for (const report of ["qoe", "consumption"]) {
      const refused = await callJson(`${path}/${report}`, "GET", undefined, own);
      expect(await refused.json()).toMatchObject({ status: 403, code: "not-permitted" });
      const nobody = await callJson(`${session.path}/peers/nobody/${report}`, "GET");
      expect(await nobody.json()).toMatchObject({ status: 404, code: "unknown-peer" });
      const long = await callJson(`${session.path}/peers/${"x".repeat(65)}/${report}`, "GET");
      expect(await long.json()).toMatchObject({ status: 400, code: "invalid-request" });
    }
  });

  it("[M14] of an endpoint of SWAP name the WebSocket of its realm", async () => {
    const realm = new LiveRealm(mode);
    const session = await LiveSession.start(mode);
    const desk = await session.join();
    const criteria = [{ type: "user", value: "desk" }];
    const put = { session: session.id, criteria };
    await callJson(`/v1/realms/${realm.name}/peers/${desk.id}`, "PUT", put);
    const phone = await realm.connect();
    const candidate = "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host";
    const offer = sdpOf().replace(/a=mid:\S+\r\n/g, (mid) => `${mid}${candidate}\r\n`);
    await phone.say("connect", { offer, matching_criteria: criteria });
    const { from } = await desk.next("offer");
    const path = `${session.path}/peers/${from}`;
    const xml = await (await call(`${path}/qoe`, { headers: KEY })).text();
    expect(xml).toContain(`contentURI="wss://duplex.test/${realm.name}/3gpp-swap/v1"`);
    const consumed = await callJson(`${path}/consumption`, "GET");
    expect(await consumed.json()).toEqual({ reports: [] });
  });

  it("[M14] a report that no browser makes is refused", async () => {
    const session = await LiveSession.start(mode);
    const [alice, bob] = [await session.join(), await session.join()];
    await connect(alice, bob);
    let id = 2;
    const tell = (qoe: object) => {
      id += 1;
      return bob.request({
        type: "quality",
        id,
        to: alice.id,
        flows: [{ flow: "x", qoe }],
      } as never);
    };
    for (const qoe of [
      {},
      { measuredMs: 0 },
      { measuredMs: 2 ** 32 },
      { measuredMs: 5, losses: -1 },
    ]) {
      expect(await tell(qoe)).toMatchObject({ type: "problem", code: "invalid-message" });
    }
    expect(await tell({ measuredMs: 5, losses: 1 })).toMatchObject({ type: "ack" });
  });
});

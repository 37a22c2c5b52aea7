import { describe, expect, it } from "vitest";
import { type AppSessionOptions, appSessionOf } from "../protocol/assistance/app-session.ts";
import type { AssistedLink, Mapped } from "../protocol/assistance/assisted.ts";
import { bitRateOf, bpsOf } from "../protocol/assistance/bit-rate.ts";
import { dynamicPolicyOf } from "../protocol/assistance/dynamic-policy.ts";
import { UNVERIFIED_MARKINGS } from "../protocol/assistance/markings.ts";
import { sharedMediaType } from "../protocol/assistance/media-type.ts";
import { networkAssistanceSessionOf } from "../protocol/assistance/network-assistance.ts";
import { durationWithin, profileFor, type QosProfile } from "../protocol/assistance/qod-profile.ts";
import { type QodSessionOptions, qodSessionsOf } from "../protocol/assistance/qod-session.ts";
import {
  type QosSubscriptionOptions,
  qosSubscriptionOf,
} from "../protocol/assistance/qos-subscription.ts";
import { DEFAULT_BPS, type RateDefaults, ratesOf } from "../protocol/assistance/rates.ts";
import type { PairEnd } from "../protocol/transport.ts";
import { AssistedCall } from "./assisted-call.ts";
import { pairOf } from "./flow-call.ts";
import { AUDIO, DATA, textOf, VIDEO } from "./link-negotiation.ts";
import { accepted } from "./pure-session.ts";

const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";
const VP8 = ["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000"];

const both = (...lines: string[]): [string, string] => [textOf(...lines), textOf(...lines)];

/** Audio and video of an app on one 5-tuple; lines of each section besides. */
const bundled = (audio: readonly string[] = [], video: readonly string[] = []) => [
  "a=group:BUNDLE 0 1",
  ...[AUDIO, "a=mid:0", "a=rtcp-mux", `a=extmap:4 ${MID}`, ...audio],
  ...[...VP8, "a=mid:1", "a=rtcp-mux", `a=extmap:4 ${MID}`, ...video],
];

const UE = { address: "10.45.0.2", port: 50_000 };
const PUBLIC = { address: "203.0.113.7", port: 4444 };
const OTHER = { address: "198.51.100.9", port: 3478 };

/** With the pair that both ends report. */
const paired = (call: AssistedCall): AssistedCall =>
  call
    .select("a", { ...UE, protocol: "udp" }, OTHER)
    .select("b", OTHER, { ...PUBLIC, candidateType: "srflx" });

const call = (...lines: string[]): AssistedCall => paired(AssistedCall.of(both(...lines)));

/** The same with video one way; `direction` is that of the answer. */
const oneWay = (direction: string): AssistedCall =>
  paired(AssistedCall.of([textOf(...bundled()), textOf(...bundled([], [`a=${direction}`]))]));

function bodyOf<Body>(mapped: Mapped<Body>): Body {
  if ("lacks" in mapped) throw new Error(`lacks ${mapped.lacks}`);
  return mapped.body;
}

const policy = (link: AssistedLink, multiplex: boolean, more = {}) =>
  bodyOf(dynamicPolicyOf(link, { policyTemplateId: "template", multiplex, ...more }));
const nef = (link: AssistedLink, more: Partial<QosSubscriptionOptions> = {}) =>
  qosSubscriptionOf(link, { qosReference: "conv-video", multiplex: false, ...more });
const pcf = (link: AssistedLink, more: Partial<AppSessionOptions> = {}) =>
  appSessionOf(link, { notifUri: "https://sig.example.com/pcf", multiplex: false, ...more });
const components = (link: AssistedLink, more: Partial<AppSessionOptions> = {}) =>
  bodyOf(pcf(link, more)).ascReqData.medComponents;
const qod = (link: AssistedLink, more: Partial<QodSessionOptions> = {}) =>
  qodSessionsOf(link, { durationSeconds: 3600, profile: "QOS_M", device: "address", ...more });
const lackOf = (mapped: Mapped<unknown> | undefined) =>
  mapped && "lacks" in mapped ? mapped.lacks : undefined;

describe("bit rates", () => {
  it.each([
    [0, "0 bps"],
    [999, "999 bps"],
    [64_000, "64 Kbps"],
    [2_500_000, "2500 Kbps"],
    [3_000_000, "3 Mbps"],
    [2e9, "2 Gbps"],
    [1e12, "1 Tbps"],
    [1.2, "2 bps"],
  ])("[M13] %s is %s", (bps, text) => {
    expect(bitRateOf(bps)).toBe(text);
    expect(bpsOf(text)).toBe(Math.ceil(bps));
    // The pattern that is published.
    expect(text).toMatch(/^\d+(\.\d+)? (bps|Kbps|Mbps|Gbps|Tbps)$/);
  });

  it("[M13] fractions are read, other texts are not", () => {
    expect(bpsOf("2.5 Mbps")).toBe(2_500_000);
    for (const text of ["", "2.5", "2,5 Mbps", "2 mbps", "-1 bps", "1 bps "]) {
      expect(bpsOf(text)).toBeUndefined();
    }
  });
});

describe("what a link takes", () => {
  const ratesWith = (lines: readonly string[], defaults?: RateDefaults) =>
    ratesOf(call(...lines).of("a"), defaults);

  it("[M13] the sum of what runs, and 5 percent for the RTCP of each", () => {
    const rates = ratesWith(bundled(["b=AS:64"], ["b=AS:400"]));
    expect(rates).toEqual({ uplinkBps: 487_200, downlinkBps: 487_200 });
  });

  it("[M13] what nobody says a rate of has that of its codec or kind", () => {
    const { audio, video } = DEFAULT_BPS;
    expect(ratesWith(bundled()).uplinkBps).toBe(Math.round((audio + video) * 1.05));
    expect(ratesWith(bundled(), { audio: 100, video: 200 }).uplinkBps).toBe(315);
    const codecs = { codecs: { vp8: 1000, pcmu: 2000 }, video: 7 };
    expect(ratesWith(bundled(), codecs).uplinkBps).toBe(3150);
    expect(ratesWith([DATA, "a=mid:0"]).uplinkBps).toBe(DEFAULT_BPS.data);
  });

  it.each([
    ["both", ["b=RS:100", "b=RR:200"], 64_300],
    ["none at all", ["b=RS:0", "b=RR:0"], 64_000],
    ["one, more than the share", ["b=RS:5000"], 69_000],
    ["one, less than the share", ["b=RR:100"], 67_200],
  ])("[M13] RTCP as b= says: %s", (_what, lines, bps) => {
    expect(ratesWith([AUDIO, "b=AS:64", ...lines, "a=mid:0"]).uplinkBps).toBe(bps);
  });

  it("[M13] what is held takes nothing", () => {
    const talk = call(...bundled(["b=AS:64"], ["b=AS:400"]));
    accepted(talk.send("b", { type: "flow", flow: "a~b:1.1:a", held: true }));
    expect(ratesOf(talk.of("a"))).toEqual({ uplinkBps: 67_200, downlinkBps: 487_200 });
    expect(ratesOf(talk.of("b"))).toEqual({ uplinkBps: 487_200, downlinkBps: 67_200 });
  });

  it("[M13] all together no more than the ceiling, which each gives way to in proportion", () => {
    const capped = AssistedCall.of([
      textOf("b=CT:100", ...bundled(["b=AS:100"], ["b=AS:300"])),
      textOf(...bundled(["b=AS:100"], ["b=AS:300"])),
    ]);
    expect(ratesOf(capped.of("a"))).toEqual({ uplinkBps: 420_000, downlinkBps: 100_000 });
    const [audio, video] = policy(capped.of("a"), true).applicationFlowBindings;
    expect(audio?.qosSpecification.downlinkBitRates.maximumRequestedBitRate).toBe("25 Kbps");
    expect(video?.qosSpecification.downlinkBitRates.maximumRequestedBitRate).toBe("75 Kbps");
  });
});

describe("TS 26.510 Dynamic Policy", () => {
  it("[M13] one binding per BUNDLE group, with the sum, where multiplexed media is unknown", () => {
    const { applicationFlowBindings, ...rest } = policy(
      call(...bundled(["b=AS:64"], ["b=AS:400"])).of("a"),
      false,
      { sessionId: "mine", dnn: "internet", snssai: { sst: 1, sd: "0000AB" } },
    );
    expect(rest).toEqual({
      sessionId: "mine",
      policyTemplateId: "template",
      sliceInfo: { sst: 1, sd: "0000AB" },
      dataNetworkName: "internet",
    });
    const rates = {
      maximumRequestedBitRate: "487200 bps",
      minimumDesiredBitRate: "277200 bps",
      minimumRequestedBitRate: "151200 bps",
    };
    expect(applicationFlowBindings).toEqual([
      {
        componentReference: "0",
        applicationFlowDescription: {
          filterMethod: "5_TUPLE",
          packetFilter: {
            direction: "BIDIRECTIONAL",
            sourceAddress: { ipv4Addr: OTHER.address },
            destinationAddress: { ipv4Addr: UE.address },
            protocolNumber: 17,
            sourcePort: OTHER.port,
            destinationPort: UE.port,
          },
          mediaType: "VIDEO",
        },
        qosSpecification: { downlinkBitRates: rates, uplinkBitRates: rates },
      },
    ]);
  });

  it("[M13] one binding per m-section with MID, payload types, SSRC and header extension", () => {
    const [audio, video] = policy(
      call(...bundled(["a=ssrc:11 cname:x"], ["a=ssrc:22 cname:x"])).of("a"),
      true,
    ).applicationFlowBindings;
    const infos = (ssrcId: number, payloadType: number, identificationTag: string) => [
      { ssrcId, payloadType, identificationTag, rtpSdesHdrExtId: 4 },
    ];
    expect(audio?.componentReference).toBe("0");
    expect(audio?.applicationFlowDescription).toMatchObject({
      mediaType: "AUDIO",
      uplinkMultiplexedMediaInfos: infos(11, 0, "0"),
      downlinkMultiplexedMediaInfos: infos(11, 0, "0"),
    });
    expect(video?.applicationFlowDescription).toMatchObject({
      mediaType: "VIDEO",
      uplinkMultiplexedMediaInfos: infos(22, 96, "1"),
    });
  });

  it("[M13] between UEs both directions list the same; to a media server each its own", () => {
    const pair = pairOf("chromium-to-janus.videoroom-publish");
    const arrays = (link: AssistedLink) =>
      policy(link, true).applicationFlowBindings.map(({ applicationFlowDescription: flow }) => [
        flow?.uplinkMultiplexedMediaInfos,
        flow?.downlinkMultiplexedMediaInfos,
      ]);
    const mutual = arrays(paired(AssistedCall.of(pair)).of("a"));
    expect(mutual.length).toBe(2);
    for (const [uplink, downlink] of mutual) {
      expect(uplink?.length).toBeGreaterThan(0);
      expect(uplink).toEqual(downlink);
    }
    const served = new AssistedCall().peers("a").serve("b").exchange("a", "b", pair);
    for (const [uplink, downlink] of arrays(paired(served).of("a"))) {
      expect(uplink?.length).toBeGreaterThan(0);
      expect(downlink).toBeUndefined();
    }
    const twoWays = new AssistedCall().peers("a").serve("b");
    twoWays.exchange("a", "b", both(...bundled(["a=ssrc:1 cname:x"], ["a=ssrc:2 cname:x"])));
    expect(arrays(paired(twoWays).of("a"))[0]?.[1]).toHaveLength(1);
  });

  it("[M13] without mid there is no tag; the binding is called by the m-line", () => {
    const [binding] = policy(
      call(AUDIO, `a=extmap:4 ${MID}`).of("a"),
      true,
    ).applicationFlowBindings;
    expect(binding?.componentReference).toBe("i0");
    expect(binding?.applicationFlowDescription?.uplinkMultiplexedMediaInfos).toEqual([
      { payloadType: 0 },
    ]);
  });

  it.each([
    ["sendrecv", "BIDIRECTIONAL", "BIDIRECTIONAL"],
    ["sendonly", "DOWNLINK", "UPLINK"],
    ["recvonly", "UPLINK", "DOWNLINK"],
    ["inactive", "BIDIRECTIONAL", "BIDIRECTIONAL"],
  ])("[M13] %s in the answer: offerer %s, answerer %s", (direction, offerer, answerer) => {
    const talk = oneWay(direction);
    const video = (ue: string) => policy(talk.of(ue), true).applicationFlowBindings[1];
    const filter = (ue: string) => {
      const flow = video(ue)?.applicationFlowDescription;
      return flow && "packetFilter" in flow ? flow.packetFilter : undefined;
    };
    expect(filter("a")?.direction).toBe(offerer);
    expect(filter("b")?.direction).toBe(answerer);
    const [from, to] = offerer === "UPLINK" ? [UE, OTHER] : [OTHER, UE];
    expect(filter("a")).toMatchObject({ sourcePort: from.port, destinationPort: to.port });
    const isOff = (ue: string, way: "uplinkBitRates" | "downlinkBitRates") =>
      video(ue)?.qosSpecification[way].maximumRequestedBitRate === "0 bps";
    expect(isOff("a", "uplinkBitRates")).toBe(!/sendrecv|recvonly/.test(direction));
    expect(isOff("a", "downlinkBitRates")).toBe(!/sendrecv|sendonly/.test(direction));
    expect(isOff("b", "uplinkBitRates")).toBe(isOff("a", "downlinkBitRates"));
  });

  it.each([
    ["inactive", "answer"],
    ["sendonly", "hold"],
  ])(
    "[M13] what nobody sends any more, or has not yet (%s, %s), takes none of what does on its 5-tuple",
    (first, last) => {
      const talk = oneWay(first);
      if (last === "hold") {
        talk.exchange("a", "b", [textOf(...bundled()), textOf(...bundled([], ["a=inactive"]))]);
      }
      for (const ue of ["a", "b"]) {
        for (const isBetweenUes of [true, false]) {
          const link = { ...talk.of(ue), isBetweenUes };
          const told = [{ payloadType: 96, identificationTag: "1", rtpSdesHdrExtId: 4 }];
          const flow = policy(link, true).applicationFlowBindings[1]?.applicationFlowDescription;
          expect(flow).toMatchObject({
            packetFilter: { direction: "BIDIRECTIONAL" },
            uplinkMultiplexedMediaInfos: told,
            downlinkMultiplexedMediaInfos: told,
          });
          const infos = { mpxMediaUlInfos: told, mpxMediaDlInfos: told };
          expect(bodyOf(nef(link, { multiplex: true })).flowInfo[1]).toMatchObject(infos);
          expect(components(link, { multiplex: true })[2]).toMatchObject({
            fStatus: "DISABLED",
            medSubComps: { 1: infos },
          });
        }
      }
    },
  );

  it("[M13] a section without a codec that both know is told by its mid", () => {
    const answered = (...lines: string[]) =>
      paired(AssistedCall.of([textOf(...lines), textOf(...lines).replace("VP8", "H264")])).of("a");
    const flow = policy(answered(...bundled()), true).applicationFlowBindings[1];
    expect(flow?.applicationFlowDescription).toMatchObject({
      uplinkMultiplexedMediaInfos: [{ identificationTag: "1", rtpSdesHdrExtId: 4 }],
      downlinkMultiplexedMediaInfos: [{ identificationTag: "1", rtpSdesHdrExtId: 4 }],
    });
    // Without one it is alone on its path.
    const alone = components(answered(...VP8), { multiplex: true })[1]?.medSubComps?.[1];
    expect(alone).toHaveProperty("fDescs");
    expect(alone).not.toHaveProperty("mpxMediaUlInfos");
  });

  it("[M13] to a relay the two addresses, or its name; without a path no description", () => {
    const relayOnly = AssistedCall.of(both(...bundled()), { iceTransportPolicy: "relay" });
    const flow = (knowledge = {}) =>
      policy(relayOnly.of("a", knowledge), false).applicationFlowBindings[0]
        ?.applicationFlowDescription;
    expect(flow()).toBeUndefined();
    const relay = [{ address: "2001:db8::1", port: 3478 }];
    expect(flow({ relay, seen: "2001:db8::7" })).toEqual({
      filterMethod: "2_TUPLE",
      packetFilter: {
        direction: "BIDIRECTIONAL",
        sourceAddress: { ipv6Addr: "2001:db8::1" },
        destinationAddress: { ipv6Addr: "2001:db8::7" },
      },
      mediaType: "VIDEO",
    });
    expect(flow({ relay })).toBeUndefined();
    expect(flow({ relay: [{ domain: "turn.example.net" }] })).toEqual({
      ...{ filterMethod: "DOMAIN_NAME", domainName: "turn.example.net", mediaType: "VIDEO" },
    });
  });

  it("[M13] a candidate of the only address there is makes two addresses, no ports", () => {
    const talk = AssistedCall.of(pairOf("chromium.connected-host-candidates"));
    const [binding] = policy(talk.of("a"), false).applicationFlowBindings;
    expect(binding?.applicationFlowDescription).toMatchObject({
      filterMethod: "2_TUPLE",
      packetFilter: { sourceAddress: { ipv4Addr: "192.0.2.2" } },
    });
  });

  it("[M13] RTP header extensions that mark packets are told to whom asks for them", () => {
    const markings = UNVERIFIED_MARKINGS;
    const lines = [
      ...["a=extmap:5 urn:3gpp:pdu-set-marking:rel-18", "a=extmap:6 urn:3gpp:burst-size:rel-19"],
      ...["a=extmap:7 urn:3gpp:expedited-transfer", "a=extmap:8 urn:3gpp:video-orientation"],
    ];
    const marked = call(...bundled([], lines)).of("a");
    const parameters = (link: AssistedLink, more: object) =>
      policy(link, true, more).applicationFlowBindings.map(
        ({ applicationFlowDescription: flow }) => flow?.mediaTransportParameters,
      );
    const description = {
      transportProto: "SRTP",
      rtpHeaderExtInfo: { rtpHeaderExtType: "PDU_SET_MARKING", rtpHeaderExtId: 5 },
      addRtpHeaderExtInfo: [
        { rtpHeaderExtType: "DYN_CHANGING_TRAFFIC_CHAR", rtpHeaderExtId: 6 },
        { rtpHeaderExtType: "EXPEDITED_TRANSFER_IND", rtpHeaderExtId: 7 },
      ],
      rtpPayloadInfoList: [{ rtpPayloadTypeList: [96] }],
    };
    expect(parameters(marked, {})).toEqual([undefined, undefined]);
    expect(parameters(marked, { markings })).toEqual([undefined, description]);
    expect(bodyOf(nef(marked, { markings }))).toMatchObject({
      ...{ protoDescUl: description, protoDescDl: description },
    });
    expect(bodyOf(nef(marked)).protoDescUl).toBeUndefined();
    expect(components(marked, { markings, multiplex: true })[2]).toMatchObject({
      ...{ protoDescUl: description, protoDescDl: description },
    });
    const own = { "urn:x:mine": "PDU_SET_MARKING" } as const;
    const uplinkOnly = paired(
      AssistedCall.of([
        textOf(...bundled([], ["a=extmap:9/sendonly urn:x:mine"])),
        textOf(...bundled([], ["a=extmap:9/recvonly urn:x:mine"])),
      ]),
    ).of("a");
    const rtpHeaderExtInfo = { rtpHeaderExtType: "PDU_SET_MARKING", rtpHeaderExtId: 9 };
    expect(parameters(uplinkOnly, { markings: own })[1]).toMatchObject({ rtpHeaderExtInfo });
    expect(bodyOf(nef(uplinkOnly, { markings: own }))).not.toHaveProperty("protoDescDl");
    const cryptic = call(...bundled([], [...lines, "a=cryptex"])).of("a");
    expect(parameters(cryptic, { markings })).toEqual([undefined, undefined]);
  });

  it("[M13] data beside media cannot be told apart, alone it can", () => {
    const data = [DATA, "a=mid:2"];
    const beside = call("a=group:BUNDLE 0 1 2", ...bundled().slice(1), ...data).of("a");
    const references = (link: AssistedLink, multiplex: boolean) =>
      policy(link, multiplex).applicationFlowBindings.map((each) => each.componentReference);
    expect(references(beside, true)).toEqual(["0", "1"]);
    expect(references(beside, false)).toEqual(["0"]);
    const [alone] = policy(call(...data).of("a"), true).applicationFlowBindings;
    expect(alone?.applicationFlowDescription).toMatchObject({ mediaType: "APPLICATION" });
    expect(alone?.applicationFlowDescription?.uplinkMultiplexedMediaInfos).toBeUndefined();
    expect(alone?.qosSpecification.uplinkBitRates).toEqual({
      maximumRequestedBitRate: "64 Kbps",
      minimumDesiredBitRate: "32 Kbps",
      minimumRequestedBitRate: "0 bps",
    });
    expect(sharedMediaType(["data", "audio"])).toBe("AUDIO");
  });

  it("[M13] all that is held asks for nothing", () => {
    const held = AssistedCall.of(pairOf("chromium.hold-resume.1-initial"));
    held.exchange("a", "b", pairOf("chromium.hold-resume.3-hold-inactive"));
    const link = held.of("a");
    expect(dynamicPolicyOf(link, { policyTemplateId: "t", multiplex: true })).toEqual({
      lacks: "media",
    });
    expect(lackOf(networkAssistanceSessionOf(link, {}))).toBe("media");
    expect(lackOf(nef(link))).toBe("media");
    expect(lackOf(qod(link)[0]?.result)).toBe("media");
  });
});

describe("TS 26.510 Network Assistance Session", () => {
  it("[M13] describes the path with video, and asks for all that runs on the link", () => {
    const media = [AUDIO, "b=AS:64", "a=mid:0", ...VIDEO, "b=AS:400", "a=mid:1"];
    const talk = AssistedCall.of(both("a=group:BUNDLE 1", ...media));
    talk.select("a", UE, OTHER, {});
    const [first, second] = talk.of("a").transports;
    expect([first?.sections[0]?.kind, second?.sections[0]?.kind].toSorted()).toEqual([
      ...["audio", "video"],
    ]);
    for (const { id } of [first, second].flatMap((each) => each ?? [])) {
      const pair = {
        local: { candidateType: "host", ...UE },
        remote: { candidateType: "host", ...OTHER },
      } as const;
      accepted(
        talk.send("a", { type: "transport", to: "b", transport: id, state: "connected", pair }),
      );
    }
    const body = bodyOf(
      networkAssistanceSessionOf(talk.of("a"), { policyTemplateId: "t", dnn: "internet" }),
    );
    expect(body).toMatchObject({
      sessionId: "s/a~b",
      policyTemplateId: "t",
      dataNetworkName: "internet",
      componentReference: "1",
      applicationFlowDescription: { filterMethod: "5_TUPLE", mediaType: "VIDEO" },
      // What is recommended limits audio on its own path too: 1.05 times 464 kbit/s.
      requestedQoS: {
        uplinkBitRates: { maximumRequestedBitRate: "487200 bps" },
        downlinkBitRates: { maximumRequestedBitRate: "487200 bps" },
      },
    });
  });

  it("[M13] lacks an address until its packets can be described", () => {
    const blank = AssistedCall.of(both(AUDIO, "a=mid:0"));
    expect(lackOf(networkAssistanceSessionOf(blank.of("a"), {}))).toBe("ue-address");
    const seen = { seen: "2001:db8::7" };
    expect(lackOf(networkAssistanceSessionOf(blank.of("a", seen), {}))).toBe("server-address");
    const body = bodyOf(
      networkAssistanceSessionOf(call(AUDIO, "a=mid:0").of("a"), { sessionId: "x" }),
    );
    expect(body).toMatchObject({ sessionId: "x", componentReference: "0" });
    expect(body).not.toHaveProperty("policyTemplateId");
  });
});

describe("TS 29.122 AsSessionWithQoS", () => {
  it("[M13] permits in and out, seen from the network towards the UE", () => {
    expect(bodyOf(nef(call(...bundled()).of("a")))).toEqual({
      supportedFeatures: "0",
      ueIpv4Addr: UE.address,
      flowInfo: [
        {
          flowId: 1,
          flowDescriptions: [
            "permit in 17 from 10.45.0.2 50000 to 198.51.100.9 3478",
            "permit out 17 from 198.51.100.9 3478 to 10.45.0.2 50000",
          ],
        },
      ],
      qosReference: "conv-video",
      events: [
        "QOS_GUARANTEED",
        "QOS_NOT_GUARANTEED",
        "SUCCESSFUL_RESOURCES_ALLOCATION",
        "FAILED_RESOURCES_ALLOCATION",
        "SESSION_TERMINATION",
      ],
    });
  });

  it("[M13] one flow per m-section, with the filters of its direction", () => {
    const talk = oneWay("recvonly");
    const flows = (ue: string) => bodyOf(nef(talk.of(ue), { multiplex: true })).flowInfo;
    expect(flows("a").map(({ flowDescriptions }) => flowDescriptions?.length)).toEqual([2, 1]);
    expect(flows("a")[1]).toMatchObject({
      flowId: 2,
      flowDescriptions: ["permit in 17 from 10.45.0.2 50000 to 198.51.100.9 3478"],
      mpxMediaUlInfos: [{ payloadType: 96, identificationTag: "1", rtpSdesHdrExtId: 4 }],
    });
    expect(flows("b")[1]?.flowDescriptions).toEqual([
      "permit out 17 from 203.0.113.7 4444 to 198.51.100.9 3478",
    ]);
  });

  it("[M13] all that the operator agreed on", () => {
    const options = {
      qosReferences: { video: "best", audio: "voice" },
      altQoSReferences: ["half", "quarter"],
      ...{ dnn: "internet", snssai: { sst: 1 }, ipDomain: "east", exterAppId: "duplex" },
      supportedFeatures: "1f",
    };
    const talk = call(...bundled());
    expect(bodyOf(nef(talk.of("a"), options))).toMatchObject({
      ...{ qosReference: "best", altQoSReferences: ["half", "quarter"], dnn: "internet" },
      ...{ snssai: { sst: 1 }, ipDomain: "east", exterAppId: "duplex", supportedFeatures: "1f" },
    });
    for (const flow of ["a~b:1.1:a", "a~b:1.1:b"]) {
      accepted(talk.do({ type: "change-flow", flow, change: { held: true }, at: talk.at }));
    }
    expect(bodyOf(nef(talk.of("a"), options)).qosReference).toBe("voice");
    const data = call(DATA, "a=mid:0").of("a");
    expect(bodyOf(nef(data, options)).qosReference).toBe("conv-video");
  });

  it("[M13] IPv6 has another member, and no domain of addresses", () => {
    const talk = AssistedCall.of(both(...bundled()));
    talk.select(
      "a",
      { address: "2001:db8::5", port: 4000 },
      { address: "2001:db8::9", port: 5000 },
    );
    const body = bodyOf(nef(talk.of("a"), { ipDomain: "east" }));
    expect(body).toMatchObject({ ueIpv6Addr: "2001:db8::5" });
    expect(body).not.toHaveProperty("ueIpv4Addr");
    expect(body).not.toHaveProperty("ipDomain");
    expect(body.flowInfo[0]?.flowDescriptions?.[0]).toBe(
      "permit in 17 from 2001:db8::5 4000 to 2001:db8::9 5000",
    );
  });

  it("[M13] where the other end may be one of several it is any, from the UE's port alone", () => {
    const talk = AssistedCall.of(both(...bundled()));
    const rules = () => bodyOf(nef(talk.of("a"))).flowInfo[0]?.flowDescriptions;
    talk.trickle("b", "1 1 udp 2113937151 192.0.2.8 1 typ host");
    talk.trickle("b", "1 1 udp 2113937151 192.0.2.9 2 typ host");
    expect(lackOf(nef(talk.of("a")))).toBe("ue-address");
    talk.trickle("a", "1 1 udp 2113937151 10.45.0.2 50000 typ host");
    expect(rules()).toEqual([
      "permit in 17 from 10.45.0.2 50000 to any",
      "permit out 17 from any to 10.45.0.2 50000",
    ]);
    talk.trickle("a", "1 1 udp 2113937151 10.45.0.2 50001 typ host");
    expect(lackOf(nef(talk.of("a")))).toBe("server-address");
  });

  it("[M13] over TCP to the relay, its rules say so; without a port the whole relay is meant", () => {
    const talk = AssistedCall.of(both(...bundled()));
    const local = {
      candidateType: "relay" as const,
      ...{ url: "turn:198.51.100.1:443?transport=tcp", relatedAddress: "10.45.0.2" },
    };
    talk.select("a", local, { address: "192.0.2.9", port: 5000 });
    const [session] = qod(talk.of("a"), { device: "token" });
    expect(session && "body" in session.result && session.result.body).toEqual({
      applicationServer: { ipv4Address: "198.51.100.1" },
      applicationServerPorts: { ports: [443] },
      ...{ qosProfile: "QOS_M", duration: 3600 },
    });
    expect(bodyOf(nef(talk.of("a"))).flowInfo[0]?.flowDescriptions?.[0]).toBe(
      "permit in 6 from 10.45.0.2 to 198.51.100.1 443",
    );
  });

  it("[M13] of several ways to a relay none is guessed: addresses alone, of any protocol", () => {
    const relay = [
      { address: "198.51.100.1", port: 3478, protocol: "udp" },
      { address: "198.51.100.1", port: 443, protocol: "tcp" },
    ] as const;
    const knowledge = { relay, seen: "10.45.0.2" };
    const relayOnly = AssistedCall.of(both(...bundled()), { iceTransportPolicy: "relay" });
    const byOther = AssistedCall.of(both(...bundled()));
    byOther.trickle("a", "1 1 udp 2113937151 10.45.0.2 54321 typ host");
    byOther.select("b", OTHER, { candidateType: "relay", address: "198.51.100.1", port: 50_000 });
    for (const talk of [relayOnly, byOther]) {
      const link = talk.of("a", knowledge);
      expect(bodyOf(nef(link)).flowInfo[0]?.flowDescriptions).toEqual([
        "permit in ip from 10.45.0.2 to 198.51.100.1",
        "permit out ip from 198.51.100.1 to 10.45.0.2",
      ]);
      const [binding] = policy(link, false).applicationFlowBindings;
      expect(binding?.applicationFlowDescription).toEqual({
        filterMethod: "2_TUPLE",
        packetFilter: {
          direction: "BIDIRECTIONAL",
          sourceAddress: { ipv4Addr: "198.51.100.1" },
          destinationAddress: { ipv4Addr: "10.45.0.2" },
        },
        mediaType: "VIDEO",
      });
      expect(qod(link, { device: "token" })[0]?.result).toEqual({
        body: {
          applicationServer: { ipv4Address: "198.51.100.1" },
          ...{ qosProfile: "QOS_M", duration: 3600 },
        },
      });
    }
    // Of any protocol to anywhere would be all that the UE does.
    const local = { candidateType: "relay", relatedAddress: "10.45.0.2", relatedPort: 4 } as const;
    const nowhere = AssistedCall.of(both(...bundled())).select("a", local, OTHER);
    expect(nowhere.path("a")).toMatchObject({ ue: { port: 4 }, remotes: [] });
    expect(lackOf(nef(nowhere.of("a")))).toBe("server-address");
  });

  it("[M13] no port of another socket of the UE is in what is asked for its TURN server", () => {
    const talk = AssistedCall.of(both(...bundled()));
    talk.trickle("a", "1 1 udp 2113937151 10.0.0.5 54321 typ host");
    const relay = { candidateType: "relay", url: "turns:198.51.100.1", relayProtocol: "tls" };
    talk.select("a", relay as Partial<PairEnd>, OTHER);
    expect(bodyOf(nef(talk.of("a"))).flowInfo[0]?.flowDescriptions?.[0]).toBe(
      "permit in 6 from 10.0.0.5 to 198.51.100.1 5349",
    );
    const [binding] = policy(talk.of("a"), false).applicationFlowBindings;
    expect(binding?.applicationFlowDescription?.filterMethod).toBe("2_TUPLE");
    const [session] = qod(talk.of("a"), { device: "token" });
    expect(session?.result).toMatchObject({ body: { applicationServerPorts: { ports: [5349] } } });
    expect(session?.result).not.toHaveProperty("body.devicePorts");
  });

  it("[M13] one address of the UE: what runs from another is left out", () => {
    const media = [AUDIO, "a=mid:0", ...VIDEO, "a=mid:1"];
    const talk = AssistedCall.of(both(...media));
    for (const [mid, address] of [
      ["0", "10.45.0.2"],
      ["1", "10.45.0.3"],
    ] as const) {
      const pair = {
        local: { candidateType: "host", address, port: 1 },
        remote: { candidateType: "host", ...OTHER },
      } as const;
      accepted(
        talk.send("a", { type: "transport", to: "b", transport: mid, state: "connected", pair }),
      );
    }
    const { flowInfo, ueIpv4Addr } = bodyOf(nef(talk.of("a")));
    expect(ueIpv4Addr).toBe("10.45.0.2");
    expect(flowInfo).toHaveLength(1);
    const { ueIpv4, medComponents } = bodyOf(pcf(talk.of("a"))).ascReqData;
    expect(ueIpv4).toBe("10.45.0.2");
    expect(medComponents[1]?.medSubComps).toBeDefined();
    expect(medComponents[2]).toMatchObject({ fStatus: "ENABLED" });
    expect(medComponents[2]).not.toHaveProperty("medSubComps");
  });
});

describe("TS 29.514 application session", () => {
  it("[M13] one media component per m-section, with status, rates, codecs and filters", () => {
    const talk = oneWay("recvonly");
    const { ascReqData } = bodyOf(
      pcf(talk.of("a"), {
        multiplex: true,
        ...{ afAppId: "duplex", suppFeat: "3", dnn: "internet", snssai: { sst: 1 }, ipDomain: "x" },
      }),
    );
    const { medComponents, ...rest } = ascReqData;
    expect(rest).toEqual({
      ...{ afAppId: "duplex", notifUri: "https://sig.example.com/pcf", suppFeat: "3" },
      ...{ dnn: "internet", sliceInfo: { sst: 1 }, ueIpv4: UE.address, ipDomain: "x" },
      evSubsc: {
        events: [
          { event: "QOS_NOTIF" },
          { event: "SUCCESSFUL_RESOURCES_ALLOCATION" },
          { event: "FAILED_RESOURCES_ALLOCATION" },
        ],
      },
    });
    expect(medComponents[1]).toMatchObject({
      ...{ medCompN: 1, medType: "AUDIO", fStatus: "ENABLED" },
      ...{ marBwUl: "88 Kbps", marBwDl: "88 Kbps" },
    });
    const { medSubComps, ...video } = medComponents[2]!;
    expect(video).toEqual({
      ...{ medCompN: 2, medType: "VIDEO", fStatus: "ENABLED-UPLINK", marBwUl: "2650 Kbps" },
      codecs: [
        expect.stringMatching(/^uplink\noffer\nm=video .*\r\na=rtpmap:96 VP8\/90000\r\n$/),
        expect.stringMatching(/^downlink\nanswer\nm=video .*\r\na=rtpmap:96 .*\r\na=recvonly\r\n$/),
      ],
    });
    expect(medSubComps).toEqual({
      1: {
        fNum: 1,
        fDescs: ["permit in 17 from 10.45.0.2 50000 to 198.51.100.9 3478"],
        mpxMediaUlInfos: [{ payloadType: 96, identificationTag: "1", rtpSdesHdrExtId: 4 }],
        mpxMediaDlInfos: [{ payloadType: 96, identificationTag: "1", rtpSdesHdrExtId: 4 }],
      },
    });
  });

  it.each([
    ["sendrecv", "ENABLED", 2],
    ["sendonly", "ENABLED-DOWNLINK", 1],
    ["recvonly", "ENABLED-UPLINK", 1],
    ["inactive", "DISABLED", 2],
  ])(
    "[M13] %s in the answer is %s for the offerer, with %s filters",
    (direction, status, count) => {
      const talk = paired(
        AssistedCall.of([
          textOf(...VIDEO, "a=mid:0", "a=rtcp-mux"),
          textOf(...VIDEO, "a=mid:0", "a=rtcp-mux", `a=${direction}`),
        ]),
      );
      for (const multiplex of [true, false]) {
        const component = components(talk.of("a"), { multiplex })[1];
        expect(component?.fStatus).toBe(status);
        expect(component?.medSubComps?.[1]?.fDescs).toHaveLength(count);
      }
    },
  );

  it("[M13] no more than the ceiling of the link, with the RTCP that the network adds", () => {
    const media = bundled(["b=AS:100"], ["b=AS:300"]);
    const talk = paired(AssistedCall.of([textOf("b=CT:210", ...media), textOf(...media)]));
    const { 1: audio, 2: video } = components(talk.of("a"), { multiplex: true });
    // Half of 1.05 times 400 kbit/s.
    expect(audio).toMatchObject({ marBwUl: "100 Kbps", marBwDl: "50 Kbps" });
    expect(video).toMatchObject({ marBwUl: "300 Kbps", marBwDl: "150 Kbps" });
  });

  it("[M13] what the answer rejects is REMOVED, without filters", () => {
    const sections = bundled();
    const answer = textOf(...sections).replace("m=video 9", "m=video 0");
    const talk = paired(AssistedCall.of([textOf(...sections), answer]));
    expect(components(talk.of("a"))).toMatchObject({ 1: { fStatus: "ENABLED" } });
    expect(components(talk.of("b"))[2]).toEqual({
      ...{ medCompN: 2, medType: "VIDEO", fStatus: "REMOVED" },
    });
  });

  it("[M13] as one component per group: the sum, its status by what runs, no codecs", () => {
    const component = components(oneWay("recvonly").of("b"))[1];
    expect(component).toMatchObject({
      ...{ medType: "VIDEO", fStatus: "ENABLED", marBwUl: "88 Kbps", marBwDl: "2738 Kbps" },
    });
    expect(component).not.toHaveProperty("codecs");
    expect(component?.medSubComps?.[1]?.fDescs).toHaveLength(2);
  });

  it("[M13] RTCP on a port of its own is a sub-component, both ways; b=RS and b=RR are copied", () => {
    const media = [AUDIO, "b=AS:64", "b=RS:800", "b=RR:2400", "a=mid:0"];
    const talk = AssistedCall.of([textOf(...media), textOf(...media, "a=recvonly")]);
    talk.select("a", { ...UE, protocol: "udp" }, OTHER, {
      rtcpPair: {
        local: { candidateType: "host", address: UE.address, port: 50_001, protocol: "udp" },
        remote: { candidateType: "host", address: OTHER.address, port: 3479 },
      },
    });
    const component = components(talk.of("a"))[1];
    expect(component).toMatchObject({ rsBw: "800 bps", rrBw: "2400 bps", marBwUl: "64 Kbps" });
    expect(component).not.toHaveProperty("marBwDl");
    expect(component?.medSubComps?.[1]).not.toHaveProperty("flowUsage");
    expect(component?.medSubComps?.[2]).toEqual({
      fNum: 2,
      fDescs: [
        "permit in 17 from 10.45.0.2 50001 to 198.51.100.9 3479",
        "permit out 17 from 198.51.100.9 3479 to 10.45.0.2 50001",
      ],
      flowUsage: "RTCP",
    });
    expect(qod(talk.of("a"), { device: "token" })[0]?.result).toMatchObject({
      body: {
        devicePorts: { ports: [50_000, 50_001] },
        applicationServerPorts: { ports: [3478, 3479] },
      },
    });
  });

  it("[M13] RTCP on a port of its own is a flow of its own to NEF and AF, once per path", () => {
    const media = [AUDIO, "b=AS:100", "a=mid:0", ...VP8, "b=AS:300", "a=mid:1"];
    const lines = ["a=group:BUNDLE 0 1", ...media];
    const talk = AssistedCall.of([textOf(...lines), textOf(...lines, "a=recvonly")]);
    talk.select("a", { ...UE, protocol: "udp" }, OTHER, {
      rtcpPair: {
        local: { candidateType: "host", address: UE.address, port: 50_001, protocol: "udp" },
        remote: { candidateType: "host", address: OTHER.address, port: 3479 },
      },
    });
    const rules = [
      "permit in 17 from 10.45.0.2 50001 to 198.51.100.9 3479",
      "permit out 17 from 198.51.100.9 3479 to 10.45.0.2 50001",
    ];
    const packetFilter = {
      direction: "BIDIRECTIONAL",
      sourceAddress: { ipv4Addr: OTHER.address },
      destinationAddress: { ipv4Addr: UE.address },
      protocolNumber: 17,
      sourcePort: 3479,
      destinationPort: 50_001,
    };
    // 5 percent of 400 kbit/s, which are sent; what comes is audio alone, but reports go both ways.
    const rates = expect.objectContaining({ maximumRequestedBitRate: "20 Kbps" });
    for (const multiplex of [false, true]) {
      const { flowInfo } = bodyOf(nef(talk.of("a"), { multiplex }));
      expect(flowInfo).toHaveLength(multiplex ? 3 : 2);
      expect(flowInfo.at(-1)).toEqual({ flowId: 1001, flowDescriptions: rules });
      const { applicationFlowBindings: bindings } = policy(talk.of("a"), multiplex);
      expect(bindings).toHaveLength(multiplex ? 3 : 2);
      expect(bindings.at(-1)).toEqual({
        componentReference: "0/rtcp",
        applicationFlowDescription: {
          ...{ filterMethod: "5_TUPLE", mediaType: multiplex ? "AUDIO" : "VIDEO", packetFilter },
        },
        qosSpecification: { uplinkBitRates: rates, downlinkBitRates: rates },
      });
      const uplink = bindings.map(
        ({ qosSpecification: { uplinkBitRates } }) => uplinkBitRates.maximumRequestedBitRate,
      );
      expect(uplink).toEqual([...(multiplex ? ["100 Kbps", "300 Kbps"] : ["400 Kbps"]), "20 Kbps"]);
    }
    expect(policy(talk.of("b"), false).applicationFlowBindings.at(-1)).toMatchObject({
      qosSpecification: { uplinkBitRates: rates, downlinkBitRates: rates },
    });
    const hidden = AssistedCall.of([textOf(...lines), textOf(...lines)]);
    hidden.select("a", { ...UE, protocol: "udp" }, OTHER, {
      rtcpPair: { local: { candidateType: "relay" }, remote: { candidateType: "host" } },
    });
    expect(bodyOf(nef(hidden.of("a"))).flowInfo).toHaveLength(1);
    const { applicationFlowBindings: alone } = policy(hidden.of("a"), false);
    expect(alone.map(({ qosSpecification: { uplinkBitRates } }) => uplinkBitRates)).toMatchObject([
      { maximumRequestedBitRate: "420 Kbps" },
    ]);
    expect(alone).toHaveLength(1);
  });

  it("[M13] b=RS and b=RR of sections that share a component are summed, those of its directions are not", () => {
    const said = (rs: number, rr: number) => [`b=RS:${rs}`, `b=RR:${rr}`];
    const media = bundled(said(800, 1000), said(3000, 5000));
    const talk = call(...media);
    expect(components(talk.of("a"))[1]).toMatchObject({ rsBw: "3800 bps", rrBw: "6 Kbps" });
    expect(components(talk.of("a"), { multiplex: true })).toMatchObject({
      1: { rsBw: "800 bps", rrBw: "1 Kbps" },
      2: { rsBw: "3 Kbps", rrBw: "5 Kbps" },
    });
    // Of one section alone it would be all that the network leaves for the RTCP of both.
    const half = call(...bundled(said(800, 1000)));
    expect(components(half.of("a"))[1]).not.toHaveProperty("rsBw");
    expect(components(half.of("a"))[1]).not.toHaveProperty("rrBw");
  });

  it("[M13] needs an address of the UE; filters come when the path is known", () => {
    const talk = AssistedCall.of(both(...bundled()));
    expect(pcf(talk.of("a"))).toEqual({ lacks: "ue-address" });
    const { ascReqData } = bodyOf(pcf(talk.of("a", { seen: "2001:db8::7" }), { ipDomain: "x" }));
    expect(ascReqData).toMatchObject({ ueIpv6: "2001:db8::7" });
    expect(ascReqData).not.toHaveProperty("ipDomain");
    expect(ascReqData.medComponents[1]).not.toHaveProperty("medSubComps");
  });
});

describe("CAMARA quality on demand", () => {
  const result = (talk: AssistedCall, more: Partial<QodSessionOptions> = {}, ue = "a") =>
    qod(talk.of(ue), more)[0]?.result;
  const device = (talk: AssistedCall, knowledge = {}, more: Partial<QodSessionOptions> = {}) => {
    const [session] = qod(talk.of("a", knowledge), more);
    return session && "body" in session.result ? session.result.body.device : session?.result;
  };

  it("[M13] from the device to the other side, each end its own session", () => {
    const talk = call(...bundled());
    expect(qod(talk.of("a"))).toEqual([
      {
        server: OTHER.address,
        result: {
          body: {
            device: { ipv4Address: { publicAddress: PUBLIC.address, publicPort: PUBLIC.port } },
            applicationServer: { ipv4Address: OTHER.address },
            devicePorts: { ports: [UE.port] },
            applicationServerPorts: { ports: [OTHER.port] },
            qosProfile: "QOS_M",
            duration: 3600,
          },
        },
      },
    ]);
    expect(result(talk, {}, "b")).toMatchObject({
      body: { applicationServer: { ipv4Address: PUBLIC.address } },
    });
  });

  it("[M13] the device by its phone number, or by its token alone", () => {
    const talk = call(...bundled());
    expect(device(talk, {}, { device: "phone-number", phoneNumber: "+123456789" })).toEqual({
      phoneNumber: "+123456789",
    });
    expect(device(talk, {}, { device: "phone-number" })).toEqual({ lacks: "device" });
    expect(device(talk, {}, { device: "token" })).toBeUndefined();
  });

  it("[M13] the device by its addresses, where these name one", () => {
    const open = AssistedCall.of(both(...bundled()), {});
    open.select("b", OTHER, { candidateType: "host", address: "10.0.0.5", port: 1 });
    const own = { publicAddress: "10.0.0.5", privateAddress: "10.0.0.5", publicPort: 1 };
    expect(device(open)).toEqual({ ipv4Address: own });
    // Who is inside the network as well sees no public address; signalling outside of it does.
    expect(device(open, { seen: "203.0.113.7" })).toEqual({
      ipv4Address: { publicAddress: "203.0.113.7", privateAddress: "10.0.0.5" },
    });
    expect(device(open, { seen: "10.0.0.5" })).toEqual({ ipv4Address: own });
    const hidden = AssistedCall.of(both(...bundled()));
    hidden.select("a", { address: "x.local", port: 4 }, OTHER);
    // Many share an IPv4 address: without its port, or the one before translation, it names nobody.
    expect(device(hidden, { seen: "203.0.113.7" })).toEqual({ lacks: "device" });
    expect(device(hidden)).toEqual({ lacks: "device" });
    expect(device(hidden, { seen: "2001:db8::7" })).toEqual({ ipv6Address: "2001:db8::7" });
    const inside = AssistedCall.of(both(...bundled())).select("a", UE, OTHER);
    expect(device(inside, { seen: "203.0.113.7" })).toEqual({
      ipv4Address: { publicAddress: "203.0.113.7", privateAddress: UE.address },
    });
    const shared = AssistedCall.of(both(...bundled())).select(
      "a",
      { address: "100.64.1.2" },
      OTHER,
    );
    expect(device(shared, { seen: "203.0.113.7" })).toEqual({
      ipv4Address: { publicAddress: "203.0.113.7", privateAddress: "100.64.1.2" },
    });
    // Every UE in a network of IPv6 alone has it: the address of the socket tells them apart.
    const translated = AssistedCall.of(both(...bundled()));
    translated.select("a", { address: "192.0.0.4", port: 4 }, OTHER);
    expect(device(translated, { seen: "2001:db8::7" })).toEqual({ ipv6Address: "2001:db8::7" });
    expect(lackOf(nef(translated.of("a", { seen: "2001:db8::7" })))).toBe("ue-address");
    const six = AssistedCall.of(both(...bundled()));
    six.select("a", { address: "2001:db8::5", port: 1 }, { address: "2001:db8::9", port: 2 });
    expect(device(six)).toEqual({ ipv6Address: "2001:db8::5" });
    expect(result(six)).toMatchObject({
      body: { applicationServer: { ipv6Address: "2001:db8::9" } },
    });
  });

  it.each(["70000", "4.5", "1e3", "0x10", "-1", "0"])("[M13] %s is no port", (port) => {
    const talk = AssistedCall.of(both(...bundled()));
    talk.trickle("a", `1 1 udp 1 198.51.100.1 50000 typ relay raddr 203.0.113.7 rport ${port}`);
    expect(device(talk)).toEqual({ lacks: "device" });
  });

  it("[M13] before there is a pair: to the relay, with its port and none of the device", () => {
    const talk = AssistedCall.of(both(...bundled()), { iceTransportPolicy: "relay" });
    const relay = [{ address: "198.51.100.1", port: 3478 }];
    const [session] = qod(talk.of("a", { relay }), { device: "token" });
    expect(session).toEqual({
      server: "198.51.100.1",
      result: {
        body: {
          applicationServer: { ipv4Address: "198.51.100.1" },
          applicationServerPorts: { ports: [3478] },
          ...{ qosProfile: "QOS_M", duration: 3600 },
        },
      },
    });
    const [named] = qod(talk.of("a", { relay: [{ domain: "turn.example.net" }] }));
    expect(named).toEqual({ server: "turn.example.net", result: { lacks: "server-address" } });
    expect(qod(talk.of("a"))).toEqual([
      { server: "a~b:t.0.1", result: { lacks: "server-address" } },
    ]);
  });

  it("[M13] a server with both IP versions is one, several of one version are none yet", () => {
    const talk = AssistedCall.of(both(...bundled()));
    talk.trickle("b", "1 1 udp 1 198.51.100.9 1 typ host", "1 1 udp 1 2001:db8::9 2 typ host");
    const [session] = qod(talk.of("a"), { device: "token" });
    expect(session).toMatchObject({
      server: "2001:db8::9",
      result: {
        body: { applicationServer: { ipv4Address: "198.51.100.9", ipv6Address: "2001:db8::9" } },
      },
    });
    expect(session && "body" in session.result && session.result.body).not.toHaveProperty(
      "applicationServerPorts",
    );
    talk.trickle("b", "1 1 udp 1 198.51.100.8 1 typ host");
    expect(lackOf(result(talk, { device: "token" }))).toBe("server-address");
  });

  it("[M13] one session for all transports to a server, none for a server with nothing to carry", () => {
    const talk = AssistedCall.of(
      both(AUDIO, "b=AS:64", "a=mid:0", ...VIDEO, "b=AS:400", "a=mid:1"),
    );
    const connect = (transport: string, port: number, address = OTHER.address) =>
      accepted(
        talk.send("a", {
          ...{ type: "transport", to: "b", transport, state: "connected" },
          pair: {
            local: { candidateType: "host", address: UE.address, port },
            remote: { candidateType: "host", address, port: 7 },
          },
        }),
      );
    connect("0", 1);
    connect("1", 2);
    const profiles = [profile("small", 80, 80), profile("large", 500, 500)];
    const { profile: _, ...options } = {
      ...{ durationSeconds: 60, device: "token" as const, profile: undefined, profiles },
    };
    expect(qodSessionsOf(talk.of("a"), options)).toMatchObject([
      {
        server: OTHER.address,
        result: {
          body: {
            devicePorts: { ports: [1, 2] },
            applicationServerPorts: { ports: [7] },
            qosProfile: "large",
          },
        },
      },
    ]);
    connect("1", 2, "198.51.100.20");
    for (const flow of ["a~b:1.1:a", "a~b:1.1:b"]) {
      accepted(talk.do({ type: "change-flow", flow, change: { held: true }, at: talk.at }));
    }
    expect(qodSessionsOf(talk.of("a"), options)).toMatchObject([
      { server: OTHER.address, result: { body: { qosProfile: "small" } } },
      { server: "198.51.100.20", result: { lacks: "media" } },
    ]);
    const none = { ...options, profiles: [profile("tiny", 1, 1)] };
    expect(lackOf(qodSessionsOf(talk.of("a"), none)[0]?.result)).toBe("profile");
    const { profiles: __, ...without } = options;
    expect(lackOf(qodSessionsOf(talk.of("a"), without)[0]?.result)).toBe("profile");
  });

  it("[M13] a fixed profile's limits of time hold when they are known", () => {
    const limited = {
      ...profile("QOS_M", 1, 1),
      maxDuration: { value: 10, unit: "Minutes" },
    } as const;
    const talk = call(...bundled());
    expect(result(talk, { profiles: [limited] })).toMatchObject({ body: { duration: 600 } });
  });
});

/** Rates in kilobits per second. */
const profile = (name: string, up: number, down: number): QosProfile => ({
  name,
  status: "ACTIVE",
  maxUpstreamRate: { value: up, unit: "kbps" },
  maxDownstreamRate: { value: down, unit: "kbps" },
});

describe("QoS profiles", () => {
  it("[M13] the smallest active one that has room both ways", () => {
    const profiles = [
      profile("large", 1000, 1000),
      { ...profile("old", 120, 120), status: "DEPRECATED" as const },
      profile("medium", 200, 500),
      profile("narrow", 90, 500),
    ];
    const chosen = (uplinkBps?: number, downlinkBps?: number) =>
      profileFor(
        { ...(uplinkBps === undefined ? {} : { uplinkBps }), ...(downlinkBps && { downlinkBps }) },
        profiles,
      )?.name;
    expect(chosen(100_000, 100_000)).toBe("medium");
    expect(chosen(90_000)).toBe("narrow");
    expect(chosen()).toBe("narrow");
    expect(chosen(201_000, 1)).toBe("large");
    expect(chosen(1, 1_001_000)).toBeUndefined();
    // What says no limit, or none that can be read, has room, and is the last to be chosen.
    const open = { name: "open", status: "ACTIVE", maxUpstreamRate: { value: 1 } } as const;
    expect(profileFor({ uplinkBps: 5e6 }, [open, ...profiles])?.name).toBe("open");
    expect(profileFor({ uplinkBps: 5 }, [open, ...profiles])?.name).toBe("narrow");
    // Where all leave one direction open, the other tells them apart.
    const [wide, slim] = [100, 5].map(
      (value): QosProfile => ({
        ...{ name: `down-${value}`, status: "ACTIVE" },
        maxDownstreamRate: { value, unit: "Mbps" },
      }),
    ) as [QosProfile, QosProfile];
    expect(profileFor({ uplinkBps: 5e6, downlinkBps: 4e6 }, [open, wide, slim])?.name).toBe(
      "down-5",
    );
    expect(profileFor({ uplinkBps: 5e6, downlinkBps: 6e6 }, [open, wide, slim])?.name).toBe(
      "down-100",
    );
    const units = (["bps", "kbps", "Mbps", "Gbps", "Tbps"] as const).map(
      (unit): QosProfile => ({ name: unit, status: "ACTIVE", maxUpstreamRate: { value: 2, unit } }),
    );
    expect(profileFor({ uplinkBps: 2_000_001 }, units)?.name).toBe("Gbps");
  });

  it.each([
    [{}, 90.2, 91],
    [{ minDuration: { value: 5, unit: "Minutes" } }, 90, 300],
    [{ maxDuration: { value: 1, unit: "Hours" } }, 7200, 3600],
    [{ maxDuration: { value: 1, unit: "Days" } }, 99_999, 86_400],
    [{ maxDuration: { value: 1500, unit: "Milliseconds" } }, 60, 1],
    [{ maxDuration: { value: 1, unit: "Nanoseconds" } }, 60, 1],
    [{ minDuration: { value: 3 } }, 1, 1],
    [{}, 1e12, 2_147_483_647],
  ] as const)("[M13] %j lets %s seconds be %s", (limits, seconds, granted) => {
    expect(durationWithin({ ...profile("p", 1, 1), ...limits } as QosProfile, seconds)).toBe(
      granted,
    );
    expect(durationWithin(undefined, 60)).toBe(60);
  });
});

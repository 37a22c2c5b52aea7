import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flow } from "../protocol/flow.ts";
import type { FlowChange } from "../protocol/flow-query.ts";
import { agreeFlows } from "../protocol/flows/agree.ts";
import type { Trickled } from "../protocol/flows/candidate-counts.ts";
import { changeFlow } from "../protocol/flows/change.ts";
import { filterFlows } from "../protocol/flows/filter.ts";
import { NO_FLOWS } from "../protocol/flows/link-flows.ts";
import { reportTransport } from "../protocol/flows/report.ts";
import { flowsSince } from "../protocol/flows/since.ts";
import type { SelectedPair } from "../protocol/transport.ts";
import { recordOf } from "./corpus.ts";
import {
  AUDIO,
  DATA,
  Negotiation,
  PAIRS,
  read,
  sectionFlows,
  textOf,
  VIDEO,
  words,
} from "./link-negotiation.ts";

describe("flows of real stacks", () => {
  it.each(PAIRS)("[F3] %s gives flows that are whole", (_, offer, answer) => {
    const link = new Negotiation();
    link.exchange(offer, answer);
    const live = link.flows.flows.filter(({ state }) => state !== "ended");
    for (const flow of live) {
      const primaries = flow.codecs.filter(({ role }) => role === "primary");
      expect(primaries.length > 0).toBe(flow.kind !== "data");
      expect(link.flows.transports.map(({ id }) => id)).toContain(flow.transport);
      expect(flow.views).toEqual([
        { peer: flow.from, direction: "uplink" },
        { peer: flow.to, direction: "downlink" },
      ]);
    }
  });

  it("[F3] 157 pairs give 420 flows, 19 of them media without a signalled source", () => {
    const kinds = { audio: 0, video: 0, data: 0 };
    let silent = 0;
    for (const [, offer, answer] of PAIRS) {
      const link = new Negotiation();
      link.exchange(offer, answer);
      for (const { kind, state, sources } of link.flows.flows) {
        if (state === "ended") continue;
        kinds[kind] += 1;
        if (kind !== "data" && sources.length === 0) silent += 1;
      }
    }
    expect({ pairs: PAIRS.length, ...kinds, silent }).toEqual({
      pairs: 157,
      audio: 180,
      video: 166,
      data: 74,
      silent: 19,
    });
  });

  it.each(PAIRS)("[F1] %s gives the same flows without a proposal before", (_, offer, answer) => {
    const [proposed, direct] = [new Negotiation(), new Negotiation()];
    proposed.exchange(offer, answer);
    direct.answer(offer, answer);
    const without = ({ revision, since, exchange, timing, history, ...flow }: Flow) => flow;
    const live = (link: Negotiation) =>
      link.flows.flows
        .filter(({ state }) => state !== "ended")
        .map(without)
        .toSorted((one, other) => (one.id < other.id ? -1 : 1));
    expect(live(direct)).toEqual(live(proposed));
  });

  it.each(PAIRS)("[N8] %s exchanged again changes nothing", (_, offer, answer) => {
    const link = new Negotiation();
    const once = link.exchange(offer, answer);
    link.answer(offer, answer);
    expect(link.flows).toBe(once);
  });

  const CONNECTED = PAIRS.filter(([name]) => name.includes("connected-host-candidates"));

  it.each(CONNECTED)("[F3] the sources of %s are those of getStats", (name, offer, answer) => {
    const { statsOfferer, statsAnswerer } = recordOf(name);
    const link = new Negotiation();
    link.exchange(offer, answer);
    const sides = [
      ["a", statsOfferer, statsAnswerer],
      ["b", statsAnswerer, statsOfferer],
    ] as const;
    for (const [from, sender, receiver] of sides) {
      for (const { mid, ssrc, rtxSsrc } of sender?.outbound ?? []) {
        const { sources } = link.flow(`${mid}.1:${from}`);
        expect(sources.map((source) => source.ssrc)).toEqual([ssrc]);
        if (rtxSsrc !== undefined) expect(sources[0]?.rtx).toBe(rtxSsrc);
        const inbound = receiver?.inbound.find((stream) => stream.mid === mid);
        expect(sources[0]?.ssrc).toBe(inbound?.ssrc);
        if (inbound?.rtxSsrc !== undefined) expect(sources[0]?.rtx).toBe(inbound.rtxSsrc);
      }
    }
    const [client, server] =
      statsOfferer?.transports[0]?.dtlsRole === "client" ? ["a", "b"] : ["b", "a"];
    expect(link.transport.dtls).toMatchObject({ client, server });
  });

  it.each(CONNECTED)("[F5] the 5-tuples of %s mirror each other", (name, offer, answer) => {
    const { statsOfferer, statsAnswerer } = recordOf(name);
    const link = new Negotiation();
    link.exchange(offer, answer);
    for (const [peer, stats] of [
      ["a", statsOfferer],
      ["b", statsAnswerer],
    ] as const) {
      const { local, remote } = stats!.transports[0]!;
      const endOf = (candidate: typeof local) => ({
        candidateType: candidate.type,
        address: candidate.ip,
        port: candidate.port,
        protocol: candidate.protocol,
      });
      const pair = { local: endOf(local), remote: endOf(remote) };
      link.report(peer, { transport: "0", state: "connected", pair });
    }
    const [ofA, ofB] = link.transport.fiveTuples;
    expect(ofA).toMatchObject({ peer: "a", protocol: "udp", local: { address: "fd00::2" } });
    expect(ofB).toEqual({ ...ofA, peer: "b", local: ofA?.remote, remote: ofA?.local });
    expect(link.flows.flows.every(({ state }) => state === "active")).toBe(true);
  });
});

describe("worked examples", () => {
  it("[F3] a simulcast publisher: two uplinks, three layers, nothing back", () => {
    const link = new Negotiation();
    link.record("chromium-to-janus.videoroom-publish-simulcast");
    expect(link.live).toEqual(["0.1:a negotiated", "1.1:a negotiated"]);
    expect(link.transport).toMatchObject({
      id: "a~b:t.0.1",
      mids: ["0", "1"],
      rtcpMux: true,
      dtls: { client: "b", server: "a" },
      candidates: {
        a: { host: 2, srflx: 0, prflx: 0, relay: 0 },
        b: { host: 1, srflx: 0, prflx: 0, relay: 0 },
      },
    });
    const audio = link.flow("0.1:a");
    expect(audio).toMatchObject({
      sources: [{ ssrc: 1_742_733_499 }],
      cname: "8ynQvGPHcYGw15Op",
      streams: ["622737ef-1e56-4d97-89f0-21753227be4c"],
      track: "a03943e2-7130-4f38-9658-6d2da4cef77c",
      feedback: [],
      headerExtensions: [
        { id: 1, uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level" },
        { id: 4, uri: "urn:ietf:params:rtp-hdrext:sdes:mid" },
      ],
      limits: {},
      priority: "low",
      dscp: { suggested: 0 },
    });
    expect(audio.codecs).toEqual([
      { pt: 111, name: "opus", rate: 48_000, channels: 2, fmtp: "useinbandfec=1", role: "primary" },
    ]);
    const video = link.flow("1.1:a");
    expect(video).toMatchObject({
      sources: [],
      cname: "8ynQvGPHcYGw15Op",
      layers: [
        { rid: "h", order: 0 },
        { rid: "m", order: 1 },
        { rid: "l", order: 2 },
      ],
      simulcast: "accepted",
      feedback: ["ccm fir", "nack", "nack pli", "goog-remb", "transport-cc"],
    });
    expect(video.codecs).toEqual([
      { pt: 96, name: "VP8", rate: 90_000, role: "primary" },
      { pt: 97, name: "rtx", rate: 90_000, fmtp: "apt=96", role: "rtx" },
    ]);
    expect(video.headerExtensions.map(({ id }) => id)).toEqual([13, 3, 5, 4, 10, 11]);
  });

  it("[N8] a subscriber: publishers come and go, flows are added and held", () => {
    const link = new Negotiation();
    const step = (name: string) => link.record(`janus-to-firefox.videoroom-subscribe.${name}`);
    step("1-initial");
    expect(link.live).toEqual(["0.1:a negotiated", "1.1:a negotiated"]);
    link.report("b", { state: "connected" });
    step("2-add-publisher");
    const all = ["0.1:a active", "1.1:a active", "2.1:a active", "3.1:a active"];
    expect(link.live).toEqual(all);
    const before = link.flow("0.1:a");
    step("3-publisher-left");
    expect(link.live).toEqual([
      "0.1:a held direction",
      "1.1:a held direction",
      "2.1:a active",
      "3.1:a active",
    ]);
    expect(link.ended).toEqual([]);
    expect(link.flow("0.1:a")).toMatchObject({ codecs: before.codecs, sources: before.sources });
  });

  it("[F3] limits bind the sender to what its receiver said", () => {
    const link = new Negotiation();
    link.record("chromium.bandwidth-munged");
    expect(link.flow("1.1:a").limits).toEqual({
      effectiveBps: 364_000,
      source: "as",
      receiverAs: 400,
    });
    expect(link.flow("1.1:b").limits).toEqual({
      effectiveBps: 700_000,
      source: "tias",
      receiverAs: 800,
      receiverTias: 700_000,
      sessionCt: 2000,
    });
    expect(link.flow("0.1:b").limits).toMatchObject({ effectiveBps: 44_800, source: "as" });
    expect(link.flow("0.1:a").limits).toEqual({});
  });
});

describe("proposals", () => {
  it("[F1] an offer proposes a flow for each direction it wants", () => {
    const link = new Negotiation();
    link.offer(
      textOf(
        ...[AUDIO, "a=mid:0", "a=sendonly"],
        ...[...VIDEO, "a=mid:1", "a=recvonly"],
        ...[DATA, "a=mid:2", "a=sctp-port:5000"],
        ...[AUDIO, "a=mid:3", "a=inactive"],
        ...["m=audio 0 UDP/TLS/RTP/SAVPF 0", "a=mid:4"],
        ...["m=text 9 UDP/TLS/RTP/SAVPF 98", "a=mid:5"],
      ),
    );
    expect(link.live).toEqual([
      "0.1:a proposed",
      "1.1:b proposed",
      "2.1:a proposed",
      "2.1:b proposed",
    ]);
    expect(link.flows.transports).toEqual([]);
  });

  it("[F3] a proposed flow knows what the offer alone can tell", () => {
    const link = new Negotiation();
    link.offer(
      textOf(
        ...["a=group:BUNDLE 0 1", AUDIO, "a=mid:0", "a=msid:s t", "a=ssrc:7 cname:c", "b=AS:100"],
        ...[DATA, "a=mid:1", "a=sctp-port:5000", "a=max-message-size:0"],
      ),
    );
    expect(link.flow("0.1:a")).toMatchObject({
      codecs: [{ pt: 0, name: "PCMU" }],
      sources: [{ ssrc: 7 }],
      streams: ["s"],
      track: "t",
      cname: "c",
      limits: {},
      transport: "a~b:t.0.1",
    });
    expect(link.flow("0.1:b")).toMatchObject({
      sources: [],
      streams: [],
      limits: { effectiveBps: 79_000, source: "as" },
      transport: "a~b:t.0.1",
    });
    expect(link.flow("1.1:a").sctp).toBeUndefined();
    expect(link.flow("1.1:b")).toMatchObject({
      codecs: [],
      sctp: { port: 5000, maxMessageSize: 0 },
      transport: "a~b:t.0.1",
    });
  });

  it("[N4] a re-offer changes no running flow before it is answered: what it wants is pending", () => {
    const link = new Negotiation();
    link.record("firefox.hold-resume.1-initial");
    const before = link.live;
    link.offer(recordOf("firefox.hold-resume.2-hold-sendonly").offer);
    expect(link.live).toEqual(before);
    expect(link.flow("0.1:a")).not.toHaveProperty("pending");
    expect(link.flow("0.1:b").pending).toEqual({ exchange: 2, held: true });
  });

  it("[N4] what is added to a bundle is proposed on its transport", () => {
    const link = new Negotiation();
    link.record("janus-to-chromium.videoroom-subscribe.1-initial");
    link.offer(recordOf("janus-to-chromium.videoroom-subscribe.2-add-publisher").offer);
    expect(link.live.slice(2)).toEqual(["2.1:a proposed", "3.1:a proposed"]);
    expect(link.flow("2.1:a").transport).toBe(link.transport.id);
  });

  it.each(["rejected", "rolled-back", "expired", "superseded"] as const)(
    "[F4] a withdrawn offer ends what it proposed: %s",
    (reason) => {
      const link = new Negotiation();
      link.record("janus-to-chromium.videoroom-subscribe.1-initial");
      link.offer(recordOf("janus-to-chromium.videoroom-subscribe.2-add-publisher").offer);
      link.withdraw(reason);
      expect(link.live).toEqual(["0.1:a negotiated", "1.1:a negotiated"]);
      expect(link.ended).toEqual([`2.1:a ended ${reason}`, `3.1:a ended ${reason}`]);
      const after = link.flows;
      link.withdraw(reason);
      expect(link.flows).toBe(after);
    },
  );

  it("[N8] what is offered again after a rollback has other ids", () => {
    const link = new Negotiation();
    const { offer, answer } = recordOf("chromium.max-bundle");
    link.offer(offer);
    link.withdraw("rolled-back");
    link.exchange(offer, answer!);
    expect(link.live.map((each) => each.split(" ")[0])).toEqual([
      ...["0.2:a", "0.2:b", "1.2:a", "1.2:b", "2.2:a", "2.2:b"],
    ]);
  });

  it("[N4] Chromium after a rollback: new mids, nothing left of the old offer", () => {
    const link = new Negotiation();
    link.offer(recordOf("chromium.rollback.1-offer-rolled-back").offer);
    link.withdraw("rolled-back");
    link.record("chromium.rollback.2-after-rollback");
    expect(link.ended).toEqual(["0.1:a ended rolled-back", "0.1:b ended rolled-back"]);
    expect(link.live).toHaveLength(4);
    expect(link.live.every((each) => each.endsWith(" negotiated"))).toBe(true);
  });
});

describe("what is agreed", () => {
  it("[F1] directions are the intersection of both sides", () => {
    const cases = [
      ["sendrecv", "sendrecv", ["a", "b"]],
      ["sendrecv", "recvonly", ["a"]],
      ["sendrecv", "sendonly", ["b"]],
      ["sendonly", "recvonly", ["a"]],
      ["recvonly", "sendonly", ["b"]],
      // Pion may answer so.
      ["recvonly", "recvonly", []],
      ["sendonly", "sendrecv", ["a"]],
      ["sendrecv", "inactive", []],
      ["inactive", "sendrecv", []],
    ] as const;
    for (const [offered, answered, senders] of cases) {
      const link = sectionFlows([AUDIO], [`a=${offered}`], [`a=${answered}`]);
      expect(link.live, `${offered} ${answered}`).toEqual(
        senders.map((from) => `0.1:${from} negotiated`),
      );
      expect(link.ended.every((each) => each.endsWith("ended not-accepted"))).toBe(true);
    }
  });

  it("[F4] a rejected section ends what was proposed, and closes its transport", () => {
    const link = new Negotiation();
    const offer = textOf(AUDIO, "a=mid:0", ...VIDEO, "a=mid:1");
    const rejecting = textOf(AUDIO, "a=mid:0", "m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:1");
    link.exchange(offer, rejecting);
    expect(link.ended).toEqual(["1.1:a ended rejected", "1.1:b ended rejected"]);
    expect(link.transport.mids).toEqual(["0"]);
  });

  it("[F4] an answer with too few sections, or another kind, accepts only what it has", () => {
    const offer = textOf(AUDIO, "a=mid:0", ...VIDEO, "a=mid:1", ...VIDEO, "a=mid:2");
    const link = new Negotiation();
    link.exchange(offer, textOf(AUDIO, "a=mid:0", AUDIO, "a=mid:1"));
    expect(link.live).toEqual(["0.1:a negotiated", "0.1:b negotiated"]);
    expect(link.ended).toHaveLength(4);
  });

  it("[F1] media this server keeps no flows of have a transport and no flow", () => {
    const link = sectionFlows(["m=text 9 UDP/TLS/RTP/SAVPF 98", "a=rtpmap:98 t140/1000"], [], []);
    expect(link.flows.flows).toEqual([]);
    expect(link.transport.mids).toEqual(["0"]);
  });

  it("[F3] no codec in common is no flow", () => {
    const offer = textOf("m=video 9 RTP/SAVPF 96", "a=rtpmap:96 VP8/90000", "a=mid:0");
    const answer = textOf("m=video 9 RTP/SAVPF 96", "a=rtpmap:96 VP9/90000", "a=mid:0");
    const link = new Negotiation();
    link.exchange(offer, answer);
    expect(link.ended).toEqual(["0.1:a ended not-accepted", "0.1:b ended not-accepted"]);
  });

  it("[F3] codecs are the receiver's that the sender lists too", () => {
    const link = new Negotiation();
    link.exchange(
      textOf(
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 101 13 9 63 200 x 120",
        "a=mid:0",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 stereo=1",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:63 red/48000/2",
        "a=rtpmap:200 opus/48000/2",
      ),
      textOf(
        "m=audio 9 UDP/TLS/RTP/SAVPF 0 96 101 13 9 9 63",
        "a=mid:0",
        "a=rtpmap:96 OPUS/48000/2",
        "a=fmtp:96 useinbandfec=1; minptime=10",
        "a=rtpmap:101 telephone-event/8000/1",
        "a=rtpmap:63 red/48000/2",
        "a=rtpmap:9 opus/48000",
      ),
    );
    expect(link.flow("0.1:a").codecs).toEqual([
      { pt: 0, name: "PCMU", rate: 8000, role: "primary" },
      {
        pt: 96,
        name: "OPUS",
        rate: 48_000,
        channels: 2,
        fmtp: "useinbandfec=1; minptime=10",
        role: "primary",
      },
      { pt: 101, name: "telephone-event", rate: 8000, channels: 1, role: "dtmf" },
      { pt: 13, name: "CN", rate: 8000, role: "cn" },
      { pt: 63, name: "red", rate: 48_000, channels: 2, role: "red" },
    ]);
    expect(link.flow("0.1:b").codecs.map(({ pt }) => pt)).toEqual([111, 0, 101, 13, 63]);
    expect(link.flow("0.1:b").codecs[0]?.fmtp).toBe("stereo=1");
  });

  it("[F3] rtx stays only with what it repairs", () => {
    const media = "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 101 102";
    const own = [
      "a=mid:0",
      "a=rtpmap:96 VP8/90000",
      "a=rtpmap:97 rtx/90000",
      "a=fmtp:97 apt=96",
      "a=rtpmap:99 rtx/90000",
      "a=fmtp:99 rtx-time=3000; apt=98",
      "a=rtpmap:100 rtx/90000",
      "a=rtpmap:101 ulpfec/90000",
      "a=rtpmap:102 flexfec-03/90000",
    ];
    const link = new Negotiation();
    link.exchange(
      textOf(media, ...own, "a=rtpmap:98 VP9/90000"),
      textOf(media, ...own, "a=rtpmap:98 H264/90000"),
    );
    expect(link.flow("0.1:a").codecs.map(({ pt, role }) => `${pt} ${role}`)).toEqual([
      ...["96 primary", "97 rtx", "101 fec", "102 fec"],
    ]);
  });

  it("[F3] feedback is what both list for an agreed codec", () => {
    const media = ["m=video 9 UDP/TLS/RTP/SAVPF 96 98", "a=rtpmap:96 VP8/90000"];
    const link = sectionFlows(
      media,
      [
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 NACK PLI",
        "a=rtcp-fb:98 ccm fir",
        "a=rtcp-fb:* goog-remb",
      ],
      [
        "a=rtcp-fb:* nack pli",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 ccm fir",
        "a=rtcp-fb:98 goog-remb",
      ],
    );
    expect(link.flow("0.1:a").feedback).toEqual(["nack pli", "nack"]);
    expect(link.flow("0.1:b").feedback).toEqual(["nack", "NACK PLI"]);
  });

  it("[F3] header extensions are those of both that may travel this way", () => {
    const link = sectionFlows(
      [AUDIO],
      [
        "a=extmap:1 urn:both",
        "a=extmap:2/sendonly urn:forward",
        "a=extmap:3/recvonly urn:backward",
        "a=extmap:4 urn:other-id",
        "a=extmap:6/inactive urn:off",
        "a=extmap:7 urn:ietf:params:rtp-hdrext:encrypt urn:x",
        "a=extmap:8/sendrecv urn:said",
      ],
      [
        "a=extmap:8/sendrecv urn:said",
        "a=extmap:1 urn:both",
        "a=extmap:2/recvonly urn:forward",
        "a=extmap:3/sendonly urn:backward",
        "a=extmap:5 urn:other-id",
        "a=extmap:6 urn:off",
        "a=extmap:7 urn:ietf:params:rtp-hdrext:encrypt urn:y",
      ],
    );
    expect(link.flow("0.1:a").headerExtensions).toEqual([
      { id: 8, uri: "urn:said", direction: "sendrecv" },
      { id: 1, uri: "urn:both" },
      { id: 2, uri: "urn:forward", direction: "recvonly" },
    ]);
    expect(link.flow("0.1:b").headerExtensions.map(({ id }) => id)).toEqual([1, 3, 8]);
  });

  it("[F3] sources are the sender's, with what repairs them", () => {
    const link = sectionFlows(
      [...VIDEO],
      [
        ...["a=ssrc:1 cname:c", "a=ssrc:2 cname:c", "a=ssrc:3 cname:c", "a=ssrc:4 cname:c"],
        ...["a=ssrc-group:FID 1 2", "a=ssrc-group:FEC-FR 1 3", "a=ssrc-group:SIM 1 4"],
        // libdatachannel mirrors the groups of its peer.
        ...["a=ssrc-group:FID 8 9", "a=ssrc-group:FID 4 9", "a=ssrc-group:FID 4"],
      ],
      ["a=ssrc:9 cname:d"],
    );
    expect(link.flow("0.1:a").sources).toEqual([{ ssrc: 1, rtx: 2, fec: 3 }, { ssrc: 4 }]);
    expect(link.flow("0.1:b").sources).toEqual([{ ssrc: 9 }]);
  });

  it("[F3] a source in a section that does not send is no source of a flow", () => {
    const link = sectionFlows([AUDIO], ["a=recvonly", "a=ssrc:1 cname:c"], ["a=ssrc:2 cname:d"]);
    expect(link.live).toEqual(["0.1:b negotiated"]);
    expect(link.flow("0.1:b").sources).toEqual([{ ssrc: 2 }]);
  });

  it("[F3] names come from msid lines, else from sources; `-` is no stream", () => {
    const namesOf = (...lines: string[]) => {
      const { streams, track, cname } = sectionFlows([AUDIO], lines, []).flow("0.1:a");
      return { streams, track, cname };
    };
    expect(namesOf("a=msid:s t", "a=msid:u t", "a=msid:s t", "a=ssrc:1 msid:x y")).toEqual({
      streams: ["s", "u"],
      track: "t",
      cname: undefined,
    });
    expect(namesOf("a=ssrc:1 msid:x y", "a=ssrc:1 cname:c")).toEqual({
      streams: ["x"],
      track: "y",
      cname: "c",
    });
    expect(namesOf("a=msid:- t")).toEqual({ streams: [], track: "t", cname: undefined });
    expect(namesOf("a=msid:s")).toEqual({ streams: ["s"], track: undefined, cname: undefined });
    expect(namesOf()).toEqual({ streams: [], track: undefined, cname: undefined });
  });

  it("[F3] layers are those the sender sends and the receiver accepts", () => {
    const link = sectionFlows(
      [...VIDEO],
      [
        ...["a=rid:h send max-br=900000;pt=96", "a=rid:m send max-br=300000", "a=rid:l send"],
        ...["a=rid:m recv max-br=1", "a=simulcast:send h;x,m;~l;z"],
      ],
      [
        ...["a=rid:h recv max-br=800000;max-width=1280", "a=rid:m recv", "a=rid:l recv"],
        "a=simulcast:recv h;m;l",
      ],
    );
    const { layers, simulcast, limits } = link.flow("0.1:a");
    expect(simulcast).toBe("accepted");
    expect(layers).toEqual([
      { rid: "h", order: 0, limits: { "max-br": "800000", "max-width": "1280" } },
      { rid: "m", order: 1, limits: { "max-br": "300000" } },
      { rid: "l", order: 2, paused: true },
    ]);
    expect(limits).toMatchObject({ effectiveBps: 1_100_000, source: "layers" });
    expect(link.flow("0.1:b")).not.toHaveProperty("simulcast");
  });

  it("[F3] a receiver may pause a layer, and simulcast it does not name is declined", () => {
    const offered = ["a=simulcast:send h;l"];
    const paused = sectionFlows([...VIDEO], offered, ["a=simulcast:recv h;~l"]).flow("0.1:a");
    expect(paused.layers).toEqual([
      { rid: "h", order: 0 },
      { rid: "l", order: 1, paused: true },
    ]);
    // libdatachannel mirrors the line of its peer.
    for (const answered of [[], ["a=simulcast:send h;l"], ["a=simulcast:recv q"]]) {
      const flow = sectionFlows([...VIDEO], offered, answered).flow("0.1:a");
      expect(flow).toMatchObject({ layers: [], simulcast: "declined" });
    }
  });

  it("[F3] data flows take port and message size of their receiver", () => {
    const link = sectionFlows(
      [DATA],
      ["a=sctp-port:5000", "a=max-message-size:262144"],
      ["a=sctp-port:5001"],
    );
    expect(link.flow("0.1:a").sctp).toEqual({ port: 5001, maxMessageSize: 65_536 });
    expect(link.flow("0.1:b").sctp).toEqual({ port: 5000, maxMessageSize: 262_144 });
    expect(sectionFlows([DATA], [], []).flow("0.1:a").sctp).toEqual({ maxMessageSize: 65_536 });
  });
});

describe("limits", () => {
  const limitsOf = (answered: string[]) => sectionFlows([AUDIO], [], answered).flow("0.1:a").limits;

  it("[F3] TIAS counts before AS, and AS is less its headers (RFC 8829 s5.9)", () => {
    expect(limitsOf(["b=AS:64"])).toEqual({ effectiveBps: 44_800, source: "as", receiverAs: 64 });
    expect(limitsOf(["b=AS:10"])).toMatchObject({ effectiveBps: 0 });
    expect(limitsOf(["b=AS:64", "b=TIAS:90000"])).toMatchObject({
      effectiveBps: 90_000,
      source: "tias",
    });
    expect(limitsOf(["b=TIAS:0"])).toEqual({ effectiveBps: 0, source: "tias", receiverTias: 0 });
  });

  it("[F3] the receiver's CT is a ceiling for each flow", () => {
    const link = new Negotiation();
    link.exchange(
      textOf(AUDIO, "a=mid:0"),
      textOf("b=CT:50", "b=AS:1", AUDIO, "a=mid:0", "b=TIAS:90000"),
    );
    expect(link.flow("0.1:a").limits).toMatchObject({ effectiveBps: 50_000, source: "ct" });
    expect(link.flow("0.1:b").limits).toEqual({});
  });

  it("[F1] with a media server, uplink and downlink are those of the other end", () => {
    const link = new Negotiation({ mediaServer: "b" });
    link.exchange(textOf(AUDIO, "a=mid:0"), textOf(AUDIO, "a=mid:0"));
    expect(link.flow("0.1:a")).toMatchObject({
      views: [{ peer: "a", direction: "uplink" }],
    });
    expect(link.flow("0.1:b")).toMatchObject({
      views: [{ peer: "a", direction: "downlink" }],
    });
  });

  it("[F3] layers limit together only if each says its rate", () => {
    const offered = ["a=rid:h send max-br=5", "a=rid:l send", "a=simulcast:send h;l"];
    const link = sectionFlows([...VIDEO], offered, ["a=simulcast:recv h;l"]);
    expect(link.flow("0.1:a").limits).toEqual({});
  });
});

describe("transports", () => {
  const two = (group: string[], ...lines: string[]) =>
    textOf(...group, AUDIO, "a=mid:0", ...lines, ...VIDEO, "a=mid:1", ...lines);

  it("[F6] flows that share a transport say so, by the groups of the answer", () => {
    const bundle = ["a=group:BUNDLE 0 1"];
    const shared = new Negotiation();
    shared.exchange(two(bundle), two(bundle));
    expect(shared.flow("0.1:a").transport).toBe(shared.flow("1.1:b").transport);
    const declined = new Negotiation();
    declined.offer(two(bundle));
    expect(declined.flow("1.1:a").transport).toBe("a~b:t.0.1");
    declined.answer(two(bundle), two([]));
    expect(declined.flows.transports.map(({ id, mids }) => [id, ...mids])).toEqual([
      ["a~b:t.0.1", "0"],
      ["a~b:t.1.1", "1"],
    ]);
    expect(declined.flow("1.1:a").transport).toBe("a~b:t.1.1");
  });

  it("[F6] a mid that no section has, or that has been in a group before, is passed over", () => {
    const link = new Negotiation();
    const group = ["a=group:BUNDLE 9 1", "a=group:BUNDLE 1 0", "a=group:BUNDLE"];
    link.exchange(two(group), two(group));
    expect(link.flows.transports.map(({ id, mids }) => [id, ...mids])).toEqual([
      ["a~b:t.1.1", "1"],
      ["a~b:t.0.1", "0"],
    ]);
  });

  it("[F6] rtcp-mux is the answer's; data alone has one component as well", () => {
    const muxOf = (media: string[], offered: string[], answered: string[]) =>
      sectionFlows(media, offered, answered).transport.rtcpMux;
    expect(muxOf([AUDIO], ["a=rtcp-mux"], ["a=rtcp-mux"])).toBe(true);
    expect(muxOf([AUDIO], ["a=rtcp-mux"], ["a=rtcp-mux-only"])).toBe(false);
    expect(muxOf([DATA], [], [])).toBe(true);
  });

  it("[F6] DTLS roles follow setup (RFC 8842)", () => {
    const rolesOf = (offered: string[], answered: string[]) =>
      sectionFlows([AUDIO], offered, answered).transport.dtls;
    expect(rolesOf(["a=setup:actpass"], ["a=setup:active"])).toEqual({ client: "b", server: "a" });
    expect(rolesOf(["a=setup:actpass"], ["a=setup:passive"])).toEqual({ client: "a", server: "b" });
    expect(rolesOf(["a=setup:active"], [])).toEqual({ client: "a", server: "b" });
    expect(rolesOf(["a=setup:passive"], [])).toEqual({ client: "b", server: "a" });
    expect(rolesOf(["a=setup:actpass"], ["a=setup:actpass"])).toEqual({});
  });

  it("[F6] roles are told by peer whoever offers", () => {
    const link = new Negotiation();
    link.exchange(textOf(AUDIO, "a=setup:actpass"), textOf(AUDIO, "a=setup:active"), "b");
    expect(link.transport.dtls).toEqual({ client: "a", server: "b" });
    expect(link.live).toEqual(["i0.1:b negotiated", "i0.1:a negotiated"]);
  });

  it("[N5] candidates are counted once, in the description and trickled, by type", () => {
    const typed = (n: number, type: string) => `${n} 1 udp ${n} 192.0.2.${n} 5000 typ ${type}`;
    const offer = two(["a=group:BUNDLE 0 1"]).replace(
      "a=mid:0",
      `a=mid:0\r\na=candidate:${typed(1, "host")} generation 0`,
    );
    const at = (candidate: string, place: object) => ({ candidate, ...place });
    const trickled: Trickled[] = [
      {
        from: "a",
        candidates: [
          at(`candidate:${typed(1, "host")} generation 0 ufrag x`, { sdpMid: "0" }),
          at(`candidate:${typed(2, "srflx")}`, { sdpMid: "0", sdpMLineIndex: 1 }),
          at(`a=candidate:${typed(3, "relay")}`, { sdpMid: null, sdpMLineIndex: 0 }),
          at(`candidate:${typed(4, "host")}`, { sdpMid: "1" }),
          at(`candidate:${typed(5, "host")}`, { sdpMid: "nowhere" }),
          at(`candidate:${typed(6, "host")}`, {}),
          at("", { sdpMid: "0" }),
        ],
      },
      { from: "b", candidates: [at(`candidate:${typed(1, "prflx")}`, { sdpMid: "1" })] },
    ];
    const link = new Negotiation();
    link.answer(offer, two(["a=group:BUNDLE 0 1"]), "a", trickled);
    expect(link.transport.candidates).toEqual({
      a: { host: 1, srflx: 1, prflx: 0, relay: 1 },
      // The tagged section has none: those of another section of the bundle count.
      b: { host: 0, srflx: 0, prflx: 1, relay: 0 },
    });
  });

  it("[N5] candidates of nobody are none", () => {
    const pair = { offer: read(two([])), answer: read(two([])), offerer: "a" };
    const context = new Negotiation().context();
    const { transports } = agreeFlows(context, NO_FLOWS, pair, new Map());
    const none = { host: 0, srflx: 0, prflx: 0, relay: 0 };
    expect(transports[0]?.candidates).toEqual({ a: none, b: none });
  });

  it("[N8] a transport goes on when its tagged section is stopped, and when the bundle changes", () => {
    const link = new Negotiation();
    link.exchange(two(["a=group:BUNDLE 0 1"]), two(["a=group:BUNDLE 0 1"]));
    const { id } = link.transport;
    const stopped = textOf(
      ...["a=group:BUNDLE 1", "m=audio 0 UDP/TLS/RTP/SAVPF 0", "a=mid:0"],
      ...[...VIDEO, "a=mid:1"],
    );
    link.exchange(stopped, stopped);
    expect(link.transport).toMatchObject({ id, mids: ["1"] });
    expect(link.ended).toEqual(["0.1:a ended stopped", "0.1:b ended stopped"]);
    const recycled = stopped
      .replace("BUNDLE 1", "BUNDLE 5 1")
      .replace("m=audio 0", "m=audio 9")
      .replace("a=mid:0", "a=mid:5");
    link.exchange(recycled, recycled);
    expect(link.transport).toMatchObject({ id, mids: ["5", "1"] });
    expect(link.live.slice(2)).toEqual(["5.2:a negotiated", "5.2:b negotiated"]);
  });

  it("[N8] sections that leave or join a bundle change transports", () => {
    const link = new Negotiation();
    link.exchange(two(["a=group:BUNDLE 0 1"]), two(["a=group:BUNDLE 0 1"]));
    link.report("a", { state: "connected" });
    link.exchange(two([]), two([]));
    expect(link.flows.transports.map(({ id, state }) => [id, state])).toEqual([
      ["a~b:t.0.1", "connected"],
      ["a~b:t.1.1", "new"],
    ]);
    expect(link.live).toEqual([
      ...["0.1:a active", "0.1:b active", "1.1:a negotiated", "1.1:b negotiated"],
    ]);
    link.exchange(two(["a=group:BUNDLE 0 1"]), two(["a=group:BUNDLE 0 1"]));
    expect(link.flows.transports.map(({ state }) => state)).toEqual(["connected", "closed"]);
    expect(link.live.every((each) => each.endsWith(" active"))).toBe(true);
    link.exchange(two([]), two([]));
    expect(link.flow("1.1:a").transport).toBe("a~b:t.1.2");
  });
});

describe("renegotiation", () => {
  it("[N8] Firefox holds and resumes, and its peer stops its camera: flows keep their ids", () => {
    const link = new Negotiation();
    const step = (name: string, offerer = "a") => {
      link.record(`firefox.hold-resume.${name}`, offerer);
      return link.live;
    };
    const allOf = (state: string) =>
      ["0.1:a", "0.1:b", "1.1:a", "1.1:b"].map((id) => `${id} ${state}`);
    expect(step("1-initial")).toEqual(allOf("negotiated"));
    link.report("a", { state: "connected" });
    expect(link.live).toEqual(allOf("active"));
    const held = ["0.1:a active", "0.1:b held direction", "1.1:a active", "1.1:b held direction"];
    expect(step("2-hold-sendonly")).toEqual(held);
    expect(step("4-resume")).toEqual(allOf("active"));
    const off = ["0.1:a active", "0.1:b active", "1.1:a active", "1.1:b held direction"];
    expect(step("5-peer-video-off", "b")).toEqual(off);
    expect(link.ended).toEqual([]);
    expect(link.transport.iceGeneration).toBe(0);
  });

  it("[N8] Chromium holds everything: nothing ends, names are kept", () => {
    const link = new Negotiation();
    link.record("chromium.hold-resume.1-initial");
    const before = link.flow("1.1:a");
    link.record("chromium.hold-resume.3-hold-inactive");
    expect(link.live.every((each) => each.endsWith("held direction"))).toBe(true);
    expect(link.live).toHaveLength(4);
    const { streams, track, cname, codecs } = before;
    expect(link.flow("1.1:a")).toMatchObject({ streams, track, cname, codecs });
    link.record("chromium.hold-resume.5-peer-video-off", "b");
    expect(link.live).toEqual([
      ...["0.1:a negotiated", "0.1:b negotiated", "1.1:a negotiated", "1.1:b held direction"],
    ]);
  });

  it("[N8] GStreamer holds and resumes", () => {
    const link = new Negotiation();
    link.record("gstreamer.hold-resume.1-initial");
    expect(link.live).toEqual(["audio0.1:a negotiated"]);
    link.record("gstreamer.hold-resume.2-hold-inactive");
    expect(link.live).toEqual(["audio0.1:a held direction"]);
    link.record("gstreamer.hold-resume.3-resume");
    expect(link.live).toEqual(["audio0.1:a negotiated"]);
  });

  it("[N8] werift holds with port 0, which is a stop (RFC 3264 s8.2)", () => {
    const link = new Negotiation();
    link.record("werift.hold-resume.1-initial");
    link.record("werift.hold-resume.2-hold-inactive");
    expect(link.live).toEqual([]);
    expect(link.ended).toContain("0.1:a ended stopped");
    expect(link.flows.transports.map(({ state }) => state)).toEqual(["closed"]);
  });

  it("[N8] Chromium adds, stops and recycles an m-line: the new mid has new ids", () => {
    const link = new Negotiation();
    for (const step of ["3-remove-video", "4-readd-video", "5-stop-video"]) {
      link.record(`chromium.add-remove-track.${step}`);
    }
    expect(link.live).toEqual(["0.1:a negotiated", "0.1:b negotiated", "2.1:a negotiated"]);
    expect(link.ended).toEqual(["1.1:b ended stopped", "2.1:b ended not-accepted"]);
    const { id } = link.transport;
    link.record("chromium.add-remove-track.6-recycle-mline");
    expect(link.live).toContain("3.2:a negotiated");
    expect(link.flow("3.2:a").mLineIndex).toBe(1);
    expect(link.transport).toMatchObject({ id, mids: ["0", "3", "2"] });
  });

  it("[N8] Firefox recycles an m-line without a step in between", () => {
    const link = new Negotiation();
    for (const step of ["1-audio", "3-remove-video", "6-recycle-mline"]) {
      link.record(`firefox.add-remove-track.${step}`);
    }
    expect(link.ended).toContain("1.1:b ended stopped");
    expect(link.live).toContain("3.2:a negotiated");
  });

  it("[N8] a mid that is used for another kind has new ids", () => {
    const link = new Negotiation();
    const [audio, video] = [textOf(AUDIO, "a=mid:0"), textOf(...VIDEO, "a=mid:0")];
    link.exchange(audio, audio);
    link.exchange(video, video);
    expect(link.ended).toEqual(["0.1:a ended stopped", "0.1:b ended stopped"]);
    expect(link.live).toEqual(["0.2:a negotiated", "0.2:b negotiated"]);
  });

  it("[N8] a direction that joins later has the generation of its section", () => {
    const link = new Negotiation();
    const media = [AUDIO, "a=mid:0"];
    link.exchange(textOf(...media, "a=sendonly"), textOf(...media, "a=recvonly"));
    link.report("a", { state: "connected" });
    link.exchange(textOf(...media), textOf(...media));
    expect(link.live).toEqual(["0.1:a active", "0.1:b active"]);
  });

  it("[N8] a direction that was not accepted and comes back has another id", () => {
    const link = new Negotiation();
    const media = [AUDIO, "a=mid:0"];
    link.exchange(textOf(...media), textOf(...media, "a=recvonly"));
    expect(link.ended).toEqual(["0.1:b ended not-accepted"]);
    link.exchange(textOf(...media), textOf(...media));
    expect(link.live).toEqual(["0.1:a negotiated", "0.2:b negotiated"]);
  });

  it("[N8] without mids the index tells sections apart, also once a peer names them", () => {
    const link = new Negotiation();
    link.record("firefox.no-mid");
    const ids = link.live;
    expect(ids).toEqual(["i0.1:a negotiated", "i1.1:a negotiated"]);
    expect(link.flow("i1.1:a")).toMatchObject({ mid: "1", mLineIndex: 1 });
    expect(link.flow("i1.1:a").transport).toBe("a~b:t.i1.1");
    const { offer, answer } = recordOf("firefox.no-mid");
    link.exchange(offer, answer!);
    expect(link.live).toEqual(ids);
    const named = offer
      .replace(/(m=.*\r\n)/g, "$1a=mid:X\r\n")
      .replace("X", "0")
      .replace("X", "1");
    link.exchange(named, answer!);
    expect(link.live).toEqual(ids);
  });

  it("[N8] a direction that joins a section named since keeps its old name", () => {
    const link = new Negotiation();
    link.exchange(textOf(AUDIO, "a=sendonly"), textOf(AUDIO, "a=recvonly"));
    link.exchange(textOf(AUDIO, "a=mid:0"), textOf(AUDIO, "a=mid:0"));
    expect(link.live).toEqual(["i0.1:a negotiated", "i0.1:b negotiated"]);
    expect(link.flow("i0.1:b").mid).toBe("0");
  });

  it.each(["firefox.ice-restart", "pion.ice-restart"])(
    "[N8] %s: a new generation, the same ids, flows stay active",
    (name) => {
      const link = new Negotiation();
      link.record(`${name}.1-initial`);
      const pair = pairOf({}, {});
      link.report("a", { transport: "0", state: "connected", pair });
      const { id } = link.transport;
      const before = link.live;
      link.record(`${name}.2-restart`);
      expect(link.transport).toMatchObject({
        id,
        iceGeneration: 1,
        state: "connected",
        fiveTuples: [],
      });
      expect(link.transport).not.toHaveProperty("selectedPair");
      expect(link.live).toEqual(before);
      expect(before.every((each) => each.endsWith(" active"))).toBe(true);
    },
  );

  const path = (ufrag: string, pwd: string, fingerprint: string) => [
    ...[`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, `a=fingerprint:sha-256 ${fingerprint}`],
  ];
  const withPath = (...lines: string[]) => textOf(AUDIO, "a=mid:0", ...lines);

  it("[N8] only ufrag and password together are a restart, of either side", () => {
    const link = new Negotiation();
    const generation = (offer: string[], answer: string[]) => {
      link.exchange(withPath(...offer), withPath(...answer));
      return link.transport.iceGeneration;
    };
    expect(generation(path("u1", "p1", "AA"), path("v1", "q1", "BB"))).toBe(0);
    expect(generation(path("u2", "p1", "AA"), path("v1", "q1", "BB"))).toBe(0);
    expect(generation(path("u2", "p2", "AA"), path("v1", "q1", "BB"))).toBe(0);
    expect(generation(path("u3", "p3", "AA"), path("v1", "q1", "BB"))).toBe(1);
    expect(generation(path("u3", "p3", "AA"), path("v2", "q2", "BB"))).toBe(2);
  });

  it("[N8] a restart offered by the other peer is told by peer, not by role", () => {
    const link = new Negotiation();
    link.exchange(withPath(...path("u1", "p1", "AA")), withPath(...path("v1", "q1", "BB")));
    link.exchange(withPath(...path("v1", "q1", "BB")), withPath(...path("u1", "p1", "AA")), "b");
    expect(link.transport.iceGeneration).toBe(0);
    link.exchange(withPath(...path("v2", "q2", "BB")), withPath(...path("u2", "p2", "AA")), "b");
    expect(link.transport.iceGeneration).toBe(1);
  });

  it("[N8] other fingerprints are another association: flows start over", () => {
    const link = new Negotiation();
    link.exchange(withPath(...path("u1", "p1", "AA")), withPath(...path("v1", "q1", "BB")));
    link.report("a", { transport: "0", state: "connected", pair: pairOf({}, {}) });
    link.report("a", { state: "disconnected" });
    expect(link.flow("0.1:a").impaired).toBe(true);
    link.exchange(withPath(...path("u2", "p2", "CC")), withPath(...path("v2", "q2", "BB")));
    expect(link.transport).toMatchObject({ state: "new", iceGeneration: 1, fiveTuples: [] });
    expect(link.live).toEqual(["0.1:a negotiated", "0.1:b negotiated"]);
    expect(link.flow("0.1:a")).not.toHaveProperty("impaired");
  });

  it("[N8] the order of several fingerprints has no meaning", () => {
    const link = new Negotiation();
    const lines = ["a=fingerprint:sha-256 AA", "a=fingerprint:sha-1 BB"];
    link.exchange(withPath(...lines), withPath());
    link.report("a", { state: "connected" });
    link.exchange(withPath(...lines.toReversed()), withPath());
    expect(link.transport.state).toBe("connected");
  });

  it("[N8] without the pair before, nothing is said about a restart", () => {
    const link = new Negotiation();
    link.exchange(withPath(...path("u1", "p1", "AA")), withPath(...path("v1", "q1", "BB")));
    link.inForce = undefined;
    link.exchange(withPath(...path("u2", "p2", "CC")), withPath(...path("v2", "q2", "DD")));
    expect(link.transport).toMatchObject({ iceGeneration: 0, state: "new" });
  });

  it("[N8] a pair before that did not have the section says nothing about a restart", () => {
    const link = new Negotiation();
    link.exchange(withPath(...path("u1", "p1", "AA")), withPath(...path("v1", "q1", "BB")));
    const empty = read(textOf());
    link.inForce = { offer: empty, answer: empty, offerer: "a" };
    link.exchange(withPath(...path("u2", "p2", "CC")), withPath(...path("v2", "q2", "DD")));
    expect(link.transport).toMatchObject({ iceGeneration: 0, state: "new" });
  });

  it("[F3] names that vanish while running are kept, `-` takes them away", () => {
    const link = new Negotiation();
    const plain = withPath();
    link.exchange(withPath("a=msid:s t", "a=ssrc:1 cname:c"), plain);
    link.exchange(plain, plain);
    expect(link.flow("0.1:a")).toMatchObject({
      streams: ["s"],
      track: "t",
      cname: "c",
      sources: [],
    });
    link.exchange(withPath("a=msid:- t"), plain);
    expect(link.flow("0.1:a")).toMatchObject({ streams: [], track: "t", cname: "c" });
  });

  it("[F4] a flow names the exchange that last changed it, and since when it is in its state", () => {
    const link = new Negotiation();
    link.exchange(withPath(), withPath());
    const first = link.flow("0.1:a");
    link.exchange(withPath(), withPath("b=AS:100"));
    expect(link.flow("0.1:a")).toMatchObject({ exchange: 2, since: first.since });
    expect(link.flow("0.1:b")).toMatchObject({ exchange: 1 });
    link.exchange(withPath("a=recvonly"), withPath("b=AS:100"));
    expect(link.flow("0.1:a").since).toBeGreaterThan(first.since);
  });
});

type End = SelectedPair["local"];

const pairOf = (local: Partial<End>, remote: Partial<End>): SelectedPair => ({
  local: { candidateType: "host", address: "10.0.0.1", port: 1000, protocol: "udp", ...local },
  remote: { candidateType: "host", address: "10.0.0.2", port: 2000, protocol: "udp", ...remote },
});

/** A link with audio, video and data in one bundle. */
function running(): Negotiation {
  const link = new Negotiation();
  link.record("chromium.max-bundle");
  return link;
}

const statesOf = (link: Negotiation) => new Set(link.flows.flows.map(({ state }) => state));

describe("reports", () => {
  it("[F4] connected makes agreed flows active, at once also later ones", () => {
    const link = running();
    link.report("a", { transport: link.transport.id, state: "connected" });
    expect(statesOf(link)).toEqual(new Set(["active"]));
    const late = new Negotiation();
    late.record("janus-to-chromium.videoroom-subscribe.1-initial");
    late.report("b", { state: "connected" });
    late.offer(recordOf("janus-to-chromium.videoroom-subscribe.2-add-publisher").offer);
    late.report("b", { state: "connected" });
    expect(late.live.slice(2)).toEqual(["2.1:a proposed", "3.1:a proposed"]);
    const { offer, answer } = recordOf("janus-to-chromium.videoroom-subscribe.2-add-publisher");
    late.answer(offer, answer!);
    expect(late.live.slice(2)).toEqual(["2.1:a active", "3.1:a active"]);
  });

  it("[F4] checking changes no flow", () => {
    const link = running();
    const { flows } = link.flows;
    for (const state of ["checking", "new"] as const) link.report("a", { state });
    expect(link.flows.flows).toBe(flows);
  });

  it("[F4] disconnected impairs, connected again mends", () => {
    const link = running();
    link.report("a", { state: "connected" });
    link.change("a~b:0.1:a", { held: true });
    link.report("a", { state: "disconnected" });
    expect(link.flows.flows.every(({ impaired }) => impaired)).toBe(true);
    expect(link.flow("1.1:a").state).toBe("active");
    link.report("b", { state: "connected" });
    expect(link.flows.flows.some(({ impaired }) => impaired)).toBe(false);
    expect(link.flow("0.1:a").state).toBe("held");
  });

  it("[F4] failed takes flows back to negotiated, until the transport is back", () => {
    const link = running();
    link.report("a", { state: "connected" });
    link.change("a~b:0.1:a", { held: true });
    link.report("a", { state: "failed" });
    expect(link.flow("1.1:a")).toMatchObject({
      state: "negotiated",
      reason: "failed",
      impaired: true,
    });
    expect(link.flow("0.1:a")).toMatchObject({
      state: "held",
      reason: "requested",
      impaired: true,
    });
    link.change("a~b:0.1:a", { held: false });
    expect(link.flow("0.1:a")).toMatchObject({ state: "negotiated", reason: "failed" });
    link.report("a", { state: "connected" });
    expect(link.flow("1.1:a")).toMatchObject({ state: "active" });
    expect(link.flow("1.1:a")).not.toHaveProperty("reason");
    expect(link.flow("1.1:a")).not.toHaveProperty("impaired");
  });

  it("[F4] what is added to a broken transport is impaired from the start", () => {
    for (const state of ["disconnected", "failed"] as const) {
      const link = new Negotiation();
      link.record("janus-to-chromium.videoroom-subscribe.1-initial");
      link.report("b", { state });
      link.record("janus-to-chromium.videoroom-subscribe.2-add-publisher");
      expect(link.flow("2.1:a")).toMatchObject({ state: "negotiated", impaired: true });
      expect(link.flow("2.1:a").reason).toBe(state === "failed" ? "failed" : undefined);
    }
  });

  it("[F4] closed ends the flows and is the last word", () => {
    const link = running();
    const { id } = link.transport;
    link.report("a", { state: "closed" });
    expect(link.ended.every((each) => each.endsWith("ended closed"))).toBe(true);
    const closed = link.flows;
    for (const transport of [id, "0"]) link.report("b", { transport, state: "connected" });
    link.report("b", { state: "connected" });
    expect(link.flows).toBe(closed);
  });

  it("[F4] after a close the sections start over on a new transport", () => {
    const link = running();
    link.report("a", { state: "closed" });
    link.record("chromium.max-bundle");
    expect(link.transport.id).toBe("a~b:t.0.2");
    expect(link.flow("0.2:a")).toMatchObject({ state: "negotiated", transport: "a~b:t.0.2" });
    link.report("a", { transport: "0", state: "connected" });
    expect(link.transport.state).toBe("connected");
  });

  it("[F4] the latest report wins, and the same report twice changes nothing", () => {
    const link = running();
    link.report("a", { state: "connected" });
    link.report("b", { state: "failed" });
    expect(link.transport.state).toBe("failed");
    const after = link.flows;
    link.report("a", { state: "failed" });
    expect(link.flows).toBe(after);
  });

  it("[F5] a pair counts for the transport that is named, or the only one", () => {
    const pair = pairOf({}, {});
    const link = running();
    link.report("a", { state: "connected", pair });
    expect(link.transport.selectedPair).toEqual({ a: pair });
    link.report("b", { transport: "1", state: "connected", pair });
    expect(link.transport.fiveTuples.map(({ peer }) => peer)).toEqual(["a", "b"]);
    link.report("a", { transport: "1", state: "connected", pair: pairOf({ port: 1 }, {}) });
    expect(link.transport.fiveTuples.map(({ peer, local }) => [peer, local.port])).toEqual([
      ["a", 1],
      ["b", 1000],
    ]);
    const two = new Negotiation();
    const text = textOf(AUDIO, "a=mid:0", ...VIDEO, "a=mid:1");
    two.exchange(text, text);
    two.report("a", { state: "connected", pair });
    expect(two.flows.transports.map(({ state }) => state)).toEqual(["connected", "connected"]);
    expect(two.flows.transports.every(({ fiveTuples }) => fiveTuples.length === 0)).toBe(true);
    two.report("a", { transport: "1", state: "connected", pair });
    expect(two.flows.transports.map(({ fiveTuples }) => fiveTuples.length)).toEqual([0, 1]);
  });

  it("[F5] a renegotiation without a restart keeps what was reported", () => {
    const link = new Negotiation();
    link.record("firefox.hold-resume.1-initial");
    const pair = pairOf({}, {});
    link.report("a", { transport: "0", state: "connected", pair });
    const { state, selectedPair, fiveTuples } = link.transport;
    link.record("firefox.hold-resume.2-hold-sendonly");
    expect(selectedPair).toEqual({ a: pair });
    expect(link.transport).toMatchObject({ state, selectedPair, fiveTuples });
  });

  it("[F5] a transport nobody has is no transport of the link", () => {
    const link = running();
    const outcome = reportTransport(link.context(), link.flows, "a", {
      transport: "nowhere",
      state: "connected",
    });
    expect(outcome).toMatchObject({ code: "invalid-message" });
  });
});

describe("5-tuples", () => {
  const tupleOf = (local: Partial<End>, remote: Partial<End> = {}) => {
    const link = running();
    link.report("a", { transport: "0", state: "connected", pair: pairOf(local, remote) });
    return link.transport.fiveTuples[0];
  };
  const remote = { address: "10.0.0.2", port: 2000 };

  it("[F5] a host candidate is the interface itself", () => {
    const local = { address: "10.0.0.1", port: 1000 };
    expect(tupleOf({})).toEqual({ peer: "a", protocol: "udp", local, remote });
  });

  it.each(["srflx", "prflx"] as const)("[F5] a %s candidate has the interface as base", (type) => {
    const related = { relatedAddress: "192.168.0.7", relatedPort: 4000 };
    const tuple = tupleOf({ candidateType: type, address: "203.0.113.1", ...related });
    expect(tuple).toEqual({
      peer: "a",
      protocol: "udp",
      local: { address: "192.168.0.7", port: 4000 },
      remote,
    });
    expect(tupleOf({ candidateType: type })?.local).toEqual({});
  });

  it.each([
    ["mDNS", { address: "e72f1903.local" }, { port: 1000 }],
    ["mDNS with a dot", { address: "E72F1903.LOCAL." }, { port: 1000 }],
    ["0.0.0.0", { address: "0.0.0.0", port: 0 }, {}],
    ["::", { address: "::" }, { port: 1000 }],
    ["port 9", { port: 9 }, { address: "10.0.0.1" }],
    ["null", { address: null, port: null }, {}],
    ["empty", { address: "" }, { port: 1000 }],
  ])("[F5] what is hidden is left out: %s", (_, end, known) => {
    expect(tupleOf(end)?.local).toEqual(known);
    const asRemote = tupleOf({}, { ...end, ...("port" in end ? {} : { port: 1000 }) })?.remote;
    const wanted = "address" in known ? { address: "10.0.0.2" } : known;
    expect(asRemote).toEqual(wanted);
  });

  it("[F5] the protocol is that of either end, or unknown", () => {
    expect(tupleOf({ protocol: "TCP" })?.protocol).toBe("tcp");
    expect(tupleOf({ protocol: null }, { protocol: "udp" })?.protocol).toBe("udp");
    expect(tupleOf({ protocol: null }, { protocol: null })?.protocol).toBe("unknown");
  });

  const relay = (more: Partial<End>): Partial<End> => ({
    candidateType: "relay",
    address: "198.51.100.9",
    port: 50_000,
    ...more,
  });

  it("[F5] behind a relay there are two hops", () => {
    const tuple = tupleOf(
      relay({
        url: "turn:turn.example.net:3479?transport=udp",
        relayProtocol: "udp",
        relatedAddress: "192.168.0.7",
        relatedPort: 4000,
      }),
    );
    expect(tuple).toEqual({
      peer: "a",
      protocol: "udp",
      local: { address: "192.168.0.7", port: 4000 },
      remote: { address: "turn.example.net", port: 3479 },
      relay: { relayed: { address: "198.51.100.9", port: 50_000 }, remote, protocol: "udp" },
    });
  });

  it.each([
    ["turn:turn.example.net", { address: "turn.example.net", port: 3478 }, "unknown"],
    ["turns:turn.example.net", { address: "turn.example.net", port: 5349 }, "unknown"],
    ["TURNS:[2001:db8::1]?transport=TCP", { address: "2001:db8::1", port: 5349 }, "tcp"],
    ["turn:[2001:db8::1]:80?transport=udp", { address: "2001:db8::1", port: 80 }, "udp"],
    ["turn:192.0.2.1:443", { address: "192.0.2.1", port: 443 }, "unknown"],
    ["stun:stun.example.net", {}, "unknown"],
    ["turn:a b", {}, "unknown"],
    [null, {}, "unknown"],
  ])("[F5] the TURN server is read out of %s", (url, at, protocol) => {
    expect(tupleOf(relay({ url }))).toMatchObject({ remote: at, protocol, local: {} });
  });

  it("[F5] TLS to the TURN server runs on TCP", () => {
    const tuple = tupleOf(relay({ url: "turns:turn.example.net", relayProtocol: "tls" }));
    expect(tuple).toMatchObject({ protocol: "tcp", relay: { protocol: "tls" } });
  });
});

describe("steering", () => {
  const id = "a~b:1.1:a";

  it("[F4] a flow is held and resumed on request", () => {
    const link = running();
    link.report("a", { state: "connected" });
    link.change(id, { held: true });
    expect(link.flow("1.1:a")).toMatchObject({ state: "held", reason: "requested" });
    const held = link.flows;
    link.change(id, { held: true });
    expect(link.flows).toBe(held);
    link.change(id, { held: false });
    expect(link.flow("1.1:a").state).toBe("active");
    expect(link.flow("1.1:a")).not.toHaveProperty("reason");
    link.report("a", { state: "checking" });
    link.change(id, { held: true });
    link.change(id, { held: false });
    expect(link.flow("1.1:a").state).toBe("negotiated");
  });

  it("[F4] a renegotiation keeps hold, limit and priority", () => {
    const link = new Negotiation();
    link.record("firefox.hold-resume.1-initial");
    link.change("a~b:1.1:b", { held: true, maxBitrateBps: 5000, priority: "high" });
    const kept = {
      state: "held",
      reason: "requested",
      priority: "high",
      limits: { effectiveBps: 5000, source: "request", requestedBps: 5000 },
      dscp: { suggested: 34, alternatives: [36] },
    };
    expect(link.flow("1.1:b")).toMatchObject(kept);
    for (const step of ["2-hold-sendonly", "4-resume"]) {
      link.record(`firefox.hold-resume.${step}`);
      expect(link.flow("1.1:b")).toMatchObject(kept);
    }
    link.change("a~b:1.1:b", { held: false });
    expect(link.flow("1.1:b")).toMatchObject({ state: "negotiated", priority: "high" });
  });

  it("[F4] a request cannot switch on what the descriptions switch off", () => {
    const link = new Negotiation();
    link.record("firefox.hold-resume.1-initial");
    link.record("firefox.hold-resume.2-hold-sendonly");
    link.change("a~b:1.1:b", { held: true });
    expect(link.flow("1.1:b").reason).toBe("requested");
    link.change("a~b:1.1:b", { held: false });
    expect(link.flow("1.1:b")).toMatchObject({ state: "held", reason: "direction" });
    link.change("a~b:1.1:b", { held: false });
    expect(link.flow("1.1:b")).toMatchObject({ state: "held", reason: "direction" });
  });

  it("[F4] a proposed flow is held once it is agreed", () => {
    const link = new Negotiation();
    const media = textOf(AUDIO, "a=mid:0");
    link.offer(media);
    link.change("a~b:0.1:a", { held: true, maxBitrateBps: 7000 });
    link.change("a~b:0.1:b", { held: true });
    link.change("a~b:0.1:b", { held: false });
    expect(link.live).toEqual(["0.1:a proposed requested", "0.1:b proposed"]);
    link.answer(media, textOf(AUDIO, "a=mid:0", "b=TIAS:6000"));
    expect(link.live).toEqual(["0.1:a held requested", "0.1:b negotiated"]);
    expect(link.flow("0.1:a").limits).toEqual({
      effectiveBps: 6000,
      source: "tias",
      receiverTias: 6000,
      requestedBps: 7000,
    });
  });

  it("[F3] the lowest limit counts, and a request can be taken away", () => {
    const link = sectionFlows([AUDIO], [], ["b=TIAS:6000"]);
    const limitsAfter = (maxBitrateBps: number | null) => {
      link.change("a~b:0.1:a", { maxBitrateBps });
      return link.flow("0.1:a").limits;
    };
    const agreed = { effectiveBps: 6000, source: "tias", receiverTias: 6000 };
    expect(limitsAfter(5000)).toEqual({
      effectiveBps: 5000,
      source: "request",
      receiverTias: 6000,
      requestedBps: 5000,
    });
    expect(limitsAfter(9000)).toEqual({ ...agreed, requestedBps: 9000 });
    link.change("a~b:0.1:b", { maxBitrateBps: 1 });
    expect(limitsAfter(null)).toEqual(agreed);
    link.change("a~b:0.1:b", { maxBitrateBps: null });
    expect(link.flow("0.1:b").limits).toEqual({});
    const after = link.flows;
    expect(limitsAfter(null)).toEqual(agreed);
    expect(link.flows).toBe(after);
    expect(after).not.toHaveProperty("agreedLimits");
  });

  it.each([
    ["0", "audio", { "very-low": 1, low: 0, medium: 46, high: 46 }],
    ["1", "video", { "very-low": 1, low: 0, medium: 36, high: 34 }],
    ["2", "data", { "very-low": 1, low: 0, medium: 10, high: 18 }],
  ] as const)(
    "[F4] priorities suggest the DSCP of RFC 8837 (section %s, %s)",
    (mid, kind, wanted) => {
      const link = running();
      for (const [priority, suggested] of Object.entries(wanted)) {
        link.change(`a~b:${mid}.1:a`, { priority: priority as keyof typeof wanted });
        expect(link.flow(`${mid}.1:a`)).toMatchObject({ kind, priority, dscp: { suggested } });
      }
    },
  );

  it("[F1] only a running flow can be steered", () => {
    const link = running();
    const outcome = (flowId: string) =>
      changeFlow(link.context(), link.flows, flowId, { held: true }, "application");
    expect(outcome("nothing")).toMatchObject({ code: "flow-not-found" });
    link.end("left");
    expect(outcome(id)).toMatchObject({ code: "flow-ended" });
  });
});

describe("the end", () => {
  it("[F4] all flows of a link end with the cause, all transports close", () => {
    const link = running();
    link.report("a", { state: "disconnected" });
    link.change("a~b:0.1:a", { maxBitrateBps: 5 });
    link.stale(true);
    link.end("left");
    expect(link.live).toEqual([]);
    for (const flow of link.flows.flows) {
      expect(flow).toMatchObject({ state: "ended", reason: "left" });
      expect(flow).not.toHaveProperty("stale");
      expect(flow).not.toHaveProperty("impaired");
    }
    expect(link.flows.transports.map(({ state }) => state)).toEqual(["closed"]);
    const over = link.flows;
    link.end("kicked");
    expect(link.flows).toBe(over);
  });

  it("[S5] flows are stale while the signalling of an end is lost", () => {
    const link = running();
    const before = link.flows;
    link.stale(false);
    expect(link.flows).toBe(before);
    link.stale(true);
    expect(link.flows.flows.every(({ stale, state }) => stale && state === "negotiated")).toBe(
      true,
    );
    link.stale(false);
    expect(link.flows.flows.some((flow) => "stale" in flow)).toBe(false);
    link.end("left");
    const over = link.flows;
    link.stale(true);
    expect(link.flows).toBe(over);
  });

  it("[F4] a link that never negotiated has nothing to end", () => {
    expect(new Negotiation().end("left")).toBe(NO_FLOWS);
  });

  const many = (round: number) =>
    textOf(
      ...Array.from({ length: 150 }, (_none, index) => [AUDIO, `a=mid:m${round}x${index}`]).flat(),
    );

  it("[S8] a link remembers 2,000 ended flows, and never gives an id twice", () => {
    const link = new Negotiation();
    const seen = new Set<string>();
    for (let round = 0; round < 9; round += 1) {
      link.offer(many(round % 2));
      for (const flow of link.flows.flows.filter(({ state }) => state === "proposed")) {
        expect(seen.has(flow.id)).toBe(false);
        seen.add(flow.id);
      }
      link.withdraw("rolled-back");
    }
    expect(seen.size).toBe(2700);
    // Forgotten is before an event: its own 300 are told.
    expect(link.flows.flows).toHaveLength(2300);
  });

  it("[S8] a link remembers 256 closed transports, and never gives an id twice", () => {
    const link = new Negotiation();
    const seen = new Set<string>();
    for (let round = 0; round < 4; round += 1) {
      const media = many(0);
      link.exchange(media, media);
      for (const { id, state } of link.flows.transports) {
        if (state === "closed") continue;
        expect(seen.has(id)).toBe(false);
        seen.add(id);
      }
      link.report("a", { state: "closed" });
    }
    expect(seen.size).toBe(600);
    expect(link.flows.transports).toHaveLength(406);
  });
});

describe("forgetting", () => {
  it("[F4] what ends now is told, however old it is and however much ended before", () => {
    const link = new Negotiation();
    const section = (mid: string, port: number) => [
      ...[`m=audio ${port} UDP/TLS/RTP/SAVPF 0`, `a=mid:${mid}`],
    ];
    const exchange = (oldest: number, round: number, others: number) => {
      const more = Array.from({ length: 200 }, (_none, index) => `${round}x${index}`);
      const text = textOf(...section("0", oldest), ...more.flatMap((mid) => section(mid, others)));
      link.exchange(text, text);
    };
    for (let round = 0; round < 6; round += 1) {
      exchange(9, round, 9);
      exchange(9, round, 0);
    }
    expect(link.ended.length).toBeGreaterThan(2000);
    const { revision } = link.flows;
    exchange(0, 5, 0);
    const { flows, transports } = flowsSince(link.flows, revision);
    expect(flows.map(words)).toEqual(["0.1:a ended stopped", "0.1:b ended stopped"]);
    expect(transports.map(({ id, state }) => [id, state])).toEqual([["a~b:t.0.1", "closed"]]);
  });
});

describe("ids", () => {
  it("[F2] no id holds an SSRC", () => {
    for (const [, offer, answer] of PAIRS) {
      const link = new Negotiation();
      link.exchange(offer, answer);
      const ids = link.flows.flows.map(({ id }) => id);
      for (const { sources } of link.flows.flows) {
        for (const { ssrc } of sources.filter((source) => source.ssrc > 999)) {
          expect(ids.some((id) => id.includes(String(ssrc)))).toBe(false);
        }
      }
    }
  });

  it("[F2] any mid makes an id that is one URL path segment, and different mids different ids", () => {
    const mid = fc
      .oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("i0", "i1", "t", "0.1", "a:b", "%69"))
      .map((text) => text.replace(/\s/g, "").trim())
      .filter((text) => text.length > 0 && text.isWellFormed() && !text.includes("\0"));
    fc.assert(
      fc.property(fc.uniqueArray(fc.option(mid, { freq: 3 }), { minLength: 1 }), (mids) => {
        const link = new Negotiation();
        const sdp = textOf(
          ...mids.flatMap((each) => [AUDIO, ...(each === null ? [] : [`a=mid:${each}`])]),
        );
        link.exchange(sdp, sdp);
        const ids = link.flows.flows.map(({ id }) => id);
        expect(new Set(ids).size).toBe(2 * mids.length);
        for (const id of [...ids, ...link.flows.transports.map((each) => each.id)]) {
          expect(id).toMatch(/^a~b:[\w.%:-]+$/);
          expect(decodeURIComponent(id)).toBeTruthy();
        }
      }),
    );
  });
});

describe("reading", () => {
  it("[F4] a reader gets what changed after its revision", () => {
    const link = running();
    const { revision } = link.flows;
    expect(flowsSince(link.flows, revision)).toEqual({ flows: [], transports: [] });
    expect(flowsSince(link.flows, 0).flows).toHaveLength(6);
    link.change("a~b:0.1:a", { maxBitrateBps: 9000 });
    const { flows, transports } = flowsSince(link.flows, revision);
    expect(flows.map(({ id }) => id)).toEqual(["a~b:0.1:a"]);
    expect(transports).toEqual([]);
    link.report("a", { state: "checking" });
    expect(flowsSince(link.flows, revision + 1).transports).toHaveLength(1);
  });

  it("[F1] filters select by peer, direction as the peer sees it, state and kind", () => {
    const link = new Negotiation({ mediaServer: "b" });
    link.record("chromium.max-bundle");
    link.change("a~b:0.1:a", { held: true });
    const idsOf = (filter: Parameters<typeof filterFlows>[1]) =>
      filterFlows(link.flows.flows, filter).map(({ id }) => id.replace("a~b:", ""));
    expect(idsOf({})).toHaveLength(6);
    expect(idsOf({ peer: "a" })).toHaveLength(6);
    expect(idsOf({ peer: "b" })).toHaveLength(6);
    expect(idsOf({ peer: "c" })).toEqual([]);
    expect(idsOf({ peer: "a", direction: "uplink" })).toEqual(["0.1:a", "1.1:a", "2.1:a"]);
    expect(idsOf({ peer: "b", direction: "uplink" })).toEqual(["0.1:b", "1.1:b", "2.1:b"]);
    expect(idsOf({ peer: "b", direction: "downlink" })).toEqual(["0.1:a", "1.1:a", "2.1:a"]);
    expect(idsOf({ direction: "downlink" })).toEqual(["0.1:b", "1.1:b", "2.1:b"]);
    expect(idsOf({ direction: "uplink", kind: "data" })).toEqual(["2.1:a"]);
    expect(idsOf({ state: "held" })).toEqual(["0.1:a"]);
    expect(filterFlows(running().flows.flows, { direction: "downlink" })).toHaveLength(6);
  });
});

describe("any sequence", () => {
  const names = PAIRS.map(([name]) => name);
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("exchange" as const),
      name: fc.constantFrom(...names),
      swap: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant("offer" as const),
      name: fc.constantFrom(...names),
      swap: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant("report" as const),
      state: fc.constantFrom("new", "checking", "connected", "disconnected", "failed", "closed"),
    }),
    fc.record({
      kind: fc.constant("change" as const),
      at: fc.nat(),
      change: fc.record(
        {
          held: fc.boolean(),
          maxBitrateBps: fc.option(fc.integer({ min: 1, max: 1e6 })),
          priority: fc.constantFrom("very-low", "low", "medium", "high"),
        },
        { requiredKeys: [] },
      ),
    }),
    fc.record({ kind: fc.constant("stale" as const), stale: fc.boolean() }),
    fc.record({ kind: fc.constant("end" as const) }),
  );

  it("[F4] every step keeps the records whole, their ids unique and their ends final", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 12 }), (steps) => {
        const link = new Negotiation();
        const over = new Map<string, Flow>();
        for (const each of steps) {
          if (each.kind === "exchange") link.record(each.name, each.swap ? "b" : "a");
          else if (each.kind === "offer") {
            link.offer(recordOf(each.name).offer, each.swap ? "b" : "a");
            link.withdraw("expired");
          } else if (each.kind === "report") link.report("a", { state: each.state as "new" });
          else if (each.kind === "stale") link.stale(each.stale);
          else if (each.kind === "end") link.end("left");
          else {
            const isSteerable = ({ state, kind }: Flow) => state !== "ended" && kind !== "data";
            const live = link.flows.flows.filter(isSteerable);
            const flow = live[each.at % Math.max(1, live.length)];
            if (flow) link.change(flow.id, each.change as FlowChange);
          }
          const open = link.flows.transports.filter(({ state }) => state !== "closed");
          for (const flow of link.flows.flows) {
            if (over.has(flow.id)) expect(flow).toBe(over.get(flow.id));
            if (flow.state === "ended") over.set(flow.id, flow);
            else expect(open.map(({ id }) => id)).toContain(flow.transport);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { Flow } from "../../protocol/flow.ts";
import type { PairEnd } from "../../protocol/transport.ts";
import { type Browser, type BrowserName, launch } from "./browsers.ts";
import { Backend, Caller, type CallerOptions, type RawStat, until } from "./caller.ts";

const baseUrl = inject("baseUrl");
const browsers = new Map<BrowserName, Browser>();
let callers: Caller[] = [];

beforeAll(async () => {
  for (const name of ["chromium", "firefox"] as const) browsers.set(name, await launch(name));
});

afterEach(async () => {
  await Promise.all(callers.map((caller) => caller.close().catch(() => undefined)));
  callers = [];
});

afterAll(async () => {
  await Promise.all([...browsers.values()].map((browser) => browser.close()));
});

interface JoinOptions extends CallerOptions {
  readonly browser?: BrowserName;
}

async function join(backend: Backend, options: JoinOptions = {}): Promise<Caller> {
  const { browser = "chromium", ...rest } = options;
  const caller = await Caller.join(browsers.get(browser)!, backend, rest);
  callers.push(caller);
  return caller;
}

async function call(
  first: JoinOptions = {},
  second: JoinOptions = first,
): Promise<[Backend, Caller, Caller]> {
  const backend = await Backend.start(baseUrl);
  const one = await join(backend, first);
  const two = await join(backend, second);
  await Promise.all([
    one.receives(two.id, second.kinds ?? ["audio", "video"]),
    two.receives(one.id, first.kinds ?? ["audio", "video"]),
  ]);
  return [backend, one, two];
}

/** The live flow of a kind that one caller sends to another. */
async function flowOf(backend: Backend, from: Caller, to: Caller, kind: string): Promise<Flow> {
  const { flows } = await backend.flows(`?peer=${from.id}&direction=uplink&kind=${kind}`);
  const live = flows.filter((flow) => flow.to === to.id && flow.state !== "ended");
  expect(live).toHaveLength(1);
  return live[0]!;
}

const END_MEMBERS = [
  "candidateType",
  "address",
  "port",
  "protocol",
  "relayProtocol",
  "url",
  "relatedAddress",
  "relatedPort",
  "usernameFragment",
];

const find = (stats: readonly RawStat[], id: unknown): RawStat | undefined =>
  stats.find((stat) => stat.id === id);

const endOf = (stat: RawStat | undefined): PairEnd =>
  Object.fromEntries(
    END_MEMBERS.filter((name) => (stat?.[name] ?? "") !== "").map((name) => [name, stat?.[name]]),
  ) as PairEnd;

/** The transport that carries a section: of RTP by its mid, else the only one. */
function transportOf(stats: readonly RawStat[], mid: string): RawStat {
  const all = stats.filter(({ type }) => type === "transport");
  const rtp = stats.find((stat) => stat.mid === mid && stat.transportId !== undefined);
  const found = rtp ? find(all, rtp.transportId) : all[0];
  expect(found).toBeDefined();
  return found!;
}

/** A section's codec in use, SSRC and repair, as sender and receiver measure them, against its record. */
function agreesOnMedia(flow: Flow, sent: readonly RawStat[], got: readonly RawStat[]): void {
  const out = sent.find(({ type, mid }) => type === "outbound-rtp" && mid === flow.mid)!;
  const into = got.find(({ type, ssrc }) => type === "inbound-rtp" && ssrc === out.ssrc)!;
  expect(into).toMatchObject({ kind: flow.kind, mid: flow.mid });
  expect(out.kind).toBe(flow.kind);
  expect(flow.sources[0]).toMatchObject({
    ssrc: out.ssrc,
    ...(out.rtxSsrc === undefined ? {} : { rtx: out.rtxSsrc }),
  });
  expect(flow.kind === "video").toBe(flow.sources[0]?.rtx !== undefined);
  const codec = find(sent, out.codecId)!;
  const [first] = flow.codecs;
  expect(`${flow.kind}/${first?.name}`.toLowerCase()).toBe(String(codec.mimeType).toLowerCase());
  expect({
    pt: first?.pt,
    rate: first?.rate,
    channels: first?.channels,
    fmtp: first?.fmtp,
  }).toEqual({
    pt: codec.payloadType,
    rate: codec.clockRate,
    channels: codec.channels,
    fmtp: codec.sdpFmtpLine,
  });
  expect(first?.role).toBe("primary");
}

/** DTLS, ICE, pair and 5-tuple of one end, as it measures them, against the record. */
async function agreesOnTransport(backend: Backend, flow: Flow, caller: Caller, stats: RawStat[]) {
  const { transports } = await backend.flows();
  const record = transports.find(({ id }) => id === flow.transport)!;
  const transport = transportOf(stats, flow.mid);
  expect(record.state).toBe("connected");
  expect(record.mids).toContain(flow.mid);
  expect(record.dtls[transport.dtlsRole as "client" | "server"]).toBe(caller.id);
  expect(record.dtls).toMatchObject({
    srtpProfile: transport.srtpCipher,
    tlsVersion: transport.tlsVersion,
    cipher: transport.dtlsCipher,
  });
  const own = find(stats, transport.localCertificateId)!;
  const print = `${own.fingerprintAlgorithm} ${own.fingerprint}`.toUpperCase();
  expect(record.dtls.fingerprints?.[caller.id]?.map((text) => text.toUpperCase())).toEqual([print]);
  expect(record.ice[caller.id]?.ufrag).toBe(transport.iceLocalUsernameFragment);
  const pair = find(stats, transport.selectedCandidatePairId)!;
  const local = find(stats, pair.localCandidateId)!;
  const remote = find(stats, pair.remoteCandidateId)!;
  expect(record.selectedPair?.[caller.id]).toEqual({ local: endOf(local), remote: endOf(remote) });
  const tuple = record.fiveTuples.find(({ peer }) => peer === caller.id)!;
  const far = { address: remote.address, port: remote.port };
  const near = { address: local.address, port: local.port };
  if (local.candidateType === "relay") {
    expect(tuple).toMatchObject({ relay: { relayed: near, remote: far } });
    expect(String(local.url)).toContain(`${tuple.remote.address}:${tuple.remote.port}`);
  } else {
    expect(tuple).toMatchObject({ protocol: local.protocol, local: near, remote: far });
  }
}

/** Every member of the records that getStats of either end knows. Polled: reports take their time. */
async function recordsAgree(backend: Backend, ends: readonly [Caller, Caller], kinds: string[]) {
  await until(
    "the records agree with getStats of both ends",
    async () => {
      for (const [from, to] of [ends, [ends[1], ends[0]] as const]) {
        const [sent, got] = [await from.rawStats(to.id), await to.rawStats(from.id)];
        for (const kind of kinds) {
          const flow = await flowOf(backend, from, to, kind);
          expect(flow.state).toBe("active");
          if (kind !== "data") agreesOnMedia(flow, sent, got);
          await agreesOnTransport(backend, flow, from, sent);
          await agreesOnTransport(backend, flow, to, got);
        }
      }
      return true;
    },
    20_000,
  );
}

/** Runs in the page: a data channel beside the media, which speaks now and then. */
function openChannel(peer: string): void {
  const channel = window.call.session.connection(peer)!.createDataChannel("chat");
  channel.onopen = () => setInterval(() => channel.send("x".repeat(2000)), 100);
}

/** Runs in the page before the SDK: connections have a data channel, and offers no BUNDLE group. */
function unbundle(): void {
  const Native = RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.createDataChannel("chat");
    }
  };
  const native: (given?: RTCLocalSessionDescriptionInit) => Promise<void> =
    RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = async function (
    this: RTCPeerConnection,
    given?: RTCLocalSessionDescriptionInit,
  ): Promise<void> {
    if (given !== undefined || this.signalingState !== "stable") return native.call(this, given);
    const { sdp = "" } = await this.createOffer();
    return native.call(this, { type: "offer", sdp: sdp.replace(/^a=group:BUNDLE.*\r\n/m, "") });
  };
}

describe("records of a live call", () => {
  it("[M4][F5] agree with getStats on a direct path, with data, and after an ICE restart", async () => {
    const [backend, one, two] = await call();
    await one.page.evaluate(openChannel, two.id);
    await until("data flows both ways", async () => {
      const { flows } = await backend.flows("?kind=data&state=active");
      return flows.length === 2;
    });
    const kinds = ["audio", "video", "data"];
    await recordsAgree(backend, [one, two], kinds);
    const before = await backend.flows();
    expect(before.transports).toHaveLength(1);
    await one.page.evaluate((peer) => window.call.session.restartIce(peer), two.id);
    await until("a new ICE generation", async () => {
      const { transports } = await backend.flows();
      return transports[0]?.iceGeneration === (before.transports[0]?.iceGeneration ?? 0) + 1;
    });
    await until("the restart is over", async () => {
      const { transports } = await backend.flows();
      return transports.every(({ restartingSince }) => restartingSince === undefined);
    });
    await recordsAgree(backend, [one, two], kinds);
    const after = await backend.flows();
    const [old, fresh] = [before.transports[0]!, after.transports[0]!];
    expect(after.flows.map(({ id }) => id)).toEqual(before.flows.map(({ id }) => id));
    for (const { id } of [one, two]) expect(fresh.ice[id]?.ufrag).not.toBe(old.ice[id]?.ufrag);
  });

  it("[M4][F5] agree with getStats on a path through TURN servers", async () => {
    const [backend, one, two] = await call({ relay: true });
    await recordsAgree(backend, [one, two], ["audio", "video"]);
    const { transports } = await backend.flows();
    const turn = inject("turn");
    for (const { remote } of transports[0]!.fiveTuples) {
      expect(remote).toEqual({ address: turn.host, port: turn.port });
    }
  });

  it("[F5][F6] without BUNDLE every section, the data channel's too, has a transport and 5-tuples of its own", async () => {
    const [backend, one, two] = await call({}, { prepare: unbundle });
    await until("three transports with 5-tuples from both ends", async () => {
      const { transports, flows } = await backend.flows("?state=active");
      return (
        flows.length === 6 &&
        transports.length === 3 &&
        transports.every(({ fiveTuples }) => fiveTuples.length === 2)
      );
    });
    const { transports, flows } = await backend.flows("?state=active");
    const ports = transports.flatMap(({ fiveTuples }) => fiveTuples.map(({ local }) => local.port));
    expect(new Set(ports).size).toBe(6);
    expect(new Set(flows.map(({ kind, transport }) => `${kind} ${transport}`)).size).toBe(3);
    await recordsAgree(backend, [one, two], ["audio", "video"]);
  });
});

const HD = { width: 1280, height: 720 };

/** How far the sender of a flow, and its receiver, have come. */
const packetsSent = async (from: Caller, to: Caller, mid: string): Promise<number> =>
  (await from.rawStats(to.id))
    .filter((stat) => stat.type === "outbound-rtp" && stat.mid === mid)
    .reduce((sum, stat) => sum + Number(stat.packetsSent), 0);

const framesDecoded = async (from: Caller, to: Caller, mid: string): Promise<number> =>
  (await to.rawStats(from.id))
    .filter((stat) => stat.type === "inbound-rtp" && stat.mid === mid)
    .reduce((sum, stat) => sum + Number(stat.framesDecoded), 0);

async function standsStill(from: Caller, to: Caller, mid: string): Promise<void> {
  await until(
    "no packet for 2 s",
    async () => {
      const before = await packetsSent(from, to, mid);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      return (await packetsSent(from, to, mid)) === before;
    },
    15_000,
  );
}

async function moves(from: Caller, to: Caller, mid: string): Promise<void> {
  const before = await framesDecoded(from, to, mid);
  await until("pictures again", async () => (await framesDecoded(from, to, mid)) > before + 10);
}

describe("steering", () => {
  it("[M5] a limit brings the measured rate down within 10 s, and lifting it brings it back", async () => {
    const [backend, one, two] = await call({ ...HD }, { kinds: [] });
    const { id, mid } = await flowOf(backend, one, two, "video");
    await until("720p at its usual rate", async () => {
      return (await one.sendingBps(two.id, mid)) > 500_000;
    });
    await backend.change(id, { maxBitrateBps: 200_000 });
    await until(
      "under 250 kbit/s",
      async () => (await one.sendingBps(two.id, mid, 3000)) < 250_000,
      10_000,
    );
    await until("what was applied is recorded", async () => {
      const { applied, limits, requests } = await backend.flow(id);
      expect(requests).toMatchObject([{ by: "application", maxBitrateBps: 200_000 }]);
      expect(limits).toMatchObject({ requestedBps: 200_000, effectiveBps: 200_000 });
      expect(applied).toMatchObject({ held: false, maxBitrateBps: 200_000 });
      return applied?.problem === undefined;
    });
    await backend.change(id, { maxBitrateBps: null });
    await until("the usual rate again", async () => {
      return (await one.sendingBps(two.id, mid)) > 500_000;
    });
    const lifted = await backend.flow(id);
    expect(lifted.applied?.maxBitrateBps).toBeNull();
    expect(lifted.limits.effectiveBps).toBeUndefined();
    // Once per change: the record that comes of it is no news to its sender.
    expect(await sentBy(one, "applied")).toBe(2);
  });

  it("[M5] audio is limited, too", async () => {
    const [backend, one, two] = await call({ kinds: ["audio"] }, { kinds: [] });
    const { id, mid } = await flowOf(backend, one, two, "audio");
    await backend.change(id, { maxBitrateBps: 12_000 });
    await until("applied", async () => {
      return (await backend.flow(id)).applied?.maxBitrateBps === 12_000;
    });
    // 50 packets per second have headers of 12 to 32 bytes beside what is limited.
    await until("low rate", async () => (await one.sendingBps(two.id, mid, 3000)) < 27_000);
    // Chromium refuses less than Opus takes at least.
    await backend.change(id, { maxBitrateBps: 1_000 });
    await until("the least, and that it is more", async () => {
      const { applied } = await backend.flow(id);
      return applied?.maxBitrateBps === 6_000 && applied.problem?.code === "not-supported";
    });
  });

  it("[M5] a hold stops packets, and resuming brings the picture back without a negotiation", async () => {
    const [backend, one, two] = await call({}, { kinds: [] });
    const { id, mid } = await flowOf(backend, one, two, "video");
    const offers = (): Promise<number> => one.page.evaluate(() => window.call.offersSent, null);
    const before = await offers();
    expect(await backend.change(id, { held: true })).toMatchObject({ state: "held" });
    await standsStill(one, two, mid);
    await until("applied", async () => (await backend.flow(id)).applied?.held === true);
    expect(await backend.change(id, { held: false })).toMatchObject({ state: "active" });
    await moves(one, two, mid);
    await until("applied", async () => (await backend.flow(id)).applied?.held === false);
    expect(await offers()).toBe(before);
  });

  it("[M5] Firefox obeys, too", async () => {
    const [backend, one, two] = await call({ browser: "firefox" }, { kinds: [] });
    const { id, mid } = await flowOf(backend, one, two, "video");
    await backend.change(id, { held: true, maxBitrateBps: 300_000, priority: "medium" });
    await standsStill(one, two, mid);
    const told = { held: true, maxBitrateBps: 300_000, priority: "medium" };
    await until("all of it applied", async () => {
      const { revision: _, ...applied } = (await backend.flow(id)).applied ?? { revision: 0 };
      expect(applied).toEqual(told);
      return true;
    });
    await backend.change(id, { held: false, maxBitrateBps: null, priority: null });
    await moves(one, two, mid);
    await until("all of it lifted", async () => {
      const { revision: _, ...applied } = (await backend.flow(id)).applied ?? { revision: 0 };
      expect(applied).toEqual({ held: false, maxBitrateBps: null, priority: "low" });
      return true;
    });
    await until("it reports", async () => {
      const { quality, transport } = await backend.flow(id);
      const { transports } = await backend.flows();
      const { dtls, fiveTuples } = transports.find((each) => each.id === transport)!;
      expect(dtls).toMatchObject({ tlsVersion: "FEFC", cipher: expect.any(String) });
      expect(fiveTuples).toHaveLength(2);
      return (quality?.[one.id]?.bitrateBps ?? 0) > 0;
    });
  });

  it.each(["chromium", "firefox"] as const)(
    "[M5] what the application of %s sets while it is limited stays, and is there afterwards",
    async (browser) => {
      const [backend, one, two] = await call({ browser }, { kinds: [] });
      const { id, mid } = await flowOf(backend, one, two, "video");
      const choose = (chosen: Partial<RTCRtpEncodingParameters>) =>
        one.page.evaluate(
          async ({ peer, said, section }) => {
            const all = window.call.session.connection(peer)!.getTransceivers();
            const { sender } = all.find((each) => each.mid === section)!;
            const parameters = sender.getParameters();
            for (const encoding of parameters.encodings) Object.assign(encoding, said);
            if (Object.keys(said).length > 0) await sender.setParameters(parameters);
            return sender
              .getParameters()
              .encodings.map(({ active, maxBitrate }) => [active, maxBitrate]);
          },
          { peer: two.id, said: chosen, section: mid },
        );
      const limitedTo = async (asked: number | null, applied: number | null) => {
        await backend.change(id, { maxBitrateBps: asked });
        await until("applied", async () => {
          const record = await backend.flow(id);
          const { applied: done, limits } = record;
          return limits.requestedBps === (asked ?? undefined) && done?.maxBitrateBps === applied;
        });
        return choose({});
      };
      expect(await limitedTo(300_000, 300_000)).toEqual([[true, 300_000]]);
      await choose({ maxBitrate: 100_000, active: false });
      // What it says of itself is the limit of its application now.
      expect(await limitedTo(400_000, 100_000)).toEqual([[false, 100_000]]);
      await choose({ active: true });
      expect(await limitedTo(50_000, 50_000)).toEqual([[true, 50_000]]);
      expect(await limitedTo(null, 100_000)).toEqual([[true, 100_000]]);
    },
  );

  it("[M5] where encodings cannot be switched off, the direction holds and comes back", async () => {
    const [backend, one, two] = await call(
      {
        prepare: () => {
          RTCRtpSender.prototype.setParameters = () =>
            Promise.reject(new DOMException("not here", "OperationError"));
        },
      },
      { kinds: [] },
    );
    const { id, mid } = await flowOf(backend, one, two, "video");
    await backend.change(id, { held: true });
    await standsStill(one, two, mid);
    await until("applied", async () => {
      const { state, applied } = await backend.flow(id);
      return state === "held" && applied?.held === true && applied.problem === undefined;
    });
    await backend.change(id, { held: false, maxBitrateBps: 100_000 });
    await moves(one, two, mid);
    await until("what cannot be done is recorded", async () => {
      const { state, applied } = await backend.flow(id);
      expect(applied?.problem).toEqual({ code: "OperationError", detail: "not here" });
      return state === "active" && applied?.held === false && applied.maxBitrateBps === null;
    });
  });

  it("[M5] a priority is that of encoding and network; a data channel's cannot be changed, which is told", async () => {
    const [backend, one, two] = await call({}, { kinds: [] });
    await one.page.evaluate(openChannel, two.id);
    const video = await flowOf(backend, one, two, "video");
    const encodings = () =>
      one.page.evaluate(
        ({ peer, mid }) =>
          window.call.session
            .connection(peer)!
            .getTransceivers()
            .find((transceiver) => transceiver.mid === mid)!
            .sender.getParameters()
            .encodings.map((encoding) => ({ ...encoding })),
        { peer: two.id, mid: video.mid },
      );
    await backend.change(video.id, { priority: "high" });
    await until("applied", async () => (await backend.flow(video.id)).applied?.priority === "high");
    expect(await encodings()).toMatchObject([{ priority: "high", networkPriority: "high" }]);
    await backend.change(video.id, { priority: null });
    await until("lifted", async () => (await backend.flow(video.id)).applied?.priority === "low");
    expect(await encodings()).toMatchObject([{ priority: "low", networkPriority: "low" }]);
    await until("a data flow", async () => (await backend.flows("?kind=data")).flows.length === 2);
    const data = await flowOf(backend, one, two, "data");
    await backend.change(data.id, { priority: "high" });
    await until("told", async () => {
      return (await backend.flow(data.id)).applied?.problem?.code === "not-supported";
    });
  });

  it("[M5][R2] what was asked while a page was away is applied when it is back", async () => {
    const [backend, one, two] = await call({}, { kinds: [] });
    const { id, mid } = await flowOf(backend, one, two, "video");
    await one.page.evaluate(() => {
      const Known = WebSocket;
      window.WebSocket = class {
        constructor() {
          throw new Error("no network");
        }
      } as unknown as typeof WebSocket;
      Object.assign(window, { comeBack: () => Object.assign(window, { WebSocket: Known }) });
      window.call.session.reconnectNow();
    }, null);
    await until("away", async () => {
      const { peers } = await backend.read<{ peers: { id: string; state: string }[] }>("/peers");
      return peers.some((peer) => peer.id === one.id && peer.state === "away");
    });
    await backend.change(id, { held: true });
    await one.page.evaluate(() => (window as unknown as { comeBack: () => void }).comeBack(), null);
    await standsStill(one, two, mid);
    await until("applied", async () => (await backend.flow(id)).applied?.held === true);
  });
});

describe("what the SDK is told of flows", () => {
  it("[M4] summaries while a call runs, or whole records for who asks; a snapshot of them for everyone", async () => {
    const [backend, one, two] = await call(
      { kinds: ["audio"] },
      { kinds: ["audio"], flowRecords: "full" },
    );
    const known = (caller: Caller) =>
      caller.page.evaluate(async () => {
        const { session } = window.call;
        const { flows, transports } = session;
        return { flows, transports, records: await session.getFlowRecords() };
      }, null);
    await until("all is known to both", async () => {
      const { flows, transports } = await backend.flows();
      const [brief, full] = [await known(one), await known(two)];
      const names = brief.flows.map((flow) => Object.keys(flow).join(" "));
      // What was offered and not taken is in the records as ended, and nobody was told of it briefly.
      const live = flows.filter(({ state }) => state !== "ended");
      return (
        live.length === 2 &&
        live.every(({ state, quality }) => state === "active" && quality !== undefined) &&
        names.join() === Array(2).fill("id revision mid kind from to state").join() &&
        brief.flows.every(({ state }) => state === "active") &&
        brief.transports.length === 0 &&
        brief.records.flows.length === flows.length &&
        brief.records.flows.every((flow) => "codecs" in flow) &&
        brief.records.transports.length === transports.length &&
        full.flows.every((flow) => "codecs" in flow) &&
        full.transports.length === transports.length
      );
    });
  });
});

/** Messages of a type that a page has sent. */
const sentBy = (caller: Caller, type: string): Promise<number> =>
  caller.page.evaluate((wanted) => window.call.sent[wanted] ?? 0, type);

describe("reports of flows", () => {
  it("[M14] bit rate, picture and SSRCs are in the record; a steady call says hardly anything more", async () => {
    const [backend, one, two] = await call({}, { flowReports: false });
    const flow = await flowOf(backend, one, two, "video");
    let measured = 0;
    // The rate takes its time to settle, and moves when the machine has others to serve.
    await until("hardly anything new for 20 s", async () => {
      const before = await sentBy(one, "quality");
      measured = await one.sendingBps(two.id, flow.mid, 20_000);
      return before > 0 && (await sentBy(one, "quality")) - before <= 2;
    });
    const { quality = {}, codecs } = await backend.flow(flow.id);
    expect(Object.keys(quality)).toEqual([one.id]);
    const { bitrateBps = 0, ...report } = quality[one.id]!;
    expect(bitrateBps).toBeGreaterThan(measured * 0.6);
    expect(bitrateBps).toBeLessThan(measured * 1.6);
    expect(report).toMatchObject({ width: 320, height: 240, pt: codecs[0]?.pt });
    expect(report.packets).toBeGreaterThan(0);
    const downlink = await backend.flow((await flowOf(backend, two, one, "video")).id);
    expect(downlink.quality?.[one.id]).toMatchObject({ packetsLost: 0, width: 320, height: 240 });
    expect(await sentBy(two, "quality")).toBe(0);
    // Nothing was asked of its flows.
    expect(await sentBy(one, "applied")).toBe(0);
  });

  it("[M14][F2] the layers of a publisher whose descriptions name no SSRC get theirs from its reports", async () => {
    const backend = await Backend.start(baseUrl);
    const server = await join(backend, { kinds: [], prepare: acceptLayers });
    const publisher = await join(backend, { kinds: ["video"], ...HD, prepare: sendLayers });
    await publisher.receives(server.id, []);
    const ids = new Set<string>();
    await until("every layer has its SSRC", async () => {
      const flow = await flowOf(backend, publisher, server, "video");
      ids.add(flow.id);
      expect(flow.simulcast).toBe("accepted");
      expect(flow.layers.map(({ rid }) => rid)).toEqual(["q", "h", "f"]);
      const sent = (await publisher.rawStats(server.id)).filter(
        (stat) => stat.type === "outbound-rtp" && Number(stat.packetsSent) > 0,
      );
      expect(sent).toHaveLength(3);
      for (const { rid, ssrc, rtxSsrc } of sent) {
        expect(flow.layers.find((layer) => layer.rid === rid)?.ssrc).toBe(ssrc);
        expect(flow.sources).toContainEqual({ ssrc, rtx: rtxSsrc, rid, reported: true });
      }
      return true;
    });
    expect(ids.size).toBe(1);
  });
});

/** Runs in the page before the SDK: video is published in three layers, in the last section. */
function sendLayers(): void {
  // Without it no section that was there is taken for what is published later.
  Reflect.deleteProperty(RTCRtpSender.prototype, "setStreams");
  const { addTrack } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.addTrack = function (this: RTCPeerConnection, track, ...streams) {
    if (track.kind !== "video") return addTrack.call(this, track, ...streams);
    return this.addTransceiver(track, {
      direction: "sendonly",
      streams,
      sendEncodings: [
        { rid: "q", scaleResolutionDownBy: 4 },
        { rid: "h", scaleResolutionDownBy: 2 },
        { rid: "f" },
      ],
    }).sender;
  };
}

/** Runs in the page before the SDK: what it sends as its answer takes all layers, as a media server does. */
function acceptLayers(): void {
  const local = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, "localDescription")!;
  Object.defineProperty(RTCPeerConnection.prototype, "localDescription", {
    get(this: RTCPeerConnection) {
      const own = local.get!.call(this) as RTCSessionDescription | null;
      const rids = [...(this.remoteDescription?.sdp.matchAll(/^a=rid:(\S+) send/gm) ?? [])];
      if (own?.type !== "answer" || rids.length === 0) return own;
      const names = rids.map(([, rid]) => rid);
      const lines = names.map((rid) => `a=rid:${rid} recv\r\n`).join("");
      return { type: own.type, sdp: `${own.sdp}${lines}a=simulcast:recv ${names.join(";")}\r\n` };
    },
  });
}

describe("what is published", () => {
  it("[M6] one camera is one source on every link, whatever track it sends at the time", async () => {
    const backend = await Backend.start(baseUrl);
    const others = [await join(backend, { kinds: [] }), await join(backend, { kinds: [] })];
    const one = await join(backend, { kinds: [] });
    const source = await one.page.evaluate(async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ video: true });
      const [track] = stream.getVideoTracks();
      const options = { streams: [stream], content: "slides", simulcastGroup: "screen" };
      const publication = window.call.session.publish(track!, options);
      Object.assign(window, { publication });
      return track!.id;
    }, null);
    for (const other of others) await other.receives(one.id, ["video"]);
    const flows = () => Promise.all(others.map((other) => flowOf(backend, one, other, "video")));
    const labels = { sourceId: source, content: "slides", simulcastGroup: "screen" };
    for (const flow of await flows()) expect(flow).toMatchObject(labels);
    await one.page.evaluate(async () => {
      const { publication } = window as unknown as {
        publication: { replaceTrack: (track: MediaStreamTrack) => Promise<void> };
      };
      const [track] = (await navigator.mediaDevices.getUserMedia({ video: true })).getVideoTracks();
      await publication.replaceTrack(track!);
      window.call.session.restartIce();
    }, null);
    await until("negotiated once more", async () => {
      const { transports } = await backend.flows();
      const own = transports.filter(({ link }) => link.includes(one.id));
      return own.length === 2 && own.every(({ iceGeneration }) => iceGeneration > 0);
    });
    for (const flow of await flows()) expect(flow).toMatchObject(labels);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { Flow } from "../../protocol/flow.ts";
import type { SdpFinding } from "../../protocol/sdp/finding.ts";
import { type Browser, type BrowserName, launch } from "./browsers.ts";
import { Backend, Caller, type CallStats, type FlowsAnswer, until } from "./caller.ts";

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

async function join(
  name: BrowserName,
  backend: Backend,
  options: { kinds?: string[]; relay?: boolean } = {},
): Promise<Caller> {
  const caller = await Caller.join(browsers.get(name)!, backend, options);
  callers.push(caller);
  return caller;
}

async function call(
  first: BrowserName,
  second: BrowserName,
  options: { relay?: boolean } = {},
): Promise<[Backend, Caller, Caller]> {
  const backend = await Backend.start(baseUrl);
  const one = await join(first, backend, options);
  const two = await join(second, backend, options);
  await Promise.all([one.receives(two.id), two.receives(one.id)]);
  return [backend, one, two];
}

const flowOf = ({ flows }: FlowsAnswer, from: Caller, to: Caller, kind: string): Flow => {
  const found = flows.filter(
    (flow) =>
      flow.from === from.id && flow.to === to.id && flow.kind === kind && flow.state === "active",
  );
  expect(found).toHaveLength(1);
  return found[0]!;
};

/** The record of a running flow against what sender and receiver measure. */
function agrees(answer: FlowsAnswer, from: Caller, to: Caller, sent: CallStats, got: CallStats) {
  for (const kind of ["audio", "video"]) {
    const flow = flowOf(answer, from, to, kind);
    const out = sent.outbound.find((rtp) => rtp.kind === kind)!;
    const into = got.inbound.find((rtp) => rtp.kind === kind)!;
    expect(flow.sources[0]?.ssrc).toBe(out.ssrc);
    expect(flow.sources[0]?.ssrc).toBe(into.ssrc);
    const codec = flow.codecs.find(({ pt }) => pt === out.payloadType);
    expect(`${kind}/${codec?.name}`.toLowerCase()).toBe(out.mimeType.toLowerCase());
    expect(flow.codecs[0]?.pt).toBe(out.payloadType);
    expect(flow.views).toEqual([
      { peer: from.id, direction: "uplink" },
      { peer: to.id, direction: "downlink" },
    ]);
    const transport = answer.transports.find(({ id }) => id === flow.transport)!;
    for (const [caller, { pair }] of [
      [from, sent],
      [to, got],
    ] as const) {
      const tuple = transport.fiveTuples.find(({ peer }) => peer === caller.id)!;
      expect(tuple.local).toEqual({ address: pair!.local.address, port: pair!.local.port });
      expect(tuple.remote).toEqual({ address: pair!.remote.address, port: pair!.remote.port });
    }
  }
}

/** Both reported their pair; reads until the record and the browsers speak of the same pair. */
async function recordAgrees(backend: Backend, one: Caller, two: Caller): Promise<void> {
  await until(
    "the record agrees with getStats of both",
    async () => {
      const [answer, a, b] = [
        await backend.flows(),
        await one.stats(two.id),
        await two.stats(one.id),
      ];
      agrees(answer, one, two, a, b);
      agrees(answer, two, one, b, a);
      return true;
    },
    15_000,
  );
}

describe("two browsers", () => {
  it("[M2][M4] Chromium and Chromium: sound and picture both ways, and the flows agree with getStats", async () => {
    const [backend, one, two] = await call("chromium", "chromium");
    await recordAgrees(backend, one, two);
    const uplinks = await backend.flows(`?peer=${one.id}&direction=uplink&kind=video`);
    expect(uplinks.flows.map(({ from, kind }) => [from, kind])).toEqual([[one.id, "video"]]);
    expect(new Set(uplinks.flows.map(({ state }) => state))).toEqual(new Set(["active"]));
  });

  it("[M2][M4] Chromium joins a call of Firefox", async () => {
    const [backend, one, two] = await call("firefox", "chromium");
    await recordAgrees(backend, one, two);
  });

  it("[M2][M4] Firefox joins a call of Chromium", async () => {
    const [backend, one, two] = await call("chromium", "firefox");
    await recordAgrees(backend, one, two);
  });

  it("[A3][F5] relay only through a real TURN server, with the server's own credentials", async () => {
    const [backend, one, two] = await call("chromium", "chromium", { relay: true });
    const turn = inject("turn");
    const stats = await one.stats(two.id);
    expect(stats.pair?.local.candidateType).toBe("relay");
    await until(
      "both hops are recorded",
      async () => {
        const { transports } = await backend.flows();
        const tuples = transports.flatMap(({ fiveTuples }) => fiveTuples);
        expect(tuples.map(({ peer }) => peer).sort()).toEqual([one.id, two.id].sort());
        for (const { remote, relay } of tuples) {
          expect(remote).toEqual({ address: turn.host, port: turn.port });
          expect(relay?.relayed.address).toBe("127.0.0.1");
        }
        return true;
      },
      15_000,
    );
  });
});

describe("a running call", () => {
  it("[M6] three pages in a mesh: every pair hears and sees each other", async () => {
    const backend = await Backend.start(baseUrl);
    const trio = [
      await join("chromium", backend),
      await join("chromium", backend),
      await join("chromium", backend),
    ];
    for (const one of trio) {
      for (const two of trio) if (one !== two) await one.receives(two.id);
    }
    await until("12 active flows on 3 transports", async () => {
      const { flows, transports } = await backend.flows("?state=active");
      return flows.length === 12 && transports.length === 3;
    });
  });

  it("[N8] a second video track is added and removed; flow ids stay", async () => {
    const [backend, one, two] = await call("chromium", "chromium");
    const before = await backend.flows();
    const sending = (caller: Caller, other: Caller) => async (wanted: number) =>
      until(`${wanted} videos`, async () => {
        const { flows } = await backend.flows(
          `?peer=${caller.id}&direction=uplink&kind=video&state=active`,
        );
        const { inbound } = await other.stats(caller.id);
        return (
          flows.length === wanted &&
          (wanted === 1 ||
            inbound.filter(({ kind, frames }) => kind === "video" && frames > 5).length === 2)
        );
      });
    const videos = sending(one, two);
    await one.publishCanvas("screen");
    await videos(2);
    await one.unpublish("screen");
    await videos(1);
    const after = await backend.flows();
    for (const { id } of before.flows) expect(after.flows.map((flow) => flow.id)).toContain(id);
    await Promise.all([one.receives(two.id), two.receives(one.id)]);
  });

  it.each([
    ["chromium", "firefox"],
    ["firefox", "chromium"],
  ] as const)(
    "[M4] what %s takes away before %s has answered for it is over, not held",
    async (first, second) => {
      const [backend, one, two] = await call(first, second);
      await Promise.all([one.receives(two.id), two.receives(one.id)]);
      await one.publishCanvas("short");
      await one.page.evaluate(async (peer) => {
        const { session, tracks } = window.call;
        const isOffered = () => session.connection(peer)?.signalingState === "have-local-offer";
        while (!isOffered()) await new Promise((resolve) => setTimeout(resolve, 0));
        tracks.get("short")?.unpublish();
      }, two.id);
      await until("its flow has ended", async () => {
        const { flows } = await backend.flows(`?peer=${one.id}&direction=uplink&kind=video`);
        expect(flows.map(({ state }) => state).sort()).toEqual(["active", "ended"]);
        return true;
      });
      await Promise.all([one.close(), two.close()]);
    },
  );

  it.each([
    ["chromium", "firefox"],
    ["firefox", "chromium"],
  ] as const)(
    "[D3] %s answers %s and adds a second video: its numbering is taken",
    async (first, second) => {
      const [backend, one, two] = await call(first, second);
      for (const [from, to] of [
        [one, two],
        [two, one],
      ] as const) {
        await from.publishCanvas("screen");
        await until(`the second video of ${from.browser} arrives`, async () => {
          const { inbound } = await to.stats(from.id);
          return inbound.filter(({ kind, frames }) => kind === "video" && frames > 5).length === 2;
        });
      }
      const { findings } = await backend.read<{ findings: SdpFinding[] }>("/findings");
      expect(findings.filter(({ level }) => level === "error")).toEqual([]);
    },
  );

  it("[N8] ICE restart in mid-call: new generation, same flows, no picture frozen for 3 s", async () => {
    const [backend, one, two] = await call("chromium", "chromium");
    await until("active", async () => (await backend.flows("?state=active")).flows.length === 4);
    const before = await backend.flows();
    await two.page.evaluate((peer) => {
      let frames = -1;
      let since = performance.now();
      setInterval(async () => {
        const report = await window.call.session.connection(peer)!.getStats();
        for (const stat of report.values()) {
          if (stat.type !== "inbound-rtp" || stat.kind !== "video") continue;
          if (stat.framesDecoded !== frames) since = performance.now();
          frames = stat.framesDecoded;
        }
        const gap = performance.now() - since;
        window.call.longestGapMs = Math.max(window.call.longestGapMs, gap);
      }, 50);
    }, one.id);
    await one.page.evaluate((peer) => window.call.session.restartIce(peer), two.id);
    await until("a new ICE generation is connected", async () => {
      const { transports, flows } = await backend.flows();
      const [transport] = transports;
      return (
        transport?.iceGeneration === (before.transports[0]?.iceGeneration ?? 0) + 1 &&
        transport.fiveTuples.length === 2 &&
        flows.every(({ state }) => state === "active")
      );
    });
    await two.receives(one.id);
    const after = await backend.flows();
    expect(after.flows.map(({ id }) => id)).toEqual(before.flows.map(({ id }) => id));
    const gap = await two.page.evaluate(() => window.call.longestGapMs, null);
    expect(gap).toBeLessThan(3_000);
    await recordAgrees(backend, one, two);
  });

  it("[N3] both sides offer at the same instant 20 times and always converge", async () => {
    const [backend, one, two] = await call("chromium", "chromium");
    const both = [
      [one, two],
      [two, one],
    ] as const;
    const settled = () =>
      until("stable on both sides and on the server", async () => {
        const { links } = await backend.read<{ links: { state: string }[] }>("");
        const [a, b] = [await one.stats(two.id), await two.stats(one.id)];
        return (
          links.every(({ state }) => state === "stable") &&
          [a, b].every((s) => s.signalingState === "stable" && s.state === "connected")
        );
      });
    const offersBefore = await Promise.all(
      both.map(([caller]) => caller.page.evaluate(() => window.call.offersSent, null)),
    );
    for (let round = 0; round < 20; round++) {
      const at = Date.now() + 150;
      await Promise.all(
        both.map(([caller, other]) =>
          caller.page.evaluate(
            ({ peer, when }) =>
              new Promise<void>((resolve) =>
                setTimeout(() => {
                  window.call.session.restartIce(peer);
                  resolve();
                }, when - Date.now()),
              ),
            { peer: other.id, when: at },
          ),
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      await settled();
    }
    const counts = await Promise.all(
      both.map(([caller]) =>
        caller.page.evaluate(
          () => ({ glares: window.call.glares, offers: window.call.offersSent }),
          null,
        ),
      ),
    );
    // The test is worth something only when offers did cross.
    expect(counts.reduce((sum, { glares }) => sum + glares, 0)).toBeGreaterThan(0);
    for (const [i, { offers }] of counts.entries()) {
      expect(offers - (offersBefore[i] ?? 0)).toBeGreaterThanOrEqual(10);
    }
    await Promise.all(both.map(([caller, other]) => caller.receives(other.id)));
    await recordAgrees(backend, one, two);
  });

  it("[N2] a track that is published twice is one publication, and two that come to one track break no link", async () => {
    const backend = await Backend.start(baseUrl);
    const [one, two] = [await join("chromium", backend), await join("chromium", backend)];
    await two.receives(one.id);
    const published = await one.page.evaluate(async () => {
      const { session } = window.call;
      const [sender] = session.connection([...session.peers.keys()][0]!)!.getSenders();
      const again = session.publish(sender!.track!);
      const isOne = again === window.call.tracks.get(sender!.track!.kind);
      const stream = document.createElement("canvas").captureStream(5);
      const [drawn] = stream.getVideoTracks();
      const video = window.call.tracks.get("video") as typeof again;
      const other = session.publish(drawn!, stream);
      await other.replaceTrack(video.track);
      window.call.tracks.set("other", other);
      const audio = window.call.tracks.get("audio") as typeof again;
      const wrong = await audio.replaceTrack(drawn!).catch((error: Error) => error.name);
      return { isOne, kind: audio.track.kind, wrong };
    }, null);
    expect(published).toEqual({ isOne: true, kind: "audio", wrong: "TypeError" });
    // Whoever comes later gets all of it, and hears of nothing else.
    const three = await join("chromium", backend);
    await Promise.all([three.receives(one.id), three.receives(two.id)]);
    const videos = async () =>
      (await three.stats(one.id)).inbound.filter(
        ({ kind, frames }) => kind === "video" && frames > 5,
      );
    await until("both videos come", async () => (await videos()).length === 2);
    // Taken away and published again in one task: its section has not stopped yet.
    await one.page.evaluate(() => {
      const { session, tracks } = window.call;
      const video = tracks.get("video") as ReturnType<typeof session.publish>;
      const { track } = video;
      video.unpublish();
      tracks.get("other")?.unpublish();
      tracks.set("video", session.publish(track));
    }, null);
    await until("one video comes", async () => {
      const { flows } = await backend.flows(
        `?peer=${one.id}&direction=uplink&kind=video&state=active`,
      );
      return flows.length === 2;
    });
    await three.receives(one.id);
    const problems = await one.page.evaluate(() => window.call.problems, null);
    expect(problems).toEqual([]);
  });

  it("[N2] what a browser does not take of one publication costs no other, and no link", async () => {
    const backend = await Backend.start(baseUrl, { topology: "central" });
    const [one] = [await join("chromium", backend)];
    // Larger than it is: refused by the browser where simulcast is sent, which is to media servers.
    await one.page.evaluate(() => {
      const [track] = document.createElement("canvas").captureStream(5).getVideoTracks();
      const sendEncodings = ["a", "b"].map((rid) => ({ rid, scaleResolutionDownBy: 0.5 }));
      window.call.session.publish(track!, { sendEncodings });
    }, null);
    const { token, signalling, peer } = await backend.invite({ role: "media-server" });
    const socket = new WebSocket(signalling.url, ["duplex.v1", `bearer.${token}`]);
    await until("an offer with what can be sent", async () => {
      const { flows } = await backend.flows(`?peer=${one.id}&direction=uplink`);
      return flows.filter(({ to }) => to === peer.id).length === 2;
    });
    socket.close();
    expect(await one.page.evaluate(() => window.call.problems, null)).toEqual([
      "negotiation-failed",
    ]);
  });

  it("[S4] a page that leaves ends its flows at once", async () => {
    const [backend, one, two] = await call("chromium", "chromium");
    await two.page.evaluate(() => window.call.session.leave(), null);
    await until("ended", async () => {
      const { flows } = await backend.flows();
      return (
        flows.length > 0 &&
        flows.every(({ state, reason }) => state === "ended" && reason === "left")
      );
    });
    expect(
      (await backend.read<{ peers: { id: string }[] }>("/peers")).peers.map(({ id }) => id),
    ).toEqual([one.id]);
  });

  it("[S3] a page that is loaded again with its token takes the call up again", async () => {
    const backend = await Backend.start(baseUrl);
    const one = await join("chromium", backend);
    const invitation = await backend.invite({ name: "reloads" });
    const fixed = Object.assign(Object.create(backend) as Backend, {
      invite: async () => invitation,
    });
    const first = await join("chromium", fixed);
    await Promise.all([one.receives(first.id), first.receives(one.id)]);
    await first.close();
    const again = await join("chromium", fixed);
    await Promise.all([one.receives(again.id), again.receives(one.id)]);
    await recordAgrees(backend, one, again);
  });
});

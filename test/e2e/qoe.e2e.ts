import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { publishedSchemas, schemasFolder } from "../../network-mock/schemas.ts";
import { Experience } from "../../protocol/flow-quality.ts";
import { QualityReport } from "../../protocol/message-parts.ts";
import { isProblem } from "../../protocol/problem.ts";
import type { ConsumptionReport } from "../../protocol/qoe/consumption.ts";
import { measuredPeer } from "../../protocol/qoe/measured-peer.ts";
import { qoeReportXml } from "../../protocol/qoe/report.ts";
import { Story } from "../verdict-story.ts";
import { type Browser, launch } from "./browsers.ts";
import { Backend, Caller, type RawStat, until } from "./caller.ts";
import { metricsOf, type ReadMetric, validate } from "./qoe-schema.ts";

/** Reports of a call between two pages of Chromium, against their schemas and against what getStats said in the page (M14). */

const baseUrl = inject("baseUrl");
const LOOK_MS = 1_000;
let browser: Browser;

beforeAll(async () => {
  browser = await launch("chromium");
});

afterAll(() => browser.close());

/** Keeps every answer of getStats that the page had. */
function keepLooks(): void {
  const looks: object[][] = [];
  Object.assign(window, { looks });
  const { getStats } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.getStats = async function (...args) {
    const report = await getStats.apply(this, args);
    looks.push(
      JSON.parse(JSON.stringify([...(report as unknown as Map<string, object>).values()])),
    );
    return report;
  };
}

const looksOf = ({ page }: Caller): Promise<RawStat[][]> =>
  page.evaluate(() => (window as unknown as { looks: RawStat[][] }).looks, null);

/** Entries of one kind of media over all looks. */
const entries = (looks: readonly RawStat[][], type: string, kind: string): RawStat[] =>
  looks.flatMap((look) => look.filter((stat) => stat.type === type && stat.kind === kind));

const num = (stat: RawStat | undefined, member: string): number => Number(stat?.[member] ?? 0);

/** The picture of a page stands still for a while: no look finds that nothing came at all. */
const freeze = ({ page }: Caller, to: Caller, ms: number): Promise<void> =>
  page.evaluate(
    async ({ peer, pauseMs }) => {
      const senders = window.call.session.connection(peer)?.getSenders() ?? [];
      const sender = senders.find(({ track }) => track?.kind === "video");
      const show = async (active: boolean) => {
        const parameters = sender?.getParameters();
        if (!sender || !parameters) return;
        for (const encoding of parameters.encodings) encoding.active = active;
        await sender.setParameters(parameters);
      };
      await show(false);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await show(true);
    },
    { peer: to.id, pauseMs: ms },
  );

/** The two looks that a report is about: it ends with `packets` received and is `ms` long. */
function measuredIn(stats: readonly RawStat[], packets: number, ms: number) {
  const end = stats.findLast((stat) => num(stat, "packetsReceived") === packets);
  const spentMs = (stat: RawStat): number => num(end, "timestamp") - num(stat, "timestamp");
  const start = stats.find((stat) => Math.abs(spentMs(stat) - ms) <= 1);
  const grown = (member: string): number => num(end, member) - num(start, member);
  return { start, end, grown };
}

/** Whether a look tells when picture and sound are both played. */
const isPlayedBy = (looks: readonly RawStat[][]): boolean =>
  looks.some((look) =>
    ["audio", "video"].every((kind) =>
      entries([look], "inbound-rtp", kind).some(
        (stat) => stat.estimatedPlayoutTimestamp !== undefined,
      ),
    ),
  );

/** Whether statistics of picture and sound both told what is played, at the look that the picture's report ends with. */
function isInStep(metrics: readonly ReadMetric[], looks: RawStat[][]): boolean {
  const packets = found(metrics, "video", "downlink").Successive_Loss?.values;
  const ends = looks.filter((look) =>
    entries([look], "inbound-rtp", "video").some(
      (stat) => num(stat, "packetsReceived") === packets?.numberOfReceivedPackets,
    ),
  );
  return isPlayedBy(ends.slice(-1));
}

/** What Bob's report says when he has measured this of what he receives, or sends, in a call with Alice. */
function xmlOf(from: "alice" | "bob", report: Omit<QualityReport, "flow">): string {
  const story = new Story().agree({ sections: [{ kind: "audio" }, { kind: "video" }] });
  story.report("alice", "connected").report("bob", "connected");
  story.measure("bob", { ...report, flow: story.flow(from, "video") });
  const measured = measuredPeer(story.session, "bob");
  if (isProblem(measured)) throw new Error(measured.code);
  const dateTime = (at: number) => new Date(at).toISOString();
  const subject = { session: "s1", peer: "bob", url: "wss://a.example/v1/x", dateTime };
  return qoeReportXml(subject, measured.flows);
}

const EXTREMES = [
  -Number.MAX_SAFE_INTEGER,
  -1,
  -0,
  0,
  5e-324,
  1e-7,
  0.1,
  1,
  0x7fff_ffff,
  0xffff_ffff,
  2 ** 32,
  2 ** 33,
  1e15,
  Number.MAX_SAFE_INTEGER,
  1e21,
  1e300,
  Number.MAX_VALUE,
];
const EXPERIENCED = Object.keys(Experience.shape);
const FIGURES = ["packets", "packetsLost", "roundTripMs", ...EXPERIENCED];

/** A report of the picture in which all figures are 1 but these. */
function reportWith(figures: Readonly<Record<string, number>>): unknown {
  const all = FIGURES.map((name) => [name, figures[name] ?? 1] as const);
  const those = (isExperienced: boolean) =>
    Object.fromEntries(all.filter(([name]) => EXPERIENCED.includes(name) === isExperienced));
  return { flow: "x", ...those(false), qoe: those(true) };
}

/** Reports that the server takes: every figure at each of its extremes, then all of them at their least, and at their most. */
function extremeReports(): QualityReport[] {
  const taken = FIGURES.map((name) => {
    const isTaken = (value: number) =>
      QualityReport.safeParse(reportWith({ [name]: value })).success;
    return { name, values: EXTREMES.filter(isTaken) };
  });
  const at = (n: number) =>
    Object.fromEntries(taken.map(({ name, values }) => [name, values.at(n) ?? 1]));
  const alone = taken.flatMap(({ name, values }) => values.map((value) => ({ [name]: value })));
  return [...alone, at(0), at(-1)].map((figures) => QualityReport.parse(reportWith(figures)));
}

interface Call {
  readonly backend: Backend;
  readonly one: Caller;
  readonly two: Caller;
}

async function startCall(): Promise<Call> {
  const backend = await Backend.start(baseUrl);
  const options = { prepare: keepLooks, flowReports: { intervalMs: LOOK_MS } };
  const one = await Caller.join(browser, backend, options);
  const two = await Caller.join(browser, backend, options);
  await Promise.all([one.receives(two.id), two.receives(one.id)]);
  return { backend, one, two };
}

async function reportOf({ backend }: Call, { id }: Caller): Promise<string> {
  const url = new URL(`v1/sessions/${backend.id}/peers/${id}/qoe`, backend.baseUrl);
  const response = await fetch(url, { headers: { authorization: "Bearer dev-key" } });
  expect(response.headers.get("content-type")).toBe("application/3gprtc-qoe-report+xml");
  return response.text();
}

const found = (metrics: readonly ReadMetric[], kind: string, direction: string) =>
  Object.fromEntries(
    metrics
      .filter((metric) => metric.kind === kind && metric.direction === direction)
      .map((metric) => [metric.name, metric]),
  );

/** Every value of a received flow against what getStats said when it was measured. */
function agrees(metrics: readonly ReadMetric[], kind: string, looks: RawStat[][]): void {
  const of = found(metrics, kind, "downlink");
  const valuesOf = (name: string) => of[name]?.values ?? {};
  const loss = valuesOf("Successive_Loss");
  const stats = entries(looks, "inbound-rtp", kind);
  const measuredMs = of.Successive_Loss?.measuredMs ?? 0;
  const { start, end, grown } = measuredIn(stats, loss.numberOfReceivedPackets ?? -1, measuredMs);
  expect([start?.type, end?.type]).toEqual(["inbound-rtp", "inbound-rtp"]);
  const ms = grown("timestamp");
  const bytes = grown("bytesReceived") - grown("retransmittedBytesReceived");
  expect(loss.totalNumberofSuccessivePacketLoss).toBe(Math.max(0, num(end, "packetsLost")));
  expect(valuesOf("Average_Codec_Bitrate").averageCodecBitRate).toBeCloseTo((bytes * 8) / ms, 1);
  const internalMs =
    kind === "video"
      ? (num(end, "totalProcessingDelay") * 1000) / num(end, "framesDecoded")
      : (num(end, "jitterBufferDelay") * 1000) / num(end, "jitterBufferEmittedCount");
  const { internalRTT = 0, networkRTT = -1 } = valuesOf("Round_Trip_Time");
  expect(Math.abs(internalRTT - internalMs)).toBeLessThanOrEqual(0.5);
  const { numberOfCorruptionEvents, totalCorruptionDuration = -1 } =
    valuesOf("Corruption_Duration");
  const roundTrips = looks
    .flat()
    .flatMap(({ type, roundTripTime }) =>
      type === "remote-inbound-rtp"
        ? [Math.round(Number((Number(roundTripTime) * 1000).toPrecision(2)))]
        : [],
    );
  expect(roundTrips).toContain(networkRTT);
  if (kind === "audio") {
    const unheard = num(end, "concealedSamples") - num(end, "silentConcealedSamples");
    const sampleMs = (grown("totalSamplesDuration") * 1000) / grown("totalSamplesReceived");
    expect(Math.abs(totalCorruptionDuration - unheard * sampleMs)).toBeLessThanOrEqual(1);
    return;
  }
  expect(numberOfCorruptionEvents).toBe(num(end, "freezeCount"));
  expect(
    Math.abs(totalCorruptionDuration - num(end, "totalFreezesDuration") * 1000),
  ).toBeLessThanOrEqual(1);
  expect(valuesOf("Frame_Rate").text).toBeCloseTo((grown("framesDecoded") * 1000) / ms, 1);
}

describe("reports of whatever the server takes", () => {
  it("[M14] are valid, of every figure at its limits, received or sent", () => {
    const reports = extremeReports();
    expect(reports.length).toBeGreaterThan(100);
    for (const report of reports) {
      for (const from of ["alice", "bob"] as const) {
        const xml = xmlOf(from, report);
        validate(xml);
        expect(metricsOf(xml).length).toBeGreaterThan(6);
      }
    }
  });

  it("[M14] are valid of a peer that only sends, which knows half of the round trip and tells none of it", () => {
    const qoe = { measuredMs: 5_000, framesPerSecond: 30, codecBps: 800_000 };
    const xml = xmlOf("bob", { roundTripMs: 20, packets: 500, qoe });
    validate(xml);
    expect(metricsOf(xml).map(({ name, direction }) => `${name} ${direction}`)).toEqual([
      "Frame_Rate uplink",
      "Average_Codec_Bitrate uplink",
    ]);
    const half = xml.replace(
      "<rtc:Frame_Rate>30</rtc:Frame_Rate>",
      '<rtc:Round_Trip_Time networkRTT="20"/>',
    );
    expect(() => validate(half)).toThrow(/internalRTT/);
  });
});

describe("reports of a call of Chromium", () => {
  it("[M14] are valid, and their values are those of getStats in the page", async () => {
    const call = await startCall();
    const { one, two } = call;
    // A browser knows when media are played after two reports of their sender, of sound ten seconds.
    await until("what is played is known", async () => {
      expect(isPlayedBy((await looksOf(two)).slice(-1))).toBe(true);
      return true;
    });
    // Without news a report stays as it was, perhaps of a time at which less was known.
    await until("both have frozen once, and said so", async () => {
      await Promise.all([freeze(one, two, 600), freeze(two, one, 600)]);
      await new Promise((resolve) => setTimeout(resolve, 3 * LOOK_MS));
      for (const caller of [one, two]) {
        const told = found(metricsOf(await reportOf(call, caller)), "video", "downlink");
        expect(told.Corruption_Duration?.values.numberOfCorruptionEvents).toBeGreaterThan(0);
        expect(Object.keys(told)).toContain("SyncLoss_Duration");
      }
      return true;
    });
    for (const caller of [one, two]) {
      const xml = await reportOf(call, caller);
      validate(xml);
      const metrics = metricsOf(xml);
      const names = Object.keys(found(metrics, "video", "downlink"));
      expect(names).toEqual(
        expect.arrayContaining([
          "Corruption_Duration",
          "Successive_Loss",
          "Frame_Rate",
          "Jitter_Duration",
          "Round_Trip_Time",
          "Average_Codec_Bitrate",
        ]),
      );
      const looks = await looksOf(caller);
      if (isInStep(metrics, looks)) expect(names).toContain("SyncLoss_Duration");
      for (const kind of ["audio", "video"]) agrees(metrics, kind, looks);
    }
    const broken = (await reportOf(call, two)).replace("numberOfCorruptionEvents", "events");
    expect(() => validate(broken)).toThrow(/numberOfCorruptionEvents/);
    await Promise.all([one.close(), two.close()]);
  });

  // The published files belong to 3GPP and are not part of this project.
  it.skipIf(!existsSync(schemasFolder()))(
    "[M14] of what was consumed are what TS 26.510 wants, and last longer when they are made again",
    async () => {
      const call = await startCall();
      const { backend, one, two } = call;
      const schemas = publishedSchemas();
      const read = async ({ id }: Caller) => {
        const { reports } = await backend.read<{ reports: ConsumptionReport[] }>(
          `/peers/${id}/consumption`,
        );
        for (const report of reports) {
          const file = "rtc-af-session-handling.yaml";
          expect(schemas.check(file, "ConsumptionReport", report, "request")).toEqual([]);
        }
        return reports;
      };
      for (const caller of [one, two]) {
        let units: ConsumptionReport["consumptionReportingUnits"] = [];
        // ICE may take another pair in between.
        await until("units have the mids and the pair of getStats", async () => {
          const [first] = await read(caller);
          const stats = await caller.stats(caller === one ? two.id : one.id);
          const { local, remote } = stats.pair ?? {};
          units = first?.consumptionReportingUnits ?? [];
          expect(units.map(({ mediaConsumed }) => mediaConsumed).sort()).toEqual(
            [...new Set(stats.inbound.map(({ mid }) => mid))].sort(),
          );
          for (const unit of units) {
            expect(unit.clientEndpointAddress).toMatchObject({
              domainName: local?.address,
              portNumber: local?.port,
            });
            expect(unit.serverEndpointAddress).toMatchObject({
              domainName: remote?.address,
              portNumber: remote?.port,
            });
          }
          return true;
        });
        await until("the report has grown", async () => {
          const [later] = await read(caller);
          const grown = later?.consumptionReportingUnits ?? [];
          expect(grown.map(({ startTime }) => startTime)).toEqual(
            units.map(({ startTime }) => startTime),
          );
          for (const [n, { duration }] of grown.entries()) {
            expect(duration).toBeGreaterThan(units[n]?.duration ?? 0);
          }
          return true;
        });
      }
      await Promise.all([one.close(), two.close()]);
    },
  );
});

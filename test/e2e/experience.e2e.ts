import { describe, expect, it } from "vitest";
import { Experiences } from "../../client/experience.ts";
import type { RtpStat } from "../../client/rtp-stats.ts";
import type { FlowSummary } from "../../protocol/flow-summary.ts";

/** What the SDK makes of statistics that no browser has at will: a look every five seconds (TS 26.113 clause 15.2). */

const LOOK_MS = 5_000;

const flow = (id: string, kind: "audio" | "video" | "data", from = "alice"): FlowSummary =>
  ({
    id,
    mid: id,
    kind,
    from,
    to: from === "alice" ? "bob" : "alice",
    state: "active",
  }) as FlowSummary;

const FLOWS = [flow("a", "audio"), flow("v", "video"), flow("d", "data")];

/** Looks of Bob at what he is sent: streams with counters that grow by what each look is given. */
class Watch {
  readonly #experiences = new Experiences();
  flows: readonly FlowSummary[];
  readonly #streams = new Map<string, Record<string, number>>();
  #at = 0;
  /** What the last look told of packets, by flow id. */
  packets: Readonly<Record<string, readonly [came: number | undefined, lost: number | undefined]>> =
    {};

  constructor(flows = FLOWS) {
    this.flows = flows;
  }

  /** The browser makes streams anew: they have the ids that they had, and count from nothing. */
  restart(...ids: string[]): void {
    for (const id of ids) this.#streams.delete(id);
  }

  rest(): void {
    this.#experiences.rest();
  }

  look(grown: Readonly<Record<string, Partial<RtpStat>>>, afterMs = LOOK_MS) {
    this.#at += afterMs;
    const stats = Object.entries(grown).map(([id, members]) => {
      const { estimatedPlayoutTimestamp, ...counters } = members as Record<string, number>;
      const before = this.#streams.get(id) ?? {};
      const now = { ...before };
      for (const [name, by] of Object.entries(counters)) now[name] = (now[name] ?? 0) + by;
      this.#streams.set(id, now);
      const [mid = "", type = "inbound-rtp"] = id.split(" ");
      const played = estimatedPlayoutTimestamp === undefined ? {} : { estimatedPlayoutTimestamp };
      return [id, { id, type, mid, timestamp: this.#at, ...now, ...played }] as const;
    });
    const told = this.#experiences.measure(
      new Map(stats) as unknown as ReadonlyMap<string, RtpStat>,
      "bob",
      this.flows,
    );
    this.packets = Object.fromEntries(
      [...told].map(([id, { packets, packetsLost }]) => [id, [packets, packetsLost]]),
    );
    return Object.fromEntries([...told].flatMap(([id, { qoe }]) => (qoe ? [[id, qoe]] : [])));
  }
}

/** Five seconds of a picture and of sound as they should be. */
const PICTURE = {
  bytesReceived: 500_000,
  packetsLost: 0,
  framesDecoded: 150,
  framesRendered: 150,
  freezeCount: 0,
  totalFreezesDuration: 0,
  jitterBufferDelay: 150 * 0.04,
  jitterBufferEmittedCount: 150,
  totalProcessingDelay: 150 * 0.05,
  totalInterFrameDelay: 5,
  totalSquaredInterFrameDelay: 25 / 150,
};
const SOUND = {
  bytesReceived: 20_000,
  packetsLost: 0,
  concealedSamples: 0,
  silentConcealedSamples: 0,
  concealmentEvents: 0,
  totalSamplesReceived: 240_000,
  totalSamplesDuration: 5,
  jitterBufferDelay: 240_000 * 0.03,
  jitterBufferEmittedCount: 240_000,
};
const FINE = { a: SOUND, v: PICTURE };

describe("what the SDK experiences of media", () => {
  it("[M14] where nothing goes wrong it says so, with averages, from the second look on", () => {
    const watch = new Watch();
    expect(watch.look(FINE)).toEqual({});
    watch.look(FINE);
    expect(watch.look(FINE)).toEqual({
      a: {
        measuredMs: 10_000,
        codecBps: 32_000,
        corruptions: 0,
        losses: 0,
        jitters: 0,
        internalMs: 30,
      },
      v: {
        measuredMs: 10_000,
        codecBps: 800_000,
        framesPerSecond: 30,
        corruptions: 0,
        losses: 0,
        jitters: 0,
        internalMs: 50,
      },
    });
  });

  it("[M14] frozen pictures, and sound made up for what is lost, are corrupted for as long as they last", () => {
    const watch = new Watch();
    // What went wrong before the first look counts.
    watch.look({ ...FINE, v: { ...PICTURE, freezeCount: 1, totalFreezesDuration: 0.3 } });
    const broken = {
      ...SOUND,
      concealedSamples: 5_800,
      silentConcealedSamples: 1_000,
      concealmentEvents: 3,
    };
    expect(watch.look({ ...FINE, a: broken })).toMatchObject({
      a: { corruptions: 3, corruptionMs: 100 },
      v: { corruptions: 1, corruptionMs: 300 },
    });
    // Silence that is made up is heard by nobody.
    const silent = {
      ...SOUND,
      concealedSamples: 900,
      silentConcealedSamples: 900,
      concealmentEvents: 1,
    };
    expect(watch.look({ ...FINE, a: silent })).toMatchObject({
      a: { corruptions: 3, corruptionMs: 100 },
    });
  });

  it("[M14] sound made up lasts as long as its samples do, also where the clock of samples begins late", () => {
    const watch = new Watch();
    const broken = { ...SOUND, concealedSamples: 4_800, concealmentEvents: 1 };
    // As Chromium begins: 280 ms without a sample.
    watch.look({ a: { ...broken, totalSamplesReceived: 47_040, totalSamplesDuration: 1.26 } });
    expect(watch.look(FINE).a).toMatchObject({ corruptions: 1, corruptionMs: 100 });
    expect(watch.look({ a: broken }).a).toMatchObject({ corruptions: 2, corruptionMs: 200 });
    // Nothing is played, and nothing is made of that.
    const silent = { ...broken, totalSamplesReceived: 0 };
    expect(watch.look({ a: silent }).a).toMatchObject({ corruptions: 3, corruptionMs: 200 });
    expect(watch.look(FINE).a).toMatchObject({ corruptions: 3, corruptionMs: 300 });
  });

  it("[M14] every look at which packets were lost is a spell of loss; what comes late is none", () => {
    const watch = new Watch();
    const look = (packetsLost: number) => watch.look({ v: { ...PICTURE, packetsLost } }).v?.losses;
    expect([0, 4, 3, 0, -2, 1].map(look)).toEqual([undefined, 1, 2, 2, 2, 3]);
  });

  it("[M14] playback that strays by more than 100 ms is jitter, once for as long as it goes on", () => {
    const watch = new Watch();
    const delayed = (ms: number) => ({ ...PICTURE, jitterBufferDelay: (150 * ms) / 1000 });
    const look = (picture: object) => {
      const { jitters, jitterMs } = watch.look({ v: picture }).v ?? {};
      return [jitters, jitterMs];
    };
    const none = undefined;
    expect([40, 130, 139].map((ms) => look(delayed(ms)))).toEqual([
      [none, none],
      [0, none],
      [0, none],
    ]);
    expect([241, 400, 400].map((ms) => look(delayed(ms)))).toEqual([
      [1, 5_000],
      [1, 10_000],
      [1, 10_000],
    ]);
    // Frames that come in heaps: ten at once, then a second of nothing.
    const heaps = { ...delayed(400), framesRendered: 50, totalSquaredInterFrameDelay: 5 };
    expect([look(heaps), look(delayed(400))]).toEqual([
      [2, 15_000],
      [2, 15_000],
    ]);
  });

  it("[M14] what strays before and after time that is not measured are two spells", () => {
    const watch = new Watch();
    const playing = (ms: number) => ({
      a: { ...SOUND, estimatedPlayoutTimestamp: 1_000_000 },
      v: {
        ...PICTURE,
        totalSquaredInterFrameDelay: 5,
        estimatedPlayoutTimestamp: 1_000_000 + ms,
      },
    });
    watch.look(FINE);
    watch.look(playing(300));
    expect(watch.look(playing(300)).v).toMatchObject({ jitters: 1, syncLosses: 1 });
    // Held for an hour.
    for (let n = 0; n < 720; n++) watch.look({ a: {}, v: {} });
    expect(watch.look(playing(300)).v).toMatchObject({
      jitters: 2,
      jitterMs: 15_000,
      syncLosses: 2,
      syncLossMs: 15_000,
    });
  });

  it("[M14] a look at which nothing was played says nothing of jitter, however long media waited before", () => {
    const watch = new Watch();
    const waiting = { ...PICTURE, jitterBufferDelay: 150 * 0.3 };
    const nothing = { bytesReceived: 5_000 };
    const jitters = [waiting, waiting, nothing, waiting, waiting].map(
      (v) => watch.look({ v }).v?.jitters,
    );
    expect(jitters).toEqual([undefined, 0, 0, 0, 0]);
  });

  it("[M14] picture and sound that are 100 ms apart are out of sync, where it is known which sound it is", () => {
    const watch = new Watch();
    const look = (ms: number) =>
      watch.look({
        a: { ...SOUND, estimatedPlayoutTimestamp: 1_000_000 },
        v: { ...PICTURE, estimatedPlayoutTimestamp: 1_000_000 + ms },
      }).v;
    look(0);
    expect(look(-100)).toMatchObject({ syncLosses: 0, syncLossMs: undefined });
    expect([look(-101)?.syncLosses, look(300)?.syncLossMs, look(5)?.syncLosses]).toEqual([
      1, 10_000, 1,
    ]);
  });

  it("[M14] nothing is out of sync where nobody knows what belongs together", () => {
    const playing = {
      a: { ...SOUND, estimatedPlayoutTimestamp: 0 },
      b: { ...SOUND, estimatedPlayoutTimestamp: 0 },
      v: { ...PICTURE, estimatedPlayoutTimestamp: 500 },
      w: { ...PICTURE, estimatedPlayoutTimestamp: 500 },
    };
    const losses = (...flows: FlowSummary[]) => {
      const watch = new Watch(flows);
      watch.look(playing);
      const told = watch.look(playing);
      return [told.v?.syncLosses, told.a?.syncLosses];
    };
    const [sound, picture] = [flow("a", "audio"), flow("v", "video")];
    const carried = { sourceFlows: ["x"] };
    const none = [undefined, undefined];
    expect(losses(sound, picture)).toEqual([1, undefined]);
    expect(losses(sound, { ...picture, sourceFlows: [] })).toEqual([1, undefined]);
    // What rests, and what is sent, is nobody's sound.
    expect(losses(sound, picture, { ...flow("b", "audio"), state: "held" })).toEqual([
      1,
      undefined,
    ]);
    expect(losses(sound, picture, flow("b", "audio", "bob"))).toEqual([1, undefined]);
    expect(losses(sound, picture, flow("b", "audio"))).toEqual(none);
    expect(losses(sound, picture, flow("w", "video"))).toEqual(none);
    expect(losses(sound, { ...picture, ...carried })).toEqual(none);
    expect(losses({ ...sound, ...carried }, picture)).toEqual(none);
    expect(losses(sound, { ...picture, content: "slides" })).toEqual(none);
    expect(losses(picture)).toEqual(none);
  });

  it("[M14] slides have frames when something changes: their spread is no jitter, their delay is", () => {
    const watch = new Watch([{ ...flow("v", "video"), content: "slides" }]);
    const still = { ...PICTURE, framesRendered: 2, totalSquaredInterFrameDelay: 17 };
    const late = { ...still, jitterBufferDelay: 150 * 0.3 };
    expect([still, still, still, late].map((v) => watch.look({ v }).v?.jitters)).toEqual([
      undefined,
      0,
      0,
      1,
    ]);
  });

  it("[M14] an outage is not measured time, and what went wrong in it is told", () => {
    const watch = new Watch([flow("v", "video")]);
    watch.look({ v: PICTURE });
    watch.look({ v: PICTURE });
    watch.rest();
    const froze = {
      ...PICTURE,
      bytesReceived: 1,
      freezeCount: 1,
      totalFreezesDuration: 60,
      jitterBufferDelay: 150 * 0.4,
      totalSquaredInterFrameDelay: 3_600,
    };
    const measured = { measuredMs: 5_000, codecBps: 800_000, framesPerSecond: 30, jitters: 0 };
    expect(watch.look({ v: froze }, 60_000).v).toMatchObject({
      ...measured,
      corruptions: 1,
      corruptionMs: 60_000,
    });
    // Nor is the delay held against that of before.
    const late = { ...PICTURE, jitterBufferDelay: 150 * 0.4 };
    expect(watch.look({ v: late }).v).toMatchObject({ ...measured, measuredMs: 10_000 });
  });

  it("[M14] a flow that is gone is forgotten, and time is told as far as it can be", () => {
    const watch = new Watch();
    watch.look(FINE);
    expect(watch.look(FINE).v).toMatchObject({ measuredMs: 5_000 });
    watch.flows = [flow("a", "audio")];
    watch.look(FINE);
    watch.flows = FLOWS;
    expect(watch.look(FINE)).toMatchObject({ a: { measuredMs: 15_000 } });
    expect(watch.look(FINE)).toMatchObject({ a: { measuredMs: 20_000 }, v: { measuredMs: 5_000 } });
    expect(watch.look(FINE, 2 ** 32).a?.measuredMs).toBe(2 ** 32 - 1);
  });

  it("[M14] a flow that rests is not measured, and one whose browser tells little is measured in part", () => {
    const watch = new Watch();
    watch.look(FINE);
    watch.look(FINE);
    expect(watch.look({ a: {}, v: {} })).toMatchObject({
      v: { measuredMs: 5_000, framesPerSecond: 30 },
    });
    expect(watch.look(FINE)).toMatchObject({ v: { measuredMs: 10_000, framesPerSecond: 30 } });
    const little = new Watch();
    little.look({ v: { bytesReceived: 1_000 } });
    expect(little.look({ v: { bytesReceived: 1_000 } })).toEqual({
      v: { measuredMs: 5_000, codecBps: 1_600, losses: 0 },
    });
  });

  it("[M14] counters that begin anew take nothing back of what was counted before", () => {
    const heard = { ...SOUND, packetsReceived: 250, packetsLost: 4, concealedSamples: 4_800 };
    const seen = { ...PICTURE, packetsReceived: 300, packetsLost: 3 };
    const broken = {
      a: { ...heard, concealmentEvents: 2 },
      v: { ...seen, freezeCount: 2, totalFreezesDuration: 0.5 },
    };
    const watch = new Watch();
    watch.look(broken);
    watch.look(FINE);
    expect(watch.packets).toMatchObject({ a: [250, 4], v: [300, 3] });
    watch.restart("a", "v");
    const told = watch.look(broken);
    expect(told).toMatchObject({
      a: { measuredMs: 5_000, corruptions: 4, losses: 2, internalMs: 30 },
      v: { measuredMs: 5_000, corruptions: 4, corruptionMs: 1_000, losses: 2, internalMs: 50 },
    });
    expect(watch.packets).toMatchObject({ a: [500, 8], v: [600, 6] });
    expect(watch.look(FINE)).toMatchObject({
      a: { measuredMs: 10_000, codecBps: 32_000, corruptions: 4, corruptionMs: 200, losses: 2 },
      v: { measuredMs: 10_000, codecBps: 800_000, framesPerSecond: 30, corruptions: 4 },
    });
    expect(watch.packets).toMatchObject({ a: [500, 8], v: [600, 6] });
  });

  it("[M14] another SSRC of the same flow counts from nothing as well", () => {
    const watch = new Watch([flow("v", "video")]);
    const seen = { ...PICTURE, packetsReceived: 300, packetsLost: 3 };
    const frozen = { ...seen, freezeCount: 2, totalFreezesDuration: 0.5 };
    watch.look({ "v inbound-rtp 1": frozen });
    watch.look({ "v inbound-rtp 1": seen });
    expect(watch.look({ "v inbound-rtp 2": { ...frozen, freezeCount: 3 } }).v).toMatchObject({
      measuredMs: 5_000,
      corruptions: 5,
      corruptionMs: 1_000,
      losses: 3,
    });
    expect(watch.packets).toEqual({ v: [900, 9] });
    expect(watch.look({ "v inbound-rtp 2": seen }).v?.measuredMs).toBe(10_000);
  });

  it("[M14] the time in which a stream is not there is not measured, whatever it counts when it is back", () => {
    const watch = new Watch();
    const little = { ...PICTURE, bytesReceived: 1_000, framesDecoded: 3, framesRendered: 3 };
    watch.look({ a: SOUND, v: little });
    expect(watch.look(FINE).v?.measuredMs).toBe(5_000);
    watch.restart("v");
    for (let n = 0; n < 12; n++) watch.look({ a: SOUND });
    const back = { ...PICTURE, bytesReceived: 700_000, framesDecoded: 300, framesRendered: 300 };
    expect(watch.look({ a: SOUND, v: back }).v).toMatchObject({ measuredMs: 5_000 });
    expect(watch.look(FINE)).toMatchObject({
      a: { measuredMs: 75_000 },
      v: { measuredMs: 10_000, codecBps: 800_000, framesPerSecond: 30 },
    });
  });

  it("[M14] of what is sent: bytes of all layers, frames of one, without what was sent twice; a new stream is no loss of another", () => {
    const watch = new Watch([flow("v", "video", "bob")]);
    const layer = (kilobytes: number, framesEncoded = 150) => ({
      bytesSent: kilobytes * 1_000,
      retransmittedBytesSent: kilobytes * 100,
      framesEncoded,
    });
    const sending = { "v outbound-rtp 0": layer(100), "v outbound-rtp 1": layer(50) };
    watch.look(sending);
    expect(watch.look(sending)).toEqual({
      v: { measuredMs: 5_000, codecBps: (150 * 900 * 8) / 5, framesPerSecond: 30 },
    });
    // The smaller may have fewer frames, or come later.
    expect(watch.look({ ...sending, "v outbound-rtp 2": layer(1, 75) })).toMatchObject({
      v: { measuredMs: 10_000, framesPerSecond: 30 },
    });
    // One layer goes: counters of all together fall, and the other sends as before.
    expect(watch.look({ "v outbound-rtp 0": layer(1) })).toMatchObject({
      v: { measuredMs: 15_000, framesPerSecond: 30 },
    });
  });
});

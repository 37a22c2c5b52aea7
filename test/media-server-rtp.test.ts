import { describe, expect, it } from "vitest";
import { BitrateMeter } from "../examples/media-server/bitrate-meter.ts";
import { beginsKeyframe } from "../examples/media-server/keyframe.ts";
import { Reception } from "../examples/media-server/reception.ts";
import { ahead16, ahead32 } from "../examples/media-server/rtp-numbers.ts";
import { type RtpPosition, RtpRewriter } from "../examples/media-server/rtp-rewriter.ts";
import { SendHistory } from "../examples/media-server/send-history.ts";
import { Vp8Descriptors } from "../examples/media-server/vp8-descriptor.ts";

const VIDEO_RATE = 90_000;
const at = (sequenceNumber: number, timestamp: number): RtpPosition => ({
  sequenceNumber,
  timestamp,
});

describe("numbers that wrap", () => {
  it("[M7] are ahead or behind by the shorter way round", () => {
    expect(ahead16(2, 65_535)).toBe(3);
    expect(ahead16(65_535, 2)).toBe(-3);
    expect(ahead32(5, 0xffff_fffb)).toBe(10);
    expect(ahead32(0xffff_fffb, 5)).toBe(-10);
  });
});

describe("a stream made of several sources", () => {
  it("[M7] goes on without a gap when its source changes, by the time that passed", () => {
    const rewriter = new RtpRewriter(VIDEO_RATE, at(99, 5000));
    rewriter.change(at(7, 1_000_000), 0);
    expect(rewriter.rewrite(at(7, 1_000_000), 0)).toEqual(at(100, 5001));
    expect(rewriter.rewrite(at(8, 1_003_000), 33)).toEqual(at(101, 8001));
    rewriter.change(at(60_000, 42), 133);
    expect(rewriter.rewrite(at(60_000, 42), 133)).toEqual(at(102, 8001 + 9000));
    expect(rewriter.timestamp(42 + 90)).toBe(8001 + 9090);
  });

  it("[M7] keeps the gaps and the order of its source, over the end of the numbers", () => {
    const rewriter = new RtpRewriter(VIDEO_RATE, at(65_533, 0xffff_ffff));
    rewriter.change(at(10, 0), 0);
    const sent = [10, 12, 11, 15].map((n) => rewriter.rewrite(at(n, n * 10), n));
    expect(sent.map((position) => position?.sequenceNumber)).toEqual([65_534, 0, 65_535, 3]);
    expect(sent[0]?.timestamp).toBe(100);
  });

  it("[M7] leaves out what its source sent before it was taken up", () => {
    const rewriter = new RtpRewriter(VIDEO_RATE, at(0, 0));
    rewriter.change(at(0, 0), 0);
    expect(rewriter.rewrite(at(65_535, 0), 1)).toBeUndefined();
    expect(rewriter.rewrite(at(0, 0), 1)).toBeDefined();
    for (let n = 0; n < 70_000; n += 1) rewriter.rewrite(at(n & 0xffff, n), n);
    expect(rewriter.rewrite(at(70_000 & 0xffff, 70_000), 70_000)?.sequenceNumber).toBe(
      70_001 & 0xffff,
    );
  });
});

describe("what comes in", () => {
  const receive = (reception: Reception, numbers: readonly number[], atMs = 0): boolean[] =>
    numbers.map((n) => reception.receive(at(n & 0xffff, n * 3000), 1000, atMs + n * 33));

  it("[M7] is asked for again where it is missing, not at once and not for ever", () => {
    const reception = new Reception(VIDEO_RATE);
    expect(receive(reception, [0, 1, 4])).toEqual([true, true, true]);
    const since = 4 * 33;
    expect(reception.lost(since + 5)).toEqual([]);
    expect(reception.lost(since + 20)).toEqual([2, 3]);
    expect(reception.lost(since + 30)).toEqual([]);
    expect(reception.receive(at(2, 6000), 1000, since + 40)).toBe(true);
    expect(reception.receive(at(2, 6000), 1000, since + 41)).toBe(false);
    expect(reception.lost(since + 110)).toEqual([3]);
    for (let n = 0; n < 20; n += 1) reception.lost(since + 1000 * n + 1000);
    expect(reception.lost(since + 60_000)).toEqual([]);
  });

  it("[M7] is reported with what was lost, since the last report and in all (RFC 3550 s6.4.1)", () => {
    const reception = new Reception(VIDEO_RATE);
    receive(reception, [65_530, 65_531, 65_532, 65_533]);
    expect(reception.report()).toMatchObject({ fractionLost: 0, packetsLost: 0 });
    receive(reception, [65_535, 65_536, 65_537]);
    const report = reception.report();
    expect(report).toMatchObject({ fractionLost: 64, packetsLost: 1, highestSequence: 65_537 });
    expect(reception.packetsLost).toBe(1);
    expect(reception.report()).toMatchObject({ fractionLost: 0, packetsLost: 1 });
  });

  it("[M7] is not asked for where the source began anew", () => {
    const reception = new Reception(VIDEO_RATE);
    receive(reception, [0, 1, 2000]);
    expect(reception.lost(1_000_000)).toEqual([]);
  });

  it("[M7] has the bitrate of the last second", () => {
    const meter = new BitrateMeter();
    for (let ms = 0; ms < 2000; ms += 10) meter.add(125, ms);
    expect(meter.bitrateBps(2000)).toBe(100_000);
    expect(meter.bitrateBps(2500)).toBe(50_000);
    expect(meter.bitrateBps(4000)).toBe(0);
  });
});

describe("what was sent", () => {
  it("[M7] is found again while it is remembered, and nothing else in its place", () => {
    const history = new SendHistory<string>(4);
    for (const [n, sent] of ["a", "b", "c", "d", "e"].entries()) history.add(n, sent);
    expect([0, 1, 4, 5].map((n) => history.find(n))).toEqual([undefined, "b", "e", undefined]);
  });
});

describe("key frames", () => {
  const begins = (mimeType: string, ...payload: number[]) =>
    beginsKeyframe(mimeType, new Uint8Array(payload));

  it("[M7] are known by the first packet of a VP8 picture, whatever its descriptor has", () => {
    expect(begins("video/VP8", 0x10, 0x00)).toBe(true);
    expect(begins("video/VP8", 0x10, 0x01)).toBe(false);
    expect(begins("video/VP8", 0x00, 0x00)).toBe(false);
    expect(begins("video/VP8", 0x90, 0xe0, 0x81, 0x02, 0x07, 0x20, 0x00)).toBe(true);
    expect(begins("video/VP8", 0x90, 0xe0, 0x81, 0x02, 0x07, 0x20, 0x01)).toBe(false);
    expect(begins("video/VP8", 0x90, 0x80, 0x02, 0x00)).toBe(true);
    expect(begins("video/VP8", 0x90, 0x80)).toBe(false);
  });

  it("[M7] are known by the units of H264, alone, in aggregates and in fragments", () => {
    expect(begins("video/H264", 0x67)).toBe(true);
    expect(begins("video/H264", 0x65)).toBe(true);
    expect(begins("video/H264", 0x41)).toBe(false);
    expect(begins("video/H264", 0x78, 0, 9, 0x67)).toBe(true);
    expect(begins("video/H264", 0x78, 0, 9, 0x41)).toBe(false);
    expect(begins("video/H264", 0x7c, 0x85)).toBe(true);
    expect(begins("video/H264", 0x7c, 0x05)).toBe(false);
  });

  it("[M7] are known by the beginning of a VP9 picture; sound can be taken up anywhere", () => {
    expect(begins("video/VP9", 0x88)).toBe(true);
    expect(begins("video/VP9", 0xc8)).toBe(false);
    expect(begins("video/VP9", 0x80)).toBe(false);
    expect(begins("audio/opus", 0)).toBe(true);
  });
});

describe("the numbers of VP8 pictures", () => {
  const picture = (id: number, baseIndex: number) =>
    new Uint8Array([0x90, 0xe0, 0x80 | (id >> 8), id & 0xff, baseIndex, 0x20, 0x00]);
  const numbers = ([, , high = 0, low = 0, baseIndex = 0]: Uint8Array) => [
    ((high & 0x7f) << 8) | low,
    baseIndex,
  ];

  it("[M7] go on when the source changes, and over their end", () => {
    const descriptors = new Vp8Descriptors();
    const sent = (id: number, baseIndex: number) => {
      const payload = picture(id, baseIndex);
      descriptors.rewrite(payload);
      return numbers(payload);
    };
    descriptors.change(picture(0x7ffe, 254));
    expect(sent(0x7ffe, 254)).toEqual([0x7ffe, 254]);
    descriptors.change(picture(30, 9));
    expect(sent(30, 9)).toEqual([0x7fff, 255]);
    expect(sent(31, 10)).toEqual([0, 0]);
    // One that was sent again does not set them back.
    expect(sent(30, 9)).toEqual([0x7fff, 255]);
    descriptors.change(picture(500, 50));
    expect(sent(500, 50)).toEqual([1, 1]);
  });

  it("[M7] stay away where a sender has none", () => {
    const descriptors = new Vp8Descriptors();
    const payload = new Uint8Array([0x10, 0x00, 0x9d]);
    descriptors.change(payload);
    descriptors.rewrite(payload);
    expect([...payload]).toEqual([0x10, 0x00, 0x9d]);
  });
});

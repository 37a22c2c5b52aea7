import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../protocol/limits.ts";
import type { Candidate } from "../protocol/message-parts.ts";
import type { Trickle } from "../protocol/session.ts";
import { addCandidates, ufragOf } from "../protocol/trickle.ts";
import { countFindings } from "../protocol/trickle-findings.ts";
import { utf8Bytes } from "../protocol/utf8.ts";

const trickleOf = (candidates: readonly Candidate[], complete = false): Trickle => ({
  from: "alice",
  exchange: 1,
  candidates,
  complete,
  dropped: 0,
});

/** What tells candidates apart, and what they are measured by (N5, S7): an empty mid names no section. */
const keyOf = (candidate: Candidate): string => {
  const { sdpMid, sdpMLineIndex = null } = candidate;
  const hasMid = sdpMid !== undefined && sdpMid !== null && sdpMid !== "";
  return JSON.stringify([
    candidate.candidate,
    hasMid ? sdpMid : sdpMLineIndex,
    ufragOf(candidate) ?? null,
  ]);
};

const eachOnce = (candidates: readonly Candidate[]): Candidate[] => [
  ...new Map(candidates.toReversed().map((each) => [keyOf(each), each])).values(),
];

const textOf = (port: number) => `candidate:1 1 udp 1 192.0.2.1 ${port} typ host`;
const small: fc.Arbitrary<Candidate> = fc.record(
  {
    candidate: fc.oneof(
      fc.constant(""),
      fc.integer({ min: 1, max: 6 }).map(textOf),
      fc.integer({ min: 1, max: 2 }).map((port) => `${textOf(port)} ufrag ab`),
    ),
    sdpMid: fc.constantFrom(null, "", "0", "1"),
    sdpMLineIndex: fc.constantFrom(null, 0, 1),
    usernameFragment: fc.constantFrom(null, "", "ab", "cd"),
  },
  { requiredKeys: ["candidate"] },
) as fc.Arbitrary<Candidate>;

describe("candidates that are added", () => {
  it("[N5] each is kept and forwarded once, in the sender's order", () => {
    const bursts = fc.array(fc.array(small, { maxLength: 5 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(bursts, (all) => {
        let trickle: readonly Trickle[] = [];
        const forwarded: Candidate[] = [];
        for (const burst of all) {
          const added = addCandidates(trickle, trickleOf(burst));
          if ("code" in added) throw new Error(added.code);
          expect(added.changed).toBe(added.fresh.length > 0);
          trickle = added.trickle;
          forwarded.push(...added.fresh);
        }
        const came = all.flat();
        const keys = [...new Set(came.map(keyOf))];
        expect(forwarded.map(keyOf)).toEqual(keys);
        expect(forwarded).toEqual(keys.map((key) => came.find((each) => keyOf(each) === key)));
        expect(trickle).toEqual([trickleOf(forwarded)]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("[S7] are refused above 256, and not when they are known already", () => {
    const first = Array.from({ length: LIMITS.candidates }, (_none, n) => ({
      candidate: textOf(n + 1),
    }));
    const full = addCandidates([], trickleOf(first));
    expect(full).toMatchObject({ fresh: first, changed: true });
    const { trickle } = full as Exclude<typeof full, { code: string }>;
    expect(addCandidates(trickle, trickleOf(first))).toMatchObject({ fresh: [], changed: false });
    expect(addCandidates(trickle, trickleOf([{ candidate: textOf(999) }]))).toMatchObject({
      code: "too-many-candidates",
    });
  });

  it("[S7] are refused from the byte on by which their keys are too large", () => {
    const wide = fc.oneof(
      fc.string({ unit: "binary", maxLength: 900 }),
      fc.string({ maxLength: 900 }),
      fc.integer({ min: 0, max: 900 }).map((length) => "\ud800".repeat(length)),
    );
    const large: fc.Arbitrary<Candidate> = fc.record({
      candidate: fc.tuple(wide, wide).map(([one, other]) => `${one} ufrag ${other}`),
      sdpMid: fc.oneof(fc.constant(null), wide),
      sdpMLineIndex: fc.constantFrom(0, 65_535),
    });
    fc.assert(
      fc.property(fc.array(large, { maxLength: 60 }), (candidates) => {
        const own = eachOnce(candidates);
        const bytes = own.reduce((sum, each) => sum + utf8Bytes(keyOf(each)), 0);
        const added = addCandidates([], trickleOf(candidates));
        expect("code" in added).toBe(bytes > LIMITS.candidateBytes);
      }),
      { numRuns: 300 },
    );
    const keyBytes = (each: Candidate) => utf8Bytes(keyOf(each));
    const three = ["0", "1", "2"].map((sdpMid) => ({ candidate: "\ud800".repeat(3_000), sdpMid }));
    const last = (length: number) => ({ candidate: "x".repeat(length) });
    const room = three.reduce<number>((left, each) => left - keyBytes(each), LIMITS.candidateBytes);
    const length = room - keyBytes(last(0));
    const fits = addCandidates([], trickleOf([...three, last(length)]));
    expect(fits).toMatchObject({ changed: true });
    expect(addCandidates([], trickleOf([...three, last(length + 1)]))).toMatchObject({
      code: "too-many-candidates",
    });
  });
});

it("[D2] candidates are counted to the section they name by mid, or by index, or to the first", () => {
  const sectionOf = (index: number) => ({
    ...{ index, mid: `m${index}`, iceUfrag: "abcd", candidates: { length: 0 } },
  });
  const description = { sections: [sectionOf(0), sectionOf(1)] };
  const found = (more: Partial<Candidate>, count: number) =>
    countFindings(
      Array.from({ length: count }, (_none, n) => ({ candidate: textOf(n + 1), ...more })),
      description,
      "offer",
    ).map(({ rule, mLine }) => [rule, mLine]);
  expect(found({}, 64)).toEqual([]);
  expect(found({}, 65)).toEqual([["candidate-count", 0]]);
  expect(found({ sdpMid: null, sdpMLineIndex: 1 }, 65)).toEqual([["candidate-count", 1]]);
  expect(found({ sdpMid: "m1", sdpMLineIndex: 0 }, 65)).toEqual([["candidate-count", 1]]);
});

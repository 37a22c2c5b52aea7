import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode } from "../protocol/decode.ts";
import { frequentMessageOf } from "../protocol/frequent-messages.ts";
import { LIMITS } from "../protocol/limits.ts";
import { FROM_PEER } from "../protocol/messages.ts";
import { PROBLEMS } from "../protocol/problem.ts";
import { exceedsBytes, utf8Bytes } from "../protocol/utf8.ts";

describe("decode", () => {
  it("[S8] 10,000 fuzzed frames give a message or a named problem, never a throw", () => {
    const frame = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.json(),
      fc
        .record(
          {
            type: fc.oneof(fc.constantFrom(...Object.keys(FROM_PEER)), fc.string()),
            id: fc.anything(),
            to: fc.anything(),
            exchange: fc.anything(),
            sdp: fc.anything(),
            candidates: fc.anything(),
            body: fc.anything(),
            state: fc.anything(),
            __proto__: fc.anything(),
          },
          { requiredKeys: ["type"] },
        )
        .map((value) => {
          try {
            return JSON.stringify(value) ?? "";
          } catch {
            return "";
          }
        }),
    );
    fc.assert(
      fc.property(frame, (text) => {
        const decoded = decode(text);
        if ("problem" in decoded) expect(PROBLEMS).toHaveProperty(decoded.problem.code);
        else expect(FROM_PEER).toHaveProperty([decoded.message.type]);
      }),
      { numRuns: 10_000 },
    );
  });

  it("[S8] a frame nested without end is malformed", () => {
    const deep = `{"type":"message","to":"b","body":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    const decoded = decode(deep);
    expect("problem" in decoded && ["malformed-message", "message-too-large"]).toContain(
      "problem" in decoded ? decoded.problem.code : "",
    );
  });

  it("[R1] the problem of a wrong message carries the id that could be read", () => {
    expect(decode('{"type":"offer","id":4}')).toMatchObject({ id: 4 });
    expect(decode('{"type":7,"id":4}')).toMatchObject({ id: 4 });
    expect(decode('{"type":"offer","id":"4"}')).not.toHaveProperty("id");
    expect(decode('{"type":"offer","id":-4}')).not.toHaveProperty("id");
  });

  it("[S8] a message without a body is refused, one with null is not", () => {
    expect(decode('{"type":"message","to":"b","id":1}')).toMatchObject({
      id: 1,
      problem: { code: "invalid-message" },
    });
    expect(decode('{"type":"message","to":"b","body":null}')).toHaveProperty("message");
  });

  it("[A4] a problem never quotes what was sent", () => {
    const secret = "v=0-super-secret";
    const decoded = decode(JSON.stringify({ type: "offer", id: 1, to: secret.repeat(20), sdp: 5 }));
    expect(JSON.stringify(decoded)).not.toContain(secret);
  });
});

/** Values that a member of a frame may have, near its limits and far from them. */
const longText = fc
  .constantFrom(0, 1, 64, 65, 256, 257, 4_096, 4_097)
  .map((length) => "é".repeat(length));
const number = fc.oneof(
  fc.constantFrom(-1, 0, -0, 1, 1.5, 65_535, 65_536, 2 ** 53 - 1, 2 ** 53, 1e300),
  fc.integer(),
);
const anything = fc.oneof(fc.constant(null), fc.boolean(), number, longText, fc.jsonValue());
/** Mostly what it should be. */
const mostly = <T>(good: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: good, weight: 20 }, { arbitrary: anything, weight: 1 });
const text = mostly(fc.oneof(longText, fc.string({ minLength: 1, maxLength: 20 })));
const ordinal = mostly(fc.oneof(number, fc.integer({ min: 1 })));
const candidate = fc.record(
  {
    candidate: mostly(fc.oneof(longText, fc.string())),
    sdpMid: mostly(fc.oneof(fc.constant(null), text)),
    sdpMLineIndex: mostly(fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 4 }), number)),
    usernameFragment: mostly(fc.oneof(fc.constant(null), text)),
    other: fc.constant(1),
  },
  { requiredKeys: ["candidate"] },
);
const frequent = fc.record(
  {
    type: fc.constantFrom("message", "candidates"),
    id: ordinal,
    to: text,
    body: anything,
    key: text,
    exchange: ordinal,
    candidates: mostly(fc.array(mostly(candidate), { maxLength: 4 })),
    complete: mostly(fc.boolean()),
    from: text,
  },
  { requiredKeys: ["type"] },
);

/** What a frame is read as without the schemas, and with them. */
function readTwice(frame: string) {
  const { type } = JSON.parse(frame) as { type: "message" | "candidates" };
  const { success, data } = FROM_PEER[type].safeParse(JSON.parse(frame));
  return {
    read: frequentMessageOf(type, JSON.parse(frame)),
    bySchema: success ? data : undefined,
  };
}

const CANDIDATE = { candidate: "candidate:1 1 udp 1 192.0.2.1 1 typ host" };
const MESSAGE = { type: "message", id: 1, to: "b", body: { a: [1] }, key: "k" };
const CANDIDATES = { type: "candidates", id: 1, to: "b", exchange: 1, candidates: [CANDIDATE] };

describe("the messages that come most often", () => {
  it("[S7] 20,000 frames, good and bad, are read as the schemas read them", () => {
    let [good, bad] = [0, 0];
    fc.assert(
      fc.property(frequent, (value) => {
        const { read, bySchema } = readTwice(JSON.stringify(value));
        expect(read).toStrictEqual(bySchema);
        if (read) good += 1;
        else bad += 1;
      }),
      { numRuns: 20_000 },
    );
    expect(Math.min(good, bad)).toBeGreaterThan(1_000);
  });

  it.each([
    MESSAGE,
    { type: "message", to: "b", body: null },
    { ...MESSAGE, to: "b".repeat(64), key: "k".repeat(64), id: Number.MAX_SAFE_INTEGER },
    { ...MESSAGE, from: "eve", other: { deep: [] } },
    CANDIDATES,
    { type: "candidates", exchange: 1, candidates: [], complete: true },
    { ...CANDIDATES, complete: false, from: "eve" },
    {
      ...CANDIDATES,
      candidates: [
        { ...CANDIDATE, sdpMid: "0", sdpMLineIndex: 0, usernameFragment: "Ut4Y", other: 1 },
        { candidate: "", sdpMid: null, sdpMLineIndex: null, usernameFragment: null },
        {
          candidate: "c".repeat(4_096),
          sdpMid: "m".repeat(256),
          sdpMLineIndex: 65_535,
          usernameFragment: "u".repeat(256),
        },
      ],
    },
    { ...CANDIDATES, candidates: Array.from({ length: LIMITS.candidates }, () => CANDIDATE) },
  ])("[S7] %j is read without the schemas, as they read it", (value) => {
    const { read, bySchema } = readTwice(JSON.stringify(value));
    expect(read).toBeDefined();
    expect(read).toStrictEqual(bySchema);
  });

  it("[S8] a member named __proto__ is one that nobody knows", () => {
    for (const frame of [
      '{"type":"message","to":"b","body":1,"__proto__":{"key":"k","id":4}}',
      '{"type":"candidates","exchange":1,"candidates":[{"candidate":"","__proto__":{"sdpMid":"1"}}]}',
    ]) {
      const { read, bySchema } = readTwice(frame);
      expect(read).toStrictEqual(bySchema);
      expect(JSON.stringify(read)).toBe(JSON.stringify(bySchema));
      expect(read).not.toHaveProperty("key");
    }
    expect(decode('{"type":"message","__proto__":{"to":"b","body":1}}')).toHaveProperty("problem");
  });

  it.each([
    ["id", { ...MESSAGE, id: 0 }],
    ["id", { ...MESSAGE, id: "1" }],
    ["id", { ...MESSAGE, id: null }],
    ["to", { type: "message", body: 1 }],
    ["to", { ...MESSAGE, to: "" }],
    ["to", { ...MESSAGE, to: "b".repeat(65) }],
    ["body", { type: "message", to: "b" }],
    ["key", { ...MESSAGE, key: "" }],
    ["key", { ...MESSAGE, key: 1 }],
    ["id", { ...CANDIDATES, id: 1.5 }],
    ["to", { ...CANDIDATES, to: null }],
    ["exchange", { ...CANDIDATES, exchange: 0 }],
    ["exchange", { ...CANDIDATES, exchange: 2 ** 53 }],
    ["exchange", { type: "candidates", candidates: [] }],
    ["candidates", { type: "candidates", exchange: 1 }],
    ["candidates", { ...CANDIDATES, candidates: { length: 0 } }],
    [
      "candidates",
      { ...CANDIDATES, candidates: Array.from({ length: LIMITS.candidates + 1 }, () => CANDIDATE) },
    ],
    ["candidates.0", { ...CANDIDATES, candidates: [null] }],
    ["candidates.0", { ...CANDIDATES, candidates: [[]] }],
    ["candidates.0", { ...CANDIDATES, candidates: ["candidate:1"] }],
    ["candidates.0.candidate", { ...CANDIDATES, candidates: [{}] }],
    [
      "candidates.1.candidate",
      { ...CANDIDATES, candidates: [CANDIDATE, { candidate: "c".repeat(4_097) }] },
    ],
    ...["sdpMid", "usernameFragment"].flatMap((name) =>
      [1, "m".repeat(257), {}].map(
        (value) =>
          [
            `candidates.0.${name}`,
            { ...CANDIDATES, candidates: [{ ...CANDIDATE, [name]: value }] },
          ] as const,
      ),
    ),
    ...[-1, 65_536, 0.5, "0"].map(
      (sdpMLineIndex) =>
        [
          "candidates.0.sdpMLineIndex",
          { ...CANDIDATES, candidates: [{ ...CANDIDATE, sdpMLineIndex }] },
        ] as const,
    ),
    ["complete", { ...CANDIDATES, complete: "true" }],
    ["complete", { ...CANDIDATES, complete: null }],
  ] as const)("[S7] what is wrong with `%s` is named by the schemas", (field, value) => {
    const frame = JSON.stringify(value);
    expect(readTwice(frame)).toEqual({});
    expect(decode(frame)).toMatchObject({ problem: { code: "invalid-message" } });
    const decoded = decode(frame);
    expect("problem" in decoded && decoded.problem).toHaveProperty("errors.0.field", field);
  });

  it("[S7] a body is measured as it is sent on, wherever that may be longer than it came", () => {
    const bodyOf = (body: string) => decode(`{"type":"message","id":3,"to":"b","body":${body}}`);
    const tooLarge = { id: 3, problem: { code: "message-too-large" } };
    const textOf = (length: number) => JSON.stringify("x".repeat(length));
    expect(bodyOf(textOf(LIMITS.bodyBytes - 2))).toHaveProperty("message");
    expect(bodyOf(textOf(LIMITS.bodyBytes - 1))).toMatchObject(tooLarge);
    const surrogates = (length: number) => `"${"\ud800".repeat(length)}"`;
    expect(bodyOf(surrogates(2_730))).toHaveProperty("message");
    expect(bodyOf(surrogates(2_731))).toMatchObject(tooLarge);
    const numbers = (length: number) => `[${"1e20,".repeat(length)}1]`;
    expect(bodyOf(numbers(744))).toHaveProperty("message");
    expect(bodyOf(numbers(745))).toMatchObject(tooLarge);
  });

  it("[S7] JSON that is written again has at most six bytes for each character it came in", () => {
    const odd = fc.constantFrom(
      "1e20",
      "-9E20",
      "1e-6",
      '"\ud800"',
      '"\ud800\udc00"',
      "-0",
      "1e999",
    );
    const json = fc.oneof(
      fc.json(),
      odd,
      fc.string({ unit: "binary" }).map((each) => JSON.stringify(each)),
      fc.array(odd).map((list) => `[${list.join()}]`),
    );
    fc.assert(
      fc.property(json, (came) => {
        const again = utf8Bytes(JSON.stringify(JSON.parse(came)));
        expect(again).toBeLessThanOrEqual(6 * came.length);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("bytes", () => {
  it("[S7] are counted as UTF-8 does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (text) => {
        expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
    expect(utf8Bytes("\ud800x")).toBe(new TextEncoder().encode("\ud800x").length);
    expect(exceedsBytes("ää", 3)).toBe(true);
    expect(exceedsBytes("ää", 4)).toBe(false);
    expect(exceedsBytes("aaaaa", 4)).toBe(true);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode } from "../protocol/decode.ts";
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

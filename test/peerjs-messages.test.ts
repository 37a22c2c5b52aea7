import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Assembly, framesOf, messageOf } from "../client/peerjs-messages.ts";

/** What the page of the other side gets of data that the page of this side sends. */
const heard = (data: unknown): unknown => {
  if (data instanceof Uint8Array) return { bytes: [...data] };
  if (data instanceof ArrayBuffer) return { bytes: [...new Uint8Array(data)] };
  if (Array.isArray(data)) return data.map(heard);
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, heard(value)]));
};

const all = (frames: Iterable<Uint8Array<ArrayBuffer>>): ArrayBuffer[] =>
  [...frames].map(({ buffer }) => buffer);

const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, false, "\u0000", "\u00000", "\u0000\u00001"),
    fc.integer(),
    fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie("tree"), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
}));

describe("messages of data connections", () => {
  it("[M16] arrive as they were sent, with binary data wherever it is", async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (data) => {
        const message = await messageOf(data);
        const [frame] = all(framesOf(message, 7));
        expect(heard(new Assembly().take(frame!)?.data)).toEqual(heard(data));
      }),
    );
  });

  it("[M16] of any size arrive once all frames are there, in whatever order these come and mixed with others", async () => {
    const large = { name: "a", file: new Uint8Array(200_000).map((_, at) => at % 251) };
    const text = "é".repeat(80_000);
    const frames = [
      ...all(framesOf(await messageOf(large), 0)),
      ...all(framesOf(await messageOf(text), 1)),
    ];
    expect(frames.length).toBe(4 + 3);
    expect(Math.max(...frames.map(({ byteLength }) => byteLength))).toBeLessThan(65_536);
    fc.assert(
      fc.property(fc.shuffledSubarray(frames, { minLength: frames.length }), (mixed) => {
        const assembly = new Assembly();
        const whole = mixed.flatMap((frame) => assembly.take(frame) ?? []);
        expect(whole.length).toBe(2);
        const [one, other] = whole.map(({ data }) => data);
        const [object, string] = typeof one === "string" ? [other, one] : [one, other];
        expect(string).toBe(text);
        const file = new Uint8Array((object as { file: ArrayBuffer }).file);
        expect([file.length, file.every((byte, at) => byte === at % 251)]).toEqual([200_000, true]);
      }),
      { numRuns: 20 },
    );
  });

  it("[M16] read files, and keep what the page overwrites after it was sent", async () => {
    const part = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    const reading = messageOf({ file: new Blob(["tea"]), part, gone: undefined });
    const whole = messageOf([part.buffer]);
    part.fill(9);
    const assembly = new Assembly();
    const [first] = all(framesOf(await reading, 0));
    const [second] = all(framesOf(await whole, 1));
    expect(heard(assembly.take(first!)?.data)).toEqual({
      file: { bytes: [116, 101, 97] },
      part: { bytes: [2, 3] },
    });
    expect(heard(assembly.take(second!)?.data)).toEqual([{ bytes: [1, 2, 3, 4] }]);
  });
});

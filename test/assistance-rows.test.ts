import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { AssistanceRows } from "../durable-objects/assistance-rows.ts";
import { LiveSession } from "./live-session.ts";

/** What a session remembers of its requests to mobile networks, in the storage of its object. */

afterEach(() => reset());

const KEY = "nef alice~bob alice";

/** A body as that of a link with 250 m-sections of 58 payload types each: 1.4 MB. */
const LARGE = {
  flowInfo: Array.from({ length: 14_500 }, (_none, at) => ({ at, x: "x".repeat(80) })),
};
const SMALL = { flowInfo: [] };

/** Creates of the last minute without an answer, the first of which is being looked for. */
function wrote(rows: AssistanceRows, body: object): void {
  const entry = rows.entries.get(KEY);
  if (!entry) throw new Error("no entry");
  const doubts = [1, 2, 3, 4].map((generation) => {
    return { generation, body: { ...body }, until: 1, lookAt: 1, isLooked: false };
  });
  const act = { serial: 1, generation: 1, type: "find", body: { ...body } } as const;
  entry.holding = { ...entry.holding, doubts, underway: { act, at: 1, until: 2 } };
  rows.write(KEY);
}

describe("requests in storage", () => {
  it("[M13] of links of any size are written and read back, and leave nothing when they are forgotten", async () => {
    const session = await LiveSession.start("awake");
    await session.inside(({ storage }) => {
      const rows = new AssistanceRows(storage);
      const texts = () => [...storage.kv.list<string>({ prefix: "assistance " })];
      const kept = () => texts().length;
      rows.add(`${KEY} recommendations`, "alice", "nef", "nef");
      rows.write(`${KEY} recommendations`);
      rows.add(KEY, "alice", "nef", "nef");
      for (const body of [SMALL, LARGE, SMALL, LARGE]) {
        wrote(rows, body);
        // The platform takes no more than 2 MB; workerd on its own takes some.
        for (const [, { length }] of texts()) expect(length).toBeLessThan(2_000_000);
        const read = new AssistanceRows(storage).entries;
        expect([...read.keys()].toSorted()).toEqual([KEY, `${KEY} recommendations`]);
        expect(read.get(KEY)).toEqual(rows.entries.get(KEY));
        if (body === SMALL) expect(kept()).toBe(2);
      }
      const later = new AssistanceRows(storage);
      expect(later.entries.size).toBe(2);
      later.delete(KEY);
      expect(kept()).toBe(1);
    });
  });
});

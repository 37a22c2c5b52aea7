import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { CnameMemory } from "../durable-objects/cname-memory.ts";
import { recallCnames } from "../durable-objects/recall-cnames.ts";
import { recordOf } from "./corpus.ts";
import { LiveSession } from "./live-session.ts";
import { accepted, PureSession } from "./pure-session.ts";
import { replace } from "./sdp-examples.ts";
import { again, otherCertificate, restart } from "./sdp-story.ts";

/** CNAMEs that come back in other sessions (RFC 8834 s4.9). */

const DAY_MS = 86_400_000;
const CALL = "chromium.connected-host-candidates";
const { offer } = recordOf(CALL);
const answer = recordOf(CALL).answer!;

const named = (sdp: string, cname: string): string =>
  sdp.replaceAll(/cname:\S+/g, `cname:${cname}`);

const bindings = env as unknown as Parameters<typeof recallCnames>[0];
const memories = bindings.CNAMES as DurableObjectNamespace<CnameMemory>;

async function callIn(config: object, offered: string, answered: string) {
  const session = await LiveSession.start("awake", config);
  const alice = await session.join();
  const bob = await session.join();
  await alice.request({ type: "offer", id: 1, to: bob.id, sdp: offered } as never);
  const reply = { type: "answer", id: 1, to: alice.id, exchange: 1, sdp: answered };
  expect(await bob.request(reply as never)).toMatchObject({ type: "ack" });
  return { session, alice, bob };
}

it("[D2] a CNAME of another session is told its sender, and kept with the findings", async () => {
  const first = await callIn({}, named(offer, "one-and-the-same"), named(answer, "bobs-own"));
  // Its own session has it as well, of course.
  await first.alice.request({
    type: "offer",
    id: 2,
    to: first.bob.id,
    sdp: again(named(offer, "one-and-the-same")),
  } as never);
  expect(await first.alice.all("findings")).toEqual([]);
  const { session, alice, bob } = await callIn(
    {},
    again(named(offer, "one-and-the-same"), restart, otherCertificate),
    again(named(answer, "another"), restart, otherCertificate),
  );
  expect(await alice.next("findings")).toMatchObject({
    to: bob.id,
    exchange: 1,
    findings: [{ rule: "cname-reused-across-sessions", level: "warning", description: "offer" }],
  });
  const { findings } = await session.read<{ findings: object[] }>("/findings");
  expect(findings).toContainEqual(
    expect.objectContaining({ rule: "cname-reused-across-sessions", from: alice.id }),
  );
  expect(JSON.stringify(findings)).not.toContain("one-and-the-same");
  expect(await bob.all("findings")).toEqual([]);
});

it("[D2] what is remembered are hashes, and only for the time configured", async () => {
  const at = Date.now();
  const recall = (session: string, now: number, more: object = {}) =>
    recallCnames({ ...bindings, ...more }, session, ["a-cname-to-forget"], now);
  expect(await recall("one", at)).toBe(false);
  expect(await recall("one", at)).toBe(false);
  expect(await recall("two", at + 29 * DAY_MS)).toBe(true);
  expect(await recall("three", at + 60 * DAY_MS)).toBe(false);
  expect(await recall("four", at + 61 * DAY_MS, { CNAME_WINDOW_DAYS: "0" })).toBe(false);
  expect(await recall("five", at + 61 * DAY_MS, { TOKEN_SECRETS: "" })).toBe(false);
  expect(await recall("six", at + 61 * DAY_MS, { CNAME_WINDOW_DAYS: "1" })).toBe(true);
  const other = { TOKEN_SECRETS: "another-secret-of-at-least-32-characters" };
  expect(await recall("seven", at + 61 * DAY_MS, other)).toBe(false);
});

it("[M20] without a time only memory has them: no row, no alarm", async () => {
  const memory = memories.getByName("yy");
  const recall = (hash: string, session: string) =>
    memory.recall(hash, session, Date.now(), undefined);
  expect(await recall("h", "one")).toBe(false);
  expect(await recall("h", "one")).toBe(false);
  expect(await recall("h", "two")).toBe(true);
  expect(
    await runInDurableObject(memory, async (_object, { storage }) => [
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'cname'").toArray(),
      await storage.getAlarm(),
    ]),
  ).toEqual([[], null]);
  await runInDurableObject(memory, async (object) => {
    for (let n = 0; n < 10_000; n++) await object.recall(`n${n}`, "s", 0, undefined);
  });
  expect(await recall("h", "three")).toBe(false);
});

it("[D2] a memory forgets what is over and then sleeps", async () => {
  const memory = memories.getByName("zz");
  const at = Date.now();
  await memory.recall("old", "s", at - 3000, 1000);
  await memory.recall("new", "s", at, DAY_MS);
  const hashes = () =>
    runInDurableObject(memory, (_object, state) =>
      state.storage.sql.exec<{ hash: string }>("SELECT hash FROM cname").toArray(),
    );
  expect(await runDurableObjectAlarm(memory)).toBe(true);
  expect(await hashes()).toEqual([{ hash: "new" }]);
  await memory.recall("new", "s", at - 3000, 1000);
  expect(await runDurableObjectAlarm(memory)).toBe(true);
  expect(await hashes()).toEqual([]);
  expect(await runDurableObjectAlarm(memory)).toBe(false);
});

it("[D2] who is asked about: new names of peers, not of media servers; at most four", () => {
  const pure = new PureSession({ topology: "central" });
  accepted(pure.join("alice"));
  accepted(pure.join("server", "media-server"));
  const many = replace(
    /^a=ssrc:2158176722 cname.*$/m,
    [1, 2, 3, 4, 5].map((n) => `a=ssrc:${n} cname:c${n}`).join("\r\n"),
  )(offer);
  const asked = (result: ReturnType<PureSession["send"]>) =>
    accepted(result).effects.filter(({ type }) => type === "recall-cnames");
  expect(asked(pure.send("alice", { type: "offer", to: "server", sdp: many }))).toMatchObject([
    { peer: "alice", role: "offer", exchange: 1, cnames: ["c1", "c2", "c3", "c4"] },
  ]);
  expect(asked(pure.send("alice", { type: "offer", to: "server", sdp: offer }))).toHaveLength(1);
  expect(
    asked(pure.send("server", { type: "answer", to: "alice", exchange: 2, sdp: answer })),
  ).toEqual([]);
  // Known on this link by now.
  expect(asked(pure.send("alice", { type: "offer", to: "server", sdp: again(offer) }))).toEqual([]);
});

it("[D2] news of a link that is gone, or for either end of one, has an address", () => {
  const pure = new PureSession();
  accepted(pure.join("alice"));
  accepted(pure.join("bob"));
  accepted(pure.send("alice", { type: "offer", to: "bob", sdp: offer }));
  const recalled = (peer: string, link: string) =>
    accepted(
      pure.do({ type: "cname-recalled", peer, link, role: "offer", exchange: 1, at: pure.at }),
    ).effects;
  expect(recalled("alice", "alice~carol")).toEqual([]);
  expect(recalled("alice", "alice~bob")).toMatchObject([{ to: "alice", message: { to: "bob" } }]);
  expect(recalled("bob", "alice~bob")).toMatchObject([{ to: "bob", message: { to: "alice" } }]);
});

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Attachment,
  attachmentOf,
  remember,
  replyTo,
  withReply,
} from "../durable-objects/attachment.ts";
import { ackFrame } from "../durable-objects/frames.ts";

const EMPTY: Attachment = { peer: "alice", connection: 1, replies: [], soft: [] };

/** The same with replies to requests of these ids that say nothing else. */
const acked = (attachment: Attachment, ids: readonly number[]): Attachment =>
  ids.reduce((next, id) => withReply(next, id, ackFrame(id)), attachment);

const upTo = (count: number, first = 1): number[] =>
  Array.from({ length: count }, (_none, n) => first + n);

describe("replies that a socket remembers", () => {
  it("[R1] are what was sent, in whatever order ids come", () => {
    const reply = fc.record({
      id: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1 })),
      members: fc.option(fc.record({ exchange: fc.nat() }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 30 }), (replies) => {
        const sent = new Map<number, string>();
        let attachment = EMPTY;
        for (const { id, members } of replies) {
          expect(replyTo(attachment, id)).toBe(sent.get(id));
          if (sent.has(id)) continue;
          const frame = ackFrame(id, members);
          sent.set(id, frame);
          attachment = withReply(attachment, id, frame);
        }
        for (const [id, frame] of sent) expect(replyTo(attachment, id)).toBe(frame);
      }),
    );
  });

  it("[M20] acks in a row take no more room than one", () => {
    const many = acked(EMPTY, upTo(60));
    expect(JSON.stringify(many.replies).length).toBeLessThan(20);
    expect(JSON.stringify(acked(many, upTo(1_000, 61)).replies).length).toBeLessThan(20);
  });

  it("[S7] the oldest are forgotten, one by one, however they are remembered", () => {
    const asText = (id: number) => `{"type":"problem","re":${id},"detail":"${"x".repeat(200)}"}`;
    let attachment = acked(EMPTY, [...upTo(30), ...upTo(30, 101)]);
    const known = () => [...upTo(30), ...upTo(30, 101)].filter((id) => replyTo(attachment, id));
    let before = known();
    expect(before).toHaveLength(60);
    for (let id = 1_001; id <= 1_020; id++) {
      attachment = withReply(attachment, id, asText(id));
      expect(replyTo(attachment, id)).toBe(asText(id));
      const now = known();
      expect(before.slice(before.length - now.length)).toEqual(now);
      expect(before.length - now.length).toBeLessThan(8);
      before = now;
    }
    expect(before).toEqual([]);
    expect(replyTo(attachment, 1_001)).toBeUndefined();
    expect(replyTo(acked(attachment, upTo(70, 2_000)), 1_020)).toBeUndefined();
  });

  it("[R1] one too large to keep forgets no other", () => {
    const attachment = acked(EMPTY, [1]);
    expect(withReply(attachment, 2, "x".repeat(2_000))).toBe(attachment);
  });
});

it("[S8] a socket whose memory does not fit forgets its replies, and others remember all", async () => {
  const wide = "\u{4e00}".repeat(1_100);
  const full: Attachment = {
    ...withReply(withReply(EMPTY, 1, wide), 2, wide),
    soft: [["link", wide + wide]],
    events: [[1, wide + wide]],
    figures: [["link", wide + wide]],
  };
  const other = acked({ ...EMPTY, peer: "bob" }, [7]);
  const stub = env.SESSIONS.getByName("attachments");
  await runInDurableObject(stub, async (_object, state) => {
    const [first, second] = [new WebSocketPair()[1], new WebSocketPair()[1]];
    state.acceptWebSocket(first);
    state.acceptWebSocket(second);
    remember(first, full);
    remember(second, other);
    await Promise.resolve();
    const { figures: _, ...rest } = full;
    expect(first.deserializeAttachment()).toEqual({ ...rest, replies: [] });
    expect(attachmentOf(first)).toEqual({ ...rest, replies: [] });
    expect(second.deserializeAttachment()).toEqual(other);
    first.close();
    second.close();
  });
});

import { setTimeout as delay } from "node:timers/promises";
import type { Call, Step } from "./call.ts";
import { demand, Failure, within } from "./judgement.ts";
import { plays } from "./player.ts";
import { Publisher } from "./publisher.ts";

/** A second publisher comes, while the native peer makes an offer of its own, and goes; then a player goes. */

const OFFER_MS = 8_000;
const ANSWER_MS = 5_000;
const MEDIA_MS = 8_000;

/** The media server's offer is kept back until the native peer's has come before it. */
async function meetOffers({ scene, native }: Call): Promise<void> {
  const { passage } = scene;
  try {
    await within(
      OFFER_MS,
      "an offer to the native peer with the second publisher's streams",
      () => passage.holding || undefined,
    );
    await native.publishSound();
  } finally {
    passage.release();
  }
}

async function playGlare(call: Call): Promise<Publisher> {
  const { stage, scene, native } = call;
  scene.passage.hold((message) => message.type === "offer" && message.to === native.id);
  const meeting = meetOffers(call).then(
    () => undefined,
    (fault: unknown) => fault,
  );
  const sinceMs = performance.now();
  const other = await Publisher.start(scene.session);
  await stage.verdicts.judge("glare", async () => {
    const fault = await meeting;
    if (fault !== undefined) throw fault;
    await within(
      ANSWER_MS,
      "an answer to the native peer's offer, which was first",
      () => native.published > 0 || undefined,
      () => {
        const rejects = scene.conversation.saidOf("reject", sinceMs).length;
        return rejects > 0 ? "reject" : "no answer";
      },
    );
    const answered = native.answered;
    await other.connected();
    await within(
      ANSWER_MS,
      "the offer that was taken back to be made again",
      () => native.answered >= answered && offersSince(call, sinceMs) > 1,
      () => `${offersSince(call, sinceMs)} offers since`,
    );
    await plays(native.connection, "the native peer", MEDIA_MS, sinceMs, other.id);
  });
  return other;
}

const offersSince = ({ scene, native }: Call, sinceMs: number): number =>
  scene.conversation.saidOf("offer", sinceMs).filter(({ message }) => message.to === native.id)
    .length;

const SETTLED_MS = 1_000;
const WATCHED_MS = 1_000;

async function playPublisherLeaves(call: Call, other: Publisher): Promise<void> {
  const { stage, scene, first, second, native } = call;
  await stage.verdicts.judge("publisher-leaves", async () => {
    const leftMs = performance.now();
    await other.leave();
    await within(3_000, "the server to close the contexts of a publisher that left", () =>
      scene.conversation
        .toldOf("context", leftMs)
        .some(({ message }) => message.op === "close" && message.peer === other.id),
    );
    await delay(SETTLED_MS);
    const sinceMs = performance.now();
    await delay(WATCHED_MS);
    for (const { id, connection } of [first, second, native]) {
      const late = connection.since(sinceMs, ({ publisher }) => publisher === other.id).length;
      demand(late === 0, `expected no RTP of a publisher that left; saw ${late} packets at ${id}`);
    }
  });
}

const SILENCE_MS = 1_500;
const FREED_MS = 3_000;

async function playPlayerLeaves({ stage, second, first }: Call): Promise<void> {
  await stage.verdicts.judge("peer-leaves", async () => {
    await second.end();
    const { connection } = second;
    const lastMs = () => Math.max(connection.arrivals.at(-1)?.atMs ?? 0, connection.rtcpAtMs);
    const endedMs = performance.now();
    await within(
      FREED_MS + SILENCE_MS,
      "neither RTP nor RTCP to a player that left",
      () => performance.now() - Math.max(endedMs, lastMs()) > SILENCE_MS || undefined,
      () => `packets ${((lastMs() - endedMs) / 1000).toFixed(1)} s after`,
    );
    await plays(first.connection, "the player that stayed", 3_000, performance.now());
  });
}

export const LEAVING_STEPS: readonly Step[] = [
  {
    checks: ["glare", "publisher-leaves"],
    play: async (call) => {
      let other: Publisher | undefined;
      try {
        other = await playGlare(call);
        await playPublisherLeaves(call, other);
      } catch (fault) {
        if (!(fault instanceof Failure)) throw fault;
        await call.stage.verdicts.judge("glare", () => Promise.reject(fault));
      } finally {
        call.scene.passage.release();
        await other?.close();
      }
    },
  },
  { checks: ["peer-leaves"], play: playPlayerLeaves },
];

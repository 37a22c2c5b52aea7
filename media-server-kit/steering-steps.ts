import { setTimeout as delay } from "node:timers/promises";
import type { Arrival } from "./arrivals.ts";
import { type Call, type Step, videoFlow } from "./call.ts";
import type { Connection } from "./connection.ts";
import { demand, Unjudged, within } from "./judgement.ts";
import { newest } from "./player.ts";

/** What receivers and the application ask for: key frames, repairs, holds and limits. */

const isPicture = ({ kind, repairs }: Arrival): boolean =>
  kind === "video" && repairs === undefined;

const QUIET_MS = 700;
const LONGEST_UNREST_MS = 4_000;
const REQUEST_MS = 3_000;

/** Waits until the publisher is not asked for key frames for other reasons. */
async function quietRequests({ keyframeRequests }: Connection): Promise<void> {
  const endMs = performance.now() + LONGEST_UNREST_MS;
  while (performance.now() < endMs) {
    const lastMs = keyframeRequests.at(-1)?.atMs ?? 0;
    if (performance.now() - lastMs > QUIET_MS) return;
    await delay(50);
  }
}

async function demandKeyframeRequest({ publisher, first }: Call): Promise<void> {
  const picture = newest(first.connection, isPicture);
  if (picture === undefined) throw new Unjudged("no picture came");
  await quietRequests(publisher.connection);
  const sinceMs = performance.now();
  let asked = 0;
  await within(REQUEST_MS, "a PLI or FIR at the publisher, after a PLI of a player", () => {
    const passedMs = performance.now() - sinceMs;
    // A request may be lost, or come too soon after another.
    if (passedMs >= asked * 1_000) {
      asked += 1;
      first.connection.sendPictureLoss(picture.ssrc);
    }
    const requests = publisher.connection.keyframeRequests.filter(({ atMs }) => atMs > sinceMs);
    return requests.length > 0 || undefined;
  });
}

async function demandRetransmission({ first }: Call): Promise<void> {
  const { connection } = first;
  const missing = newest(
    connection,
    (each) => isPicture(each) && each.atMs < performance.now() - 100,
  );
  if (missing === undefined) throw new Unjudged("no picture came");
  const { ssrc, sequenceNumber } = missing;
  const sinceMs = performance.now();
  connection.sendNack(ssrc, sequenceNumber);
  await within(
    1_500,
    `packet ${sequenceNumber} again, or its retransmission (RFC 4588), after a NACK`,
    () =>
      connection.since(
        sinceMs,
        (each) =>
          each.repairs === sequenceNumber ||
          (each.ssrc === ssrc && each.sequenceNumber === sequenceNumber),
      ).length > 0,
  );
}

const HELD_MS = 2_000;

async function playHold(call: Call): Promise<void> {
  const { stage, scene, first } = call;
  const flow = await videoFlow(scene, first.id, "downlink");
  const { connection } = first;
  const lastMs = () => newest(connection, isPicture)?.atMs ?? 0;
  const isHeld = await stage.verdicts.judge("held", async () => {
    await scene.session.steer(flow, { held: true });
    const sinceMs = performance.now();
    await within(
      HELD_MS + QUIET_MS,
      "no more RTP of the picture at a player whose flow is held",
      () => performance.now() - Math.max(sinceMs, lastMs()) > QUIET_MS || undefined,
      () => {
        const late = connection.since(sinceMs + HELD_MS, isPicture).length;
        return `${late} packets of it more than ${HELD_MS / 1000} s after`;
      },
    );
  });
  const resumedMs = performance.now();
  await scene.session.steer(flow, { held: false });
  if (!isHeld) {
    stage.verdicts.skip("resumed", "it was not held");
    return;
  }
  await stage.verdicts.judge("resumed", async () => {
    const [begin] = await within(5_000, "RTP of the picture again", () => {
      const arrived = connection.since(resumedMs, isPicture);
      return arrived.length > 0 ? arrived : undefined;
    });
    demand(
      begin?.keyframe === true,
      "expected the first picture after it to be a key frame; it was none",
    );
  });
}

const RATE_MS = 1_000;
const LIMIT_BPS = 200_000;
const BETTER_BPS = 500_000;
/** What rates sway. */
const TOLERANCE = 1.2;
const LAYER_MS = 6_000;

/** Of the picture, over the last second. */
function bitrateBps(connection: Connection): number {
  const arrived = connection.since(performance.now() - RATE_MS, isPicture);
  return (arrived.reduce((sum, { bytes }) => sum + bytes, 0) * 8 * 1_000) / RATE_MS;
}

/** What came over the last second; undefined for what has no mark any more. */
const layersOf = (connection: Connection): readonly (string | undefined)[] => [
  ...new Set(connection.since(performance.now() - RATE_MS, isPicture).map(({ rid }) => rid)),
];

const seenOf = (connection: Connection) => () => {
  const layers = layersOf(connection).map((rid) => rid ?? "?");
  return `${Math.round(bitrateBps(connection) / 1000)} kbit/s, layers ${layers.join(", ")}`;
};

async function demandLayerTold(call: Call, flow: string, layer: string, sinceMs: number) {
  const told = () =>
    call.scene.conversation.saidOf("sources").filter(({ message }) => message.flow === flow);
  await within(
    3_000,
    `\`sources\` of ${flow} with layer ${layer}`,
    () => {
      const last = told().at(-1);
      return (last?.message.layer === layer && last.atMs > sinceMs) || undefined;
    },
    () => `layer ${told().at(-1)?.message.layer ?? "none"}`,
  );
}

async function playLimit(call: Call): Promise<void> {
  const { stage, scene, second } = call;
  const { connection } = second;
  const flow = await videoFlow(scene, second.id, "downlink");
  await within(
    LAYER_MS,
    "the best layer at a player without a limit",
    () => (bitrateBps(connection) > BETTER_BPS ? true : undefined),
    seenOf(connection),
  ).catch(() => {
    throw new Unjudged("the best layer did not come at first");
  });
  const limitedMs = performance.now();
  const isLimited = await stage.verdicts.judge("limit", async () => {
    await scene.session.steer(flow, { maxBitrateBps: LIMIT_BPS });
    await within(
      LAYER_MS,
      `a layer of at most ${LIMIT_BPS / 1000} kbit/s at a player with that limit`,
      () => {
        const rate = bitrateBps(connection);
        const isOther = layersOf(connection).some((rid) => rid !== undefined && rid !== "q");
        return (rate > 0 && rate <= LIMIT_BPS * TOLERANCE && !isOther) || undefined;
      },
      seenOf(connection),
    );
  });
  const isTold =
    isLimited &&
    (await stage.verdicts.judge("limit-told", () => demandLayerTold(call, flow, "q", limitedMs)));
  const freedMs = performance.now();
  await scene.session.steer(flow, { maxBitrateBps: null });
  if (!isLimited) {
    stage.verdicts.skip("limit-told", "the layer did not change");
    return;
  }
  const isBetter = await stage.verdicts.judge("limit", () =>
    within(
      LAYER_MS,
      "the best layer again when the limit is gone",
      () => bitrateBps(connection) > BETTER_BPS || undefined,
      seenOf(connection),
    ),
  );
  if (!isBetter || !isTold) return;
  await stage.verdicts.judge("limit-told", () => demandLayerTold(call, flow, "f", freedMs));
}

export const STEERING_STEPS: readonly Step[] = [
  {
    checks: ["keyframe-requests"],
    play: async (call) => {
      await call.stage.verdicts.judge("keyframe-requests", () => demandKeyframeRequest(call));
    },
  },
  {
    checks: ["retransmission"],
    play: async (call) => {
      await call.stage.verdicts.judge("retransmission", () => demandRetransmission(call));
    },
  },
  { checks: ["held", "resumed"], play: playHold },
  { checks: ["limit", "limit-told"], play: playLimit },
];

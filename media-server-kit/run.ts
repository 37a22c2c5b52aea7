import { setTimeout as delay } from "node:timers/promises";
import { type Call, closeCall, openCall, type Step } from "./call.ts";
import type { CheckId } from "./catalogue.ts";
import { demandResults, demandSilenceOfClosed, demandValid } from "./conversation-checks.ts";
import { Failure, Unjudged, within } from "./judgement.ts";
import { LEAVING_STEPS } from "./leaving-steps.ts";
import { DOOR, type OwnScene, SECOND_SESSION, VANISHED } from "./more-scenes.ts";
import { ODD_CHECKS, playOddOffers } from "./odd-offers.ts";
import { demandOneOffer } from "./open-offers.ts";
import { QUALITY_STEP, RECORD_STEPS } from "./record-steps.ts";
import { SOCKET_STEPS } from "./socket-steps.ts";
import type { Stage } from "./stage.ts";
import { STEERING_STEPS } from "./steering-steps.ts";

const STEPS: readonly Step[] = [
  ...RECORD_STEPS,
  ...STEERING_STEPS,
  QUALITY_STEP,
  ...SOCKET_STEPS,
  ...LEAVING_STEPS,
];
const OPENING: readonly CheckId[] = [
  "joins",
  "alive",
  "whip-answer",
  "whip-recvonly",
  "whep-answer",
  "candidates-complete",
  "candidate-types",
  "rtp-to-players",
  "rtp-to-native",
];
const CLOSING: readonly CheckId[] = [
  "results",
  "one-offer",
  "closed-contexts",
  "valid-messages",
  "drain",
];
const OWN_SCENES: readonly OwnScene[] = [
  DOOR,
  { checks: ODD_CHECKS, play: playOddOffers },
  SECOND_SESSION,
];

type Wanted = (checks: readonly CheckId[]) => boolean;

/** Plays what is wanted, and leaves the verdicts on the stage. */
export async function play(stage: Stage): Promise<void> {
  const { only, quick } = stage.options;
  const wanted: Wanted = (checks) => only === undefined || checks.some((id) => only.includes(id));
  const own = OWN_SCENES.filter(({ checks }) => wanted(checks));
  if (quick) stage.verdicts.skip("vanished", "not with --quick");
  else if (wanted(VANISHED.checks)) own.push(VANISHED);
  const isCallWanted = wanted([...OPENING, ...CLOSING, ...STEPS.flatMap(({ checks }) => checks)]);
  const call = isCallWanted ? await openCall(stage) : undefined;
  if (isCallWanted && call === undefined) {
    const why = "media did not flow in the first session";
    for (const { checks } of [...STEPS, { checks: CLOSING }]) {
      for (const id of checks) stage.verdicts.skip(id, why);
    }
  }
  const others = Promise.all(own.map((scene) => playOwn(stage, scene)));
  // Awaited below, unless the call fails first.
  others.catch(() => {});
  if (call !== undefined) await playCall(call, wanted, others);
  await others;
}

async function playOwn(stage: Stage, { checks, play: act }: OwnScene): Promise<void> {
  try {
    await act(stage);
  } catch (fault) {
    if (!(fault instanceof Failure)) throw fault;
    for (const id of checks) await stage.verdicts.judge(id, () => Promise.reject(fault));
  }
}

async function playCall(call: Call, wanted: Wanted, others: Promise<unknown>): Promise<void> {
  try {
    for (const step of STEPS.filter(({ checks }) => wanted(checks))) {
      await playStep(call, step);
    }
    if (wanted(CLOSING)) await judgeConversation(call);
    await judgeDrain(call, others);
  } finally {
    await closeCall(call);
    await call.scene.session.end();
  }
}

async function playStep(call: Call, { checks, play: act }: Step): Promise<void> {
  const { verdicts } = call.stage;
  try {
    await act(call);
  } catch (fault) {
    if (!(fault instanceof Failure || fault instanceof Unjudged)) throw fault;
    for (const id of checks) {
      if (verdicts.of(id).reason === "not reached") {
        await verdicts.judge(id, () => Promise.reject(fault));
      }
    }
  }
}

const CLOSED_MS = 1_500;

async function judgeConversation({ stage, scene, publisher }: Call): Promise<void> {
  const { verdicts } = stage;
  const { conversation } = scene;
  // The last contexts close while the session goes on.
  await publisher.leave();
  await delay(CLOSED_MS);
  await verdicts.judge("results", () => demandResults(conversation));
  await verdicts.judge("one-offer", () => demandOneOffer(conversation));
  await verdicts.judge("closed-contexts", () => demandSilenceOfClosed(conversation));
  await verdicts.judge("valid-messages", () => demandValid(conversation));
}

const DRAIN_MS = 5_000;

/** The media server is gone then: all else has to be done. */
async function judgeDrain({ stage, scene }: Call, others: Promise<unknown>): Promise<void> {
  const { pid } = stage.options;
  if (pid === undefined) {
    stage.verdicts.skip("drain", "only with --pid");
    return;
  }
  await others;
  await stage.verdicts.judge("drain", async () => {
    process.kill(pid, "SIGTERM");
    await within(
      DRAIN_MS,
      "`drain` after SIGTERM",
      () => scene.conversation.saidOf("drain").length > 0,
    );
  });
}

import type { Flow } from "../protocol/flow.ts";
import type { Call, Step } from "./call.ts";
import { videoFlow } from "./call.ts";
import { demandLabels } from "./conversation-checks.ts";
import { demand, within } from "./judgement.ts";
import { openContexts } from "./stage.ts";

/** What the media server tells of what it does: transports, sources, labels, quality. */

const TOLD_MS = 5_000;
const TRANSPORT_MS = 5_000;
const QUALITY_MS = 10_000;

const peersOf = ({ publisher, first, second, native }: Call) => [
  { who: "the publisher", id: publisher.id },
  { who: "the first player", id: first.id },
  { who: "the second player", id: second.id },
  { who: "the native peer", id: native.id },
];

async function demandTransports(call: Call): Promise<void> {
  const { conversation } = call.scene;
  for (const { who, id } of peersOf(call)) {
    const reports = () =>
      conversation.saidOf("transport").filter(({ message }) => message.to === id);
    await within(
      TRANSPORT_MS,
      `\`transport\` connected with a pair (address and port of both ends) for ${who}`,
      () =>
        reports().some(({ message: { state, pair } }) => {
          const ends = [pair?.local, pair?.remote];
          return state === "connected" && ends.every((end) => end?.address && end.port);
        }) || undefined,
      () => {
        const seen = reports().map(
          ({ message: { state, pair } }) => `${state}${pair === undefined ? " without pair" : ""}`,
        );
        return seen.length === 0 ? "no `transport`" : seen.join(", ");
      },
    );
  }
}

/** The flow to a receiver names the uplink whose RTP it gets. */
async function demandSources(call: Call, to: string, kind: Flow["kind"]): Promise<void> {
  const { scene, publisher } = call;
  const { session } = scene;
  const uplink = openContexts(scene).find(
    (each) => each.peer === publisher.id && each.direction === "uplink" && each.kind === kind,
  )?.flow;
  let seen = "no flow";
  await within(
    TOLD_MS,
    `\`sourceFlows\` of the ${kind} flow to ${to} to be [${uplink}], whose RTP it gets`,
    async () => {
      const [flow] = await session.live(
        (each) => each.to === to && each.kind === kind && each.state !== "proposed",
      );
      seen = flow === undefined ? "no flow" : `[${flow.sourceFlows.join(", ")}]`;
      return (uplink !== undefined && seen === `[${uplink}]`) || undefined;
    },
    () => seen,
  );
}

const directionsOf = async (call: Call): Promise<readonly (readonly [string, string])[]> => [
  ["uplink of the publisher", await videoFlow(call.scene, call.publisher.id, "uplink")],
  ["downlink of the first player", await videoFlow(call.scene, call.first.id, "downlink")],
];

async function demandQuality(call: Call): Promise<void> {
  const { conversation } = call.scene;
  for (const [what, flow] of await directionsOf(call)) {
    await within(
      QUALITY_MS,
      `\`quality\` with an entry for the ${what} (${flow})`,
      () =>
        conversation
          .saidOf("quality")
          .some(({ message }) => message.flows.some((each) => each.flow === flow)) || undefined,
      () => `${conversation.saidOf("quality").length} reports without it`,
      call.openedMs,
    );
  }
}

export const RECORD_STEPS: readonly Step[] = [
  {
    checks: ["transport"],
    play: async (call) => {
      await call.stage.verdicts.judge("transport", () => demandTransports(call));
    },
  },
  {
    checks: ["sources"],
    play: async (call) => {
      await call.stage.verdicts.judge("sources", async () => {
        for (const { id } of [call.first, call.second]) {
          await demandSources(call, id, "video");
          await demandSources(call, id, "audio");
        }
      });
    },
  },
  {
    checks: ["labels", "native-sources"],
    play: async (call) => {
      const { verdicts } = call.stage;
      await verdicts.judge("labels", () => demandLabels(call.scene.conversation, call.native.id));
      await verdicts.judge("native-sources", async () => {
        await demandSources(call, call.native.id, "video");
        await demandSources(call, call.native.id, "audio");
      });
    },
  },
  {
    checks: ["first-keyframe"],
    play: async (call) => {
      await call.stage.verdicts.judge("first-keyframe", () => {
        for (const { id, connection } of [call.first, call.second, call.native]) {
          const begin = connection.arrivals.find(({ kind }) => kind === "video");
          const isKeyframe = begin === undefined || begin.keyframe;
          demand(isKeyframe, `expected the first picture at ${id} to be a key frame; it was none`);
        }
      });
    },
  },
];

/** Judged when there has been time for it. */
export const QUALITY_STEP: Step = {
  checks: ["quality"],
  play: async (call) => {
    await call.stage.verdicts.judge("quality", () => demandQuality(call));
  },
};

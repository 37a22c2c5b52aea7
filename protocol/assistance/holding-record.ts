import type { Rates } from "./assisted.ts";
import { sameBody } from "./bodies.ts";
import type { Held, Holding, Wish } from "./holding.ts";
import type { AssistanceState, FlowAssistance } from "./record.ts";

export interface Besides {
  /** What a request would still need to know, when that is why there is no wish. */
  readonly lacks?: string;
  /** The record before: what has not changed keeps its time. */
  readonly before?: FlowAssistance | undefined;
}

const MOST_REASON_LETTERS = 128;

/** What a holding means for the flows that it is for. */
export function recordOf(
  holding: Holding,
  wish: Wish | undefined,
  at: number,
  { lacks, before }: Besides = {},
): FlowAssistance {
  const { network, api, held, failures } = holding;
  const { state, reason } = stateOf(holding, wish, lacks);
  const asked = wish?.asked ?? held?.asked;
  const isShown = held !== undefined && wish !== undefined;
  const granted = isShown ? grantedOf(held, wish) : undefined;
  const advised = isShown ? advisedOf(held, wish) : undefined;
  const isSame = before?.state === state && before.network === network;
  return {
    network,
    api,
    state,
    since: isSame ? before.since : at,
    ...(asked && { asked }),
    ...(granted && { granted }),
    ...(advised && state !== "ended" && { advised }),
    ...(reason !== undefined && { reason: reason.slice(0, MOST_REASON_LETTERS) }),
    ...(failures > 0 && { failures }),
  };
}

interface Shown {
  readonly state: AssistanceState;
  readonly reason: string | undefined;
}

function stateOf(holding: Holding, wish: Wish | undefined, lacks: string | undefined): Shown {
  const { held, refusal, ending, lost } = holding;
  const failing = holding.reason;
  if (!wish) {
    if (lacks !== undefined) return { state: "waiting", reason: lacks };
    if (holding.isGivenUp) return { state: "ended", reason: "given-up" };
    return { state: "ended", reason: lost > 0 ? "may-be-left-behind" : failing };
  }
  if (held) {
    const isRefused = refusal && sameBody(refusal.body, wish.body);
    const reason = held.status.reason ?? (isRefused ? refusal.reason : failing);
    return { state: held.status.state, reason };
  }
  if (refusal && sameBody(refusal.body, wish.body)) {
    return { state: "refused", reason: refusal.reason };
  }
  if (ending !== undefined) return { state: "ended", reason: ending };
  return { state: "requested", reason: failing };
}

/**
 * What the network recommends of what is wished for now: an answer to an older or doubtful request says nothing of this
 * one. As much as was asked for is no news, and 0 for a direction that was not asked for no limit.
 */
function advisedOf({ status, body, asked, isDoubtful }: Held, wish: Wish): Rates | undefined {
  if (!status.advised || isDoubtful || !sameBody(body, wish.body)) return undefined;
  const { uplinkBps, downlinkBps } = status.advised;
  const uplink = lessOf(uplinkBps, asked?.uplinkBps);
  const downlink = lessOf(downlinkBps, asked?.downlinkBps);
  if (uplink === undefined && downlink === undefined) return undefined;
  return {
    ...(uplink !== undefined && { uplinkBps: uplink }),
    ...(downlink !== undefined && { downlinkBps: downlink }),
  };
}

function lessOf(advised: number | undefined, asked: number | undefined): number | undefined {
  if (advised === undefined) return undefined;
  if (asked === undefined) return advised > 0 ? advised : undefined;
  return advised < asked ? advised : undefined;
}

/** Rates are known of what was asked for; an alternative has its name only. */
function grantedOf({ status, ...held }: Held, wish: Wish): FlowAssistance["granted"] {
  // Rates may be others where that makes no other request.
  const isAsWished = held.body !== undefined && sameBody(held.body, wish.body);
  const asked = isAsWished ? wish.asked : held.asked;
  const { state, profile, until } = status;
  if (state === "granted") {
    const isAsked = profile === undefined || profile === asked?.profile;
    return {
      ...(isAsked ? asked : {}),
      ...(profile !== undefined && { profile }),
      ...(until !== undefined && { until }),
    };
  }
  return state === "impaired" && profile !== undefined ? { profile } : undefined;
}

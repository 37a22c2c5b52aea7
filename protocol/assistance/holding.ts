import type { ImpairedFlow } from "./impaired-flows.ts";
import type { FlowReport, NetworkBody, NetworkStatus } from "./network.ts";
import type { AssistanceApi } from "./record.ts";

/**
 * One resource in one mobile network, from the first wish for it to the last trace of it. A holding is plain JSON and
 * is to be stored after every function that gives a new one: nothing else has to be remembered between two acts.
 *
 *     const woken = lapsed(stored(), now, random);  // when dueOf(holding, wish) says, or something has changed
 *     const act = nextAct(woken, wish, now);
 *     store(begun(woken, act, now));                // before the call, so that a crash is known
 *     const answer = await call(port, act);         // port.create(act.body, notifyOf(key, act.generation)), …
 *     store(afterAct(stored(), act, answer, later, random));
 *
 * A holding may be forgotten once it `isSettled` and nothing is wished for.
 */

/** What is wanted now. There is none when nothing is wanted any more, or when something that it needs is not known. */
export interface Wish {
  readonly key: string;
  readonly network: string;
  readonly body: NetworkBody;
  readonly asked?: Asked;
  /** What one request lasts, where the API wants to know. */
  readonly durationSeconds?: number;
}

export interface Asked {
  readonly uplinkBps?: number;
  readonly downlinkBps?: number;
  readonly profile?: string;
}

/** A call of the network that is to be made. `serial` tells two of the same kind apart. */
export type Act = {
  readonly serial: number;
  /**
   * Of the create that it belongs to. The notify address has to be the same whenever it is made anew for the key and
   * this number; one that is the same for all numbers of a key finds more of what may be left.
   */
  readonly generation: number;
  /** Nothing is wanted any more: given up when it fails for too long. */
  readonly isLast?: true;
  /** All that is held is as it is wanted: there is nothing to be done but to look. */
  readonly isCalm?: true;
} & ActCall;

export type ActCall =
  | { readonly type: "create"; readonly body: NetworkBody; readonly asked?: Asked }
  | {
      readonly type: "change";
      readonly id: string;
      readonly body: NetworkBody;
      readonly asked?: Asked;
    }
  | { readonly type: "find"; readonly body: NetworkBody }
  | { readonly type: "extend"; readonly id: string; readonly seconds: number }
  | { readonly type: "read"; readonly id: string }
  | { readonly type: "remove"; readonly id: string };

/** The resource that the network has. */
export interface Held {
  readonly id: string;
  readonly generation: number;
  /** As the network has it, as far as it has said. */
  readonly body: NetworkBody;
  readonly asked?: Asked | undefined;
  /** A change of it has no answer: whether it has `body` is not known. */
  readonly isDoubtful?: true | undefined;
  /** That change may still be under way in the network: it is made once more then. */
  readonly againAt?: number | undefined;
  /** A removal of it has no answer: it may be gone, or go yet, and is removed whatever is wanted now. */
  readonly isLeaving?: true | undefined;
  /** When it was created or changed last. */
  readonly changedAt: number;
  /** As last told. */
  readonly status: NetworkStatus;
  /** Of which flows it cannot be held, where that is known. */
  readonly impaired?: readonly ImpairedFlow[] | undefined;
  /** When the network told it by itself, and when it says that it happened. */
  readonly toldAt?: number | undefined;
  readonly happenedAt?: number | undefined;
  /** When it was granted first. */
  readonly grantedAt?: number | undefined;
  readonly readAt: number;
  /** Since when it could not be read. */
  readonly missedAt?: number | undefined;
  readonly extendAt?: number | undefined;
  /** Reads in a row that told nothing new. */
  readonly polls: number;
}

/** A resource that nobody wants. */
export interface Stray {
  readonly id: string;
  readonly generation: number;
  readonly body: NetworkBody;
  /** The network has denied it: it is removed once more then, and nothing waits for that. */
  readonly againAt?: number | undefined;
}

/** A create of which nobody knows what it left behind. */
export interface Doubt {
  readonly generation: number;
  readonly body: NetworkBody;
  readonly asked?: Asked | undefined;
  /** It may have an effect until then: a search that starts later settles it. */
  readonly until: number;
  readonly lookAt: number;
  /** Looked for at least once: a create need not wait for it any more. */
  readonly isLooked: boolean;
  /** Searches that were refused. */
  readonly refusals?: number | undefined;
}

/** Why nothing is asked for now. */
export interface Refusal {
  /** Another body may be asked for. */
  readonly body: NetworkBody;
  readonly reason: string;
  /** How many in a row. */
  readonly count: number;
  readonly until: number;
}

export interface Underway {
  readonly act: Act;
  readonly at: number;
  /** Then it has no answer. */
  readonly until: number;
}

/** What the network tells by itself. */
export interface Told {
  /** That its token or notify address was made with; absent where one address serves all creates of the key. */
  readonly generation?: number | undefined;
  readonly id?: string | undefined;
  /** Of the resource. */
  readonly status: NetworkStatus;
  /** What that is made of, where it does not say the same of all flows. */
  readonly reports?: readonly FlowReport[] | undefined;
  /** Milliseconds since 1970, by the network's clock. */
  readonly happenedAt?: number | undefined;
}

export interface Holding {
  readonly key: string;
  readonly network: string;
  readonly api: AssistanceApi;
  /** Creates that were begun. */
  readonly generation: number;
  /** Acts that were begun. */
  readonly serial: number;
  readonly underway?: Underway | undefined;
  /** Told before the answer that names the resource. */
  readonly early?: Told | undefined;
  readonly held?: Held | undefined;
  readonly doubts: readonly Doubt[];
  readonly strays: readonly Stray[];
  /** Creates whose answer was lost and that cannot be looked for: what they made, if anything, cannot be removed. */
  readonly lost: number;
  /** What the network said is not there, and how often: it may list it all the same. */
  readonly denied?: { readonly id: string; readonly count: number } | undefined;
  readonly refusal?: Refusal | undefined;
  /** Resources in a row that the network ended early, when the next may be asked for, and why the last one ended. */
  readonly endings: number;
  readonly anewAt?: number | undefined;
  readonly ending?: string | undefined;
  /** When something was asked for last. */
  readonly askedAt: number;
  /** Calls in a row that failed, what they were, and why the last one did. */
  readonly failures: number;
  readonly failing?: Act["type"] | undefined;
  readonly reason?: string | undefined;
  /** Nothing is called before that. */
  readonly quietUntil?: number | undefined;
  /** When clearing up began to fail. */
  readonly leavingSince?: number | undefined;
  /** What is left is left: the network did not answer for `HOLDING.giveUpMs`. */
  readonly isGivenUp?: true | undefined;
}

/** Milliseconds, if not said otherwise. */
export const HOLDING = {
  /** An act that has no answer by then has none: longer than an adapter takes. */
  answerMs: 30_000,
  /** A request may have its effect so long after it was begun. */
  lateMs: 60_000,
  /** Between failures: doubled each time, with jitter. */
  firstPauseMs: 1_000,
  longestPauseMs: 600_000,
  /** A network may ask for no longer pause. */
  longestToldPauseMs: 3_600_000,
  /** After a refusal of the same body. */
  firstRefusalMs: 60_000,
  /** After the first refusal of a create: what is in the way is often gone soon. */
  firstDenialMs: 15_000,
  longestRefusalMs: 3_600_000,
  /** A search that is refused is tried as often. */
  mostRefusals: 8,
  /** What is denied as often is believed to be gone, whatever lists say; the last time only when it was so for `lateMs`. */
  mostDenials: 3,
  /** After a resource that the network ended early. */
  firstEndingMs: 5_000,
  longestEndingMs: 600_000,
  /** A resource that held for so long did not end early. */
  steadyMs: 60_000,
  /** Between two changes: of addresses, of anything else, of anything else where it has to be deleted for it. */
  urgentPauseMs: 1_000,
  changePauseMs: 5_000,
  replacePauseMs: 30_000,
  /** Before a resource ends, when it lasts for two minutes or more. */
  extendBeforeMs: 60_000,
  /** Reads of what has not been granted: doubled each time up to the pause of the API. */
  firstPollMs: 5_000,
  /**
   * A recommendation that could not be read again for so long is none any more: it was for a while only (TS 26.510). One
   * read that is missed, with the pause after it, is no reason.
   */
  adviceMs: 90_000,
  /** After this time of clearing up in vain what is left is left to the network. */
  giveUpMs: 86_400_000,
} as const;

/**
 * What the APIs can do. TS 26.510 has no list, and tells by MQTT only: recommendations are polled. Lists of the others
 * are searched by notify address. Resources of CAMARA cannot be changed, and end by themselves.
 */
export const API_TRAITS = {
  "camara-qod": { hasList: true, isChangeable: false, isTimed: true, checkMs: 300_000 },
  nef: { hasList: true, isChangeable: true, isTimed: false, checkMs: 300_000 },
  "rtc-af": { hasList: false, isChangeable: true, isTimed: false, checkMs: 10_000 },
} as const;

/** A holding of nothing yet. */
export function emptyHolding(key: string, network: string, api: AssistanceApi): Holding {
  return {
    key,
    network,
    api,
    generation: 0,
    serial: 0,
    doubts: [],
    strays: [],
    lost: 0,
    endings: 0,
    askedAt: 0,
    failures: 0,
  };
}

/** Nothing is left in the network that could be removed. */
export function isSettled(holding: Holding): boolean {
  if (holding.isGivenUp) return true;
  const { underway, held, doubts, strays } = holding;
  return !underway && !held && doubts.length === 0 && strays.length === 0;
}

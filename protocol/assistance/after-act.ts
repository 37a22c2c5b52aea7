import { found } from "./after-find.ts";
import { adopt, denied, dropped, lookedFor, withNotice, withStatus } from "./held.ts";
import {
  type Act,
  API_TRAITS,
  type Doubt,
  type Held,
  HOLDING,
  type Holding,
  type Told,
} from "./holding.ts";
import type { FoundAnswer, NetworkBody } from "./network.ts";

/**
 * What an answer makes of a holding; `random` from 0 to below 1 spreads the pauses after failures. An answer that comes
 * after its act was given up says no more than which resource it made.
 */
export function afterAct(
  holding: Holding,
  act: Act,
  answer: FoundAnswer,
  at: number,
  random: number,
): Holding {
  const { underway } = holding;
  if (underway?.act.serial !== act.serial) return late(holding, act, answer, at);
  const counted = withOutcome({ ...holding, underway: undefined }, act, answer, { at, random });
  const when = { begunAt: underway.at, at };
  switch (act.type) {
    case "create":
      return created(counted, act, answer, when);
    case "find":
      return found(counted, act, answer, when);
    case "remove":
      return removed(counted, act, answer, when);
    default:
      return counted.held ? kept(counted, counted.held, act, answer, when) : counted;
  }
}

interface When {
  readonly begunAt: number;
  readonly at: number;
}

type ActOf<Type extends Act["type"]> = Extract<Act, { readonly type: Type }>;

function kept(
  holding: Holding,
  held: Held,
  act: ActOf<"change" | "extend" | "read">,
  answer: FoundAnswer,
  when: When,
): Holding {
  if (answer.type === "gone") return dropped(holding, held, when.at);
  if (act.type === "read") return readBack(holding, heard(held, answer, when.at), answer, when);
  if (answer.type === "later") return holding;
  switch (act.type) {
    case "change":
      return changed(holding, held, act, answer, when);
    default:
      return extended(holding, held, answer, when);
  }
}

/** Since when it could not be read is remembered. */
const heard = (held: Held, { type }: FoundAnswer, at: number): Held => ({
  ...held,
  missedAt: type === "done" ? undefined : (held.missedAt ?? at),
});

/** Answers that are not dealt with elsewhere. */
type Rest = Exclude<FoundAnswer, { readonly type: "gone" | "later" }>;

function late(holding: Holding, act: Act, answer: FoundAnswer, at: number): Holding {
  if (act.type !== "create" || answer.type !== "done" || answer.id === undefined) return holding;
  const known = adopt(holding, answer.id, act, at);
  return { ...known, isGivenUp: undefined };
}

/** Counts failures, and keeps quiet after those that say that the network is not well. */
function withOutcome(
  holding: Holding,
  { type, isLast, isCalm }: Act,
  answer: FoundAnswer,
  { at, random }: { readonly at: number; readonly random: number },
): Holding {
  if (answer.type === "done" || answer.type === "gone") {
    const { failing } = holding;
    // Whatever failed is not to be done any more; an extension waits for its time.
    const isLeft = isCalm !== undefined && failing !== "extend";
    const isOver = failing === undefined || failing === type || type === "create" || isLeft;
    return isOver
      ? { ...holding, failures: 0, failing: undefined, reason: undefined, quietUntil: undefined }
      : holding;
  }
  const failures = holding.failures + 1;
  const grown = HOLDING.firstPauseMs * 2 ** Math.min(failures - 1, 20);
  const pause = Math.min(grown, HOLDING.longestPauseMs) * (0.5 + random / 2);
  const told = answer.type === "later" ? (answer.afterMs ?? 0) : 0;
  const quietMs = Math.max(pause, Math.min(told, HOLDING.longestToldPauseMs));
  const isOfNetwork = answer.type === "later" || answer.type === "unknown";
  const isQuiet = isOfNetwork || type === "remove";
  const leavingSince = isLast ? (holding.leavingSince ?? at) : undefined;
  const isGivenUp = leavingSince !== undefined && at - leavingSince >= HOLDING.giveUpMs;
  return {
    ...holding,
    failures,
    failing: type,
    reason: answer.reason,
    quietUntil: isQuiet ? at + quietMs : undefined,
    leavingSince,
    ...(isGivenUp ? { isGivenUp } : {}),
  };
}

function created(
  holding: Holding,
  act: ActOf<"create">,
  answer: FoundAnswer,
  { begunAt, at }: When,
): Holding {
  const { early } = holding;
  const rest = { ...holding, early: undefined };
  if (answer.type === "done" && answer.id !== undefined) {
    const { id, status = { state: "requested" } } = answer;
    const known = adopt(rest, id, act, at);
    const { held } = known;
    // Another one may have been found meanwhile: this one goes then.
    if (held?.id !== id) return known;
    const answered = withStatus(known, held, status, at, "creation");
    return early && (early.id ?? id) === id ? withNotice(answered, early, at) : answered;
  }
  const until = begunAt + HOLDING.lateMs;
  // The network has told of it: it is there, whatever a gateway says.
  if (early?.id !== undefined) return doubted(rest, act, early, { at, until });
  switch (answer.type) {
    case "later":
      return rest;
    case "refused":
      return refused(rest, act.body, answer, at);
    case "gone":
      return refused(rest, act.body, { reason: "not-found" }, at);
    case "conflict":
      // What is in the way may be what an earlier request left behind.
      return lookedFor(refused(rest, act.body, answer, at), act, at);
    default:
      return doubted(rest, act, early, { at, until });
  }
}

/** Looked for before anything else is done, where the API has a list; what was told of it is known at once. */
function doubted(
  holding: Holding,
  { generation, body, asked }: Pick<Doubt, "generation" | "body" | "asked">,
  early: Told | undefined,
  { at, until }: { readonly at: number; readonly until: number },
): Holding {
  const isKnown = early?.id !== undefined;
  const { hasList } = API_TRAITS[holding.api];
  const doubt = { generation, body, asked, until, lookAt: isKnown ? until : at, isLooked: isKnown };
  const next: Holding = hasList
    ? { ...holding, doubts: [...holding.doubts, doubt] }
    : { ...holding, lost: holding.lost + (isKnown ? 0 : 1) };
  return early?.id === undefined ? next : withNotice(adopt(next, early.id, doubt, at), early, at);
}

function refused(
  holding: Holding,
  body: NetworkBody,
  { reason, afterMs = 0 }: { readonly reason: string; readonly afterMs?: number },
  at: number,
): Holding {
  const count = (holding.refusal?.count ?? 0) + 1;
  const grown = HOLDING.firstDenialMs * 2 ** Math.min(count - 1, 20);
  const pause = Math.min(grown, HOLDING.longestRefusalMs);
  const until = at + Math.max(pause, Math.min(afterMs, HOLDING.longestToldPauseMs));
  return { ...holding, refusal: { body, reason, count, until } };
}

function changed(
  holding: Holding,
  held: Held,
  { body, asked }: ActOf<"change">,
  answer: Rest,
  { begunAt, at }: When,
): Holding {
  switch (answer.type) {
    case "done": {
      const againAt = begunAt >= (held.againAt ?? 0) ? undefined : held.againAt;
      // What was recommended was about the old body: the new one is asked after soon.
      const { advised, ...status } = held.status;
      const soon = Math.min(held.readAt, at + HOLDING.firstPollMs);
      const read = advised ? { status, readAt: soon } : {};
      const next = { ...held, body, asked, isDoubtful: undefined, againAt, changedAt: at, ...read };
      const known = { ...holding, held: next, refusal: undefined };
      return answer.status ? withStatus(known, next, answer.status, at, "answer") : known;
    }
    case "unknown": {
      const againAt = begunAt + HOLDING.lateMs;
      return { ...holding, held: { ...held, isDoubtful: true, againAt } };
    }
    default:
      return refused(holding, body, answer, at);
  }
}

function extended(holding: Holding, held: Held, answer: Rest, { at }: When): Holding {
  switch (answer.type) {
    case "done": {
      const { status } = answer;
      if (status) return withStatus(holding, held, status, at, "extension");
      return { ...holding, held: { ...held, readAt: at, extendAt: undefined } };
    }
    case "refused":
      // It is created anew when it is over.
      return { ...holding, held: { ...held, extendAt: undefined } };
    default: {
      const extendAt = at + HOLDING.firstPollMs * 2 ** Math.min(holding.failures, 6);
      return { ...holding, held: { ...held, readAt: at, extendAt } };
    }
  }
}

function readBack(
  holding: Holding,
  held: Held,
  answer: Rest | { readonly type: "later" },
  { begunAt, at }: When,
): Holding {
  const checkAt = at + API_TRAITS[holding.api].checkMs;
  if (answer.type === "unknown" || answer.type === "later") return { ...holding, held };
  if (answer.type !== "done") {
    const readAt = Math.max(checkAt, at + HOLDING.firstRefusalMs);
    return { ...holding, held: { ...held, readAt } };
  }
  if (held.toldAt !== undefined && held.toldAt >= begunAt) {
    return { ...holding, held: { ...held, readAt: at + HOLDING.firstPauseMs } };
  }
  if (answer.status) return withStatus(holding, held, answer.status, at, "answer");
  return { ...holding, held: { ...held, readAt: checkAt } };
}

function removed(
  holding: Holding,
  { id }: ActOf<"remove">,
  answer: FoundAnswer,
  { at }: When,
): Holding {
  const { held, strays } = holding;
  if (answer.type === "unknown" && held?.id === id && held.status.state !== "ended") {
    // Nothing is known of it any more but its name.
    return { ...holding, held: { ...held, isLeaving: true, status: { state: "requested" } } };
  }
  if (answer.type !== "done" && answer.type !== "gone") return holding;
  const gone = held?.id === id ? held : strays.find((stray) => stray.id === id);
  const rest: Holding = {
    ...holding,
    held: held?.id === id ? undefined : held,
    strays: strays.filter((stray) => stray.id !== id),
  };
  return answer.type === "gone" && gone ? denied(rest, gone, at) : rest;
}

import { adopt, denied, dropped, lookedFor, withNotice, withStatus } from "./held.ts";
import {
  type Act,
  API_TRAITS,
  type Doubt,
  HOLDING,
  type Holding,
  type Told,
  type Underway,
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
  return OUTCOMES[act.type](counted, underway, answer, at);
}

/** What stands behind an answer for each kind of act. */
type Outcome = (holding: Holding, underway: Underway, answer: FoundAnswer, at: number) => Holding;

const OUTCOMES: Readonly<Record<Act["type"], Outcome>> = {
  create: created,
  change: changed,
  find: found,
  extend: extended,
  read: readBack,
  remove: removed,
};

function late(holding: Holding, act: Act, answer: FoundAnswer, at: number): Holding {
  if (act.type !== "create" || answer.type !== "done" || answer.id === undefined) return holding;
  const known = adopt(holding, answer.id, act, at);
  return { ...known, isGivenUp: undefined };
}

/** Counts failures, and keeps quiet after those that say that the network is not well. */
function withOutcome(
  holding: Holding,
  { type, isLast }: Act,
  answer: FoundAnswer,
  { at, random }: { readonly at: number; readonly random: number },
): Holding {
  if (answer.type === "done" || answer.type === "gone") {
    const { failing } = holding;
    const isOver = failing === undefined || failing === type || type === "create";
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
  { act, at: begunAt }: Underway,
  answer: FoundAnswer,
  at: number,
): Holding {
  if (act.type !== "create") return holding;
  const { early } = holding;
  const rest = { ...holding, early: undefined };
  const id = answer.type === "done" ? answer.id : undefined;
  if (answer.type === "done" && id !== undefined) {
    const known = adopt(rest, id, act, at);
    const answered = withStatus(known, answer.status ?? { state: "requested" }, at, "answer");
    return early && (early.id ?? id) === id ? withNotice(answered, early, at) : answered;
  }
  switch (answer.type) {
    case "later":
      return rest;
    case "refused":
      return refused(rest, act.body, answer.reason, at);
    case "gone":
      return refused(rest, act.body, "not-found", at);
    case "conflict":
      // What is in the way may be what an earlier request left behind.
      return lookedFor(refused(rest, act.body, answer.reason, at), act, at);
    default:
      return doubted(rest, act, early, { at, until: begunAt + HOLDING.lateMs });
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

function refused(holding: Holding, body: NetworkBody, reason: string, at: number): Holding {
  const count = (holding.refusal?.count ?? 0) + 1;
  const grown = HOLDING.firstRefusalMs * 2 ** Math.min(count - 1, 20);
  const until = at + Math.min(grown, HOLDING.longestRefusalMs);
  return { ...holding, refusal: { body, reason, count, until } };
}

function changed(
  holding: Holding,
  { act, at: begunAt }: Underway,
  answer: FoundAnswer,
  at: number,
): Holding {
  const { held } = holding;
  if (act.type !== "change" || !held) return holding;
  const { body, asked } = act;
  switch (answer.type) {
    case "done": {
      const againAt = begunAt >= (held.againAt ?? 0) ? undefined : held.againAt;
      const next = { ...held, body, asked, isDoubtful: undefined, againAt, changedAt: at };
      const known = { ...holding, held: next, refusal: undefined };
      return answer.status ? withStatus(known, answer.status, at, "answer") : known;
    }
    case "gone":
      return dropped(holding, held, at);
    case "conflict":
    case "refused":
      return refused(holding, body, answer.reason, at);
    case "unknown": {
      const againAt = begunAt + HOLDING.lateMs;
      return { ...holding, held: { ...held, isDoubtful: true, againAt } };
    }
    default:
      return holding;
  }
}

function found(
  holding: Holding,
  { act, at: begunAt }: Underway,
  answer: FoundAnswer,
  at: number,
): Holding {
  const sought = holding.doubts.find(({ generation }) => generation === act.generation);
  if (!sought) return holding;
  const others = holding.doubts.filter((doubt) => doubt !== sought);
  if (answer.type === "refused") {
    const refusals = (sought.refusals ?? 0) + 1;
    if (refusals >= HOLDING.mostRefusals) {
      return { ...holding, doubts: others, lost: holding.lost + 1 };
    }
    // Whoever may not look must not wait to be allowed to.
    const lookAt = at + HOLDING.firstRefusalMs * 2 ** (refusals - 1);
    const next = { ...sought, isLooked: true, lookAt, refusals };
    return { ...holding, doubts: [...others, next] };
  }
  if (answer.type !== "done") {
    const lookAt = Math.max(holding.quietUntil ?? 0, at + HOLDING.firstPauseMs);
    return { ...holding, doubts: [...others, { ...sought, lookAt }] };
  }
  const isSettled = begunAt >= sought.until;
  const still = isSettled ? [] : [{ ...sought, isLooked: true, lookAt: sought.until }];
  const ids = answer.ids ?? [];
  const { denied: last } = holding;
  const isHidden = last !== undefined && last.count >= HOLDING.mostDenials && ids.includes(last.id);
  const known: Holding = {
    ...holding,
    doubts: [...others, ...still],
    lost: holding.lost + (isHidden ? 1 : 0),
  };
  const there = isHidden ? ids.filter((id) => id !== last.id) : ids;
  return there.reduce((each, id) => adopt(each, id, sought, at), known);
}

function extended(holding: Holding, _underway: Underway, answer: FoundAnswer, at: number): Holding {
  const { held } = holding;
  if (!held) return holding;
  switch (answer.type) {
    case "done": {
      const { status } = answer;
      if (status) return withStatus(holding, status, at, "extension");
      return { ...holding, held: { ...held, readAt: at, extendAt: undefined } };
    }
    case "gone":
      return dropped(holding, held, at);
    case "refused":
      // It is created anew when it is over.
      return { ...holding, held: { ...held, extendAt: undefined } };
    case "later":
      return holding;
    default: {
      const extendAt = at + HOLDING.firstPollMs * 2 ** Math.min(holding.failures, 6);
      return { ...holding, held: { ...held, readAt: at, extendAt } };
    }
  }
}

function readBack(
  holding: Holding,
  { at: begunAt }: Underway,
  answer: FoundAnswer,
  at: number,
): Holding {
  const { held } = holding;
  if (!held) return holding;
  const checkAt = at + API_TRAITS[holding.api].checkMs;
  switch (answer.type) {
    case "done": {
      const isOvertaken = (held.toldAt ?? 0) >= begunAt;
      if (isOvertaken) {
        return { ...holding, held: { ...held, readAt: at + HOLDING.firstPauseMs } };
      }
      if (answer.status) return withStatus(holding, answer.status, at, "answer");
      return { ...holding, held: { ...held, readAt: checkAt } };
    }
    case "gone":
      return dropped(holding, held, at);
    case "conflict":
    case "refused":
      return {
        ...holding,
        held: { ...held, readAt: Math.max(checkAt, at + HOLDING.firstRefusalMs) },
      };
    default:
      return holding;
  }
}

function removed(holding: Holding, { act }: Underway, answer: FoundAnswer, at: number): Holding {
  if (act.type !== "remove") return holding;
  if (answer.type !== "done" && answer.type !== "gone") return holding;
  const { held, strays } = holding;
  const gone = held?.id === act.id ? held : strays.find(({ id }) => id === act.id);
  const rest: Holding = {
    ...holding,
    held: held?.id === act.id ? undefined : held,
    strays: strays.filter(({ id }) => id !== act.id),
  };
  return answer.type === "gone" && gone ? denied(rest, gone, at) : rest;
}

import { adopt, cast } from "./held.ts";
import { type Act, type Doubt, HOLDING, type Holding } from "./holding.ts";
import type { FoundAnswer } from "./network.ts";

/** What an answer makes of what was looked for: of it, all that is there is held or to be removed. */
export function found(
  holding: Holding,
  { generation }: Act,
  answer: FoundAnswer,
  { begunAt, at }: { readonly begunAt: number; readonly at: number },
): Holding {
  const sought = holding.doubts.find((doubt) => doubt.generation === generation);
  if (!sought) return holding;
  const others = holding.doubts.filter((doubt) => doubt !== sought);
  if (answer.type === "unknown" || answer.type === "later") return holding;
  if (answer.type !== "done") {
    const refusals = (sought.refusals ?? 0) + 1;
    if (refusals >= HOLDING.mostRefusals) {
      return { ...holding, doubts: others, lost: holding.lost + 1 };
    }
    // Whoever may not look must not wait to be allowed to.
    const grown = HOLDING.firstRefusalMs * 2 ** (refusals - 1);
    const lookAt = at + Math.min(grown, HOLDING.longestPauseMs);
    const next = { ...sought, isLooked: true, lookAt, refusals };
    return { ...holding, doubts: [...others, next] };
  }
  const isSure = !answer.isListGone || sought.isLooked;
  const until = isSure ? sought.until : Math.max(sought.until, at + HOLDING.lateMs);
  const isSettled = begunAt >= until;
  const still = isSettled ? [] : [{ ...sought, until, isLooked: true, lookAt: until }];
  const ids = answer.ids ?? [];
  const { denied: last } = holding;
  const isHidden = last !== undefined && ids.includes(last.id) && isBelieved(last.count, sought);
  const known: Holding = {
    ...holding,
    doubts: [...others, ...still],
    lost: holding.lost + (isHidden ? 1 : 0),
  };
  const there = isHidden ? ids.filter((id) => id !== last.id) : ids;
  // What cannot be used can be removed, mostly.
  const isUseless = last !== undefined && last.count >= HOLDING.mostDenials - 1;
  return there.reduce(
    (each, id) =>
      isUseless && id === last.id ? cast(each, id, sought) : adopt(each, id, sought, at),
    known,
  );
}

/** That it is not there, although it is listed: at the last time it may have been so for a moment only. */
const isBelieved = (denials: number, { isLooked }: Doubt): boolean =>
  denials > HOLDING.mostDenials || (denials === HOLDING.mostDenials && !isLooked);

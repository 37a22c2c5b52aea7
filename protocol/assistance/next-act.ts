import { afterAct } from "./after-act.ts";
import { isChangeable, isElsewhere, sameBody } from "./bodies.ts";
import { staleAt, withoutStale } from "./held.ts";
import { type Act, type ActCall, type Held, HOLDING, type Holding, type Wish } from "./holding.ts";

/** What may be called, and from when on. */
interface Due {
  readonly at: number;
  readonly generation: number;
  readonly call: ActCall;
}

/** The call that is to be made now, if any; one at a time. */
export function nextAct(holding: Holding, wish: Wish | undefined, at: number): Act | undefined {
  const wanted = wishIn(holding, wish);
  const due = holding.underway ? undefined : nextDue(holding, wanted);
  if (!due || due.at > at) return undefined;
  const { generation, call } = due;
  const last = wanted ? {} : ({ isLast: true } as const);
  const calm = call.type === "read" && isCalm(holding, wanted) ? ({ isCalm: true } as const) : {};
  return { serial: holding.serial + 1, generation, ...last, ...calm, ...call };
}

/** Nothing is left to be changed, looked for or removed. */
const isCalm = (holding: Holding, wish: Wish | undefined): boolean =>
  duesOf(holding, wish).every(({ call }) => call.type === "read" || call.type === "extend");

/** When to look again, after `lapsed`: milliseconds since 1970; null when nothing is to be done. */
export function dueOf(holding: Holding, wish: Wish | undefined): number | null {
  const { underway } = holding;
  const act = underway ? underway.until : nextDue(holding, wishIn(holding, wish))?.at;
  const dues = [act, staleAt(holding)].filter((each) => each !== undefined);
  return dues.length > 0 ? Math.min(...dues) : null;
}

/** The act is about to be called: to be stored before it is. */
export function begun(holding: Holding, act: Act, at: number): Holding {
  const isAsking = act.type === "create" || act.type === "change";
  const until = at + HOLDING.answerMs;
  return {
    ...holding,
    serial: act.serial,
    underway: { act, at, until },
    ...(act.type === "create" ? { generation: act.generation, early: undefined } : {}),
    ...(isAsking ? { askedAt: at } : {}),
    ...(act.isLast ? {} : { leavingSince: undefined, isGivenUp: undefined }),
  };
}

/** Gives up an act that has had no answer in time, and what the network recommended long ago. */
export function lapsed(holding: Holding, at: number, random: number): Holding {
  const isOver = holding.underway && holding.underway.until <= at;
  return withoutStale(isOver ? interrupted(holding, at, random) : holding, at);
}

/** The act under way will never be answered: whoever called it is gone. */
export const interrupted = (holding: Holding, at: number, random: number): Holding =>
  holding.underway
    ? afterAct(holding, holding.underway.act, { type: "unknown", reason: "no-answer" }, at, random)
    : holding;

/** A wish for another network is none for this one. */
const wishIn = (holding: Holding, wish: Wish | undefined): Wish | undefined =>
  wish?.network === holding.network ? wish : undefined;

function nextDue(holding: Holding, wish: Wish | undefined): Due | undefined {
  if (holding.isGivenUp && !wish) return undefined;
  const earliest = holding.quietUntil ?? 0;
  const dues = duesOf(holding, wish).map((due) => ({ ...due, at: Math.max(due.at, earliest) }));
  // The first of those that are due at once.
  return dues.reduce<Due | undefined>(
    (best, due) => (best && best.at <= due.at ? best : due),
    undefined,
  );
}

const duesOf = (holding: Holding, wish: Wish | undefined): readonly Due[] => [
  ...cleaning(holding),
  ...(holding.held ? keeping(holding, holding.held, wish) : asking(holding, wish)),
];

/** What was left behind is looked for and removed before anything new is asked for. */
function cleaning({ doubts, strays }: Holding): Due[] {
  return [
    ...doubts.map(({ generation, body, lookAt }) => ({
      at: lookAt,
      generation,
      call: { type: "find", body } as const,
    })),
    ...strays.map(({ generation, id, againAt = 0 }) => ({
      at: againAt,
      generation,
      call: { type: "remove", id } as const,
    })),
  ];
}

function asking(holding: Holding, wish: Wish | undefined): Due[] {
  const { doubts, strays, generation } = holding;
  const isBlocked =
    strays.some(({ againAt }) => againAt === undefined) || doubts.some(({ isLooked }) => !isLooked);
  if (!wish || isBlocked) return [];
  const at = Math.max(holding.anewAt ?? 0, allowedAt(holding, wish));
  const call = { type: "create", ...wanting(wish) } as const;
  return [{ at, generation: generation + 1, call }];
}

function keeping(holding: Holding, held: Held, wish: Wish | undefined): Due[] {
  const { id, generation, status, isLeaving } = held;
  const due = (at: number, call: ActCall): Due => ({ at, generation, call });
  if (!wish || isLeaving || status.state === "ended") return [due(0, { type: "remove", id })];
  const { readAt, extendAt } = held;
  const seconds = wish.durationSeconds;
  const isExtended = extendAt !== undefined && seconds !== undefined && status.state === "granted";
  return [
    due(readAt, { type: "read", id }),
    ...changing(holding, held, wish),
    ...(isExtended ? [due(extendAt, { type: "extend", id, seconds })] : []),
  ];
}

function changing(holding: Holding, held: Held, wish: Wish): Due[] {
  const { id, generation, body, againAt, changedAt } = held;
  const isOther = held.isDoubtful || !sameBody(body, wish.body);
  const change = { type: "change", id, ...wanting(wish) } as const;
  if (!isOther) return againAt === undefined ? [] : [{ at: againAt, generation, call: change }];
  const isChange = isChangeable(holding.api, body, wish.body);
  const at = Math.max(allowedAt(holding, wish), changedAt + pauseMs(held, wish, isChange));
  return [{ at, generation, call: isChange ? change : { type: "remove", id } }];
}

/** Small changes wait for more of them; packets that nobody looks after do not. */
function pauseMs({ body, isDoubtful }: Held, wish: Wish, isChange: boolean): number {
  if (isDoubtful || isElsewhere(body, wish.body)) return HOLDING.urgentPauseMs;
  return isChange ? HOLDING.changePauseMs : HOLDING.replacePauseMs;
}

/** What was refused is not asked for again for long; something else soon, but not endlessly so. */
function allowedAt({ refusal, askedAt }: Holding, wish: Wish): number {
  if (!refusal) return 0;
  if (sameBody(refusal.body, wish.body)) return refusal.until;
  const pause = Math.min(HOLDING.changePauseMs * 2 ** (refusal.count - 1), HOLDING.firstRefusalMs);
  return askedAt + pause;
}

const wanting = ({ body, asked }: Wish) => (asked ? { body, asked } : { body });

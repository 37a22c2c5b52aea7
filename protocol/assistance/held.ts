import { isSame } from "../flows/same.ts";
import {
  API_TRAITS,
  type Doubt,
  type Held,
  HOLDING,
  type Holding,
  type Stray,
  type Told,
} from "./holding.ts";
import { impairedAfter } from "./impaired-flows.ts";
import type { NetworkStatus } from "./network.ts";

/** What becomes of the resource that is held. */

/** How the status came: by an answer to the create, to an extension or to another call, or by itself. */
export type Source = "creation" | "answer" | "extension" | "notice";

/** The network has it from now on, whatever it says of it; another one that was held is not wanted any more. */
export function adopt(
  holding: Holding,
  id: string,
  { generation, body, asked }: Pick<Doubt, "generation" | "body" | "asked">,
  at: number,
): Holding {
  const { held } = holding;
  if (held || isStray(holding, id)) return cast(holding, id, { generation, body });
  const status: NetworkStatus = { state: "requested" };
  return {
    ...holding,
    held: { id, generation, body, asked, changedAt: at, status, readAt: at, polls: 0 },
    ...FREE,
    ending: undefined,
  };
}

const isStray = ({ strays }: Holding, id: string): boolean =>
  strays.some((stray) => stray.id === id);

/** The network has it, and it is to be removed. */
export function cast(
  holding: Holding,
  id: string,
  { generation, body }: Pick<Doubt, "generation" | "body">,
): Holding {
  const isKnown = holding.held?.id === id || isStray(holding, id);
  return isKnown ? holding : { ...holding, strays: [...holding.strays, { id, generation, body }] };
}

/** Nothing stands in the way of asking. */
const FREE = {
  refusal: undefined,
  anewAt: undefined,
  failures: 0,
  failing: undefined,
  reason: undefined,
} as const;

/**
 * It is not there any more, as the network says. A gateway that knows no way to it at the moment says the same, of the list
 * as well: what is said then is verified when that is over.
 */
export function dropped(holding: Holding, held: Held, at: number): Holding {
  const early = held.status.state === "ended" ? holding : endedEarly(holding, held, "gone", at);
  const againAt = at + HOLDING.lateMs;
  const without: Holding = { ...early, held: undefined };
  if (API_TRAITS[holding.api].hasList) return denied(without, held, at, againAt);
  const { id, generation, body } = held;
  return { ...without, strays: [...without.strays, { id, generation, body, againAt }] };
}

/** A network that denies what it has would keep it for ever: it is looked for, where that can be done. */
export function denied(holding: Holding, gone: Stray, at: number, againAt = at): Holding {
  const { id } = gone;
  const count = (holding.denied?.id === id ? holding.denied.count : 0) + 1;
  return lookedFor({ ...holding, denied: { id, count } }, gone, at, againAt);
}

/** One search settles it, if nothing else is doubtful; one more at `againAt`, when that is later. */
export function lookedFor(
  holding: Holding,
  { generation, body, asked }: Pick<Doubt, "generation" | "body" | "asked">,
  at: number,
  againAt = at,
): Holding {
  const { api, doubts } = holding;
  if (!API_TRAITS[api].hasList) return holding;
  const known = doubts.find((doubt) => doubt.generation === generation);
  const until = Math.max(known?.until ?? at, againAt);
  const others = doubts.filter((doubt) => doubt !== known);
  const doubt: Doubt = { generation, body, asked, until, lookAt: at, isLooked: false };
  return { ...holding, doubts: [...others, doubt] };
}

/** The network says what it does for the resource. */
export function withStatus(
  holding: Holding,
  held: Held,
  status: NetworkStatus,
  at: number,
  source: Source,
): Holding {
  // What is over does not begin again.
  if (held.status.state === "ended") return holding;
  if (status.state === "ended") {
    const early = endedEarly(holding, held, status.reason ?? "ended", at);
    return { ...early, held: { ...held, status } };
  }
  const until = status.until ?? held.status.until;
  // What was granted, and is not, is no request any more.
  const isBack = status.state === "requested" && held.grantedAt !== undefined;
  const shown: NetworkStatus = isBack ? { ...status, state: "impaired" } : status;
  const next: NetworkStatus = until === undefined ? shown : { ...shown, until };
  const isNew = held.status.state !== next.state;
  // What is told of a new one, and what nobody asked for, is no look in vain.
  const isFirst = isNew || source === "creation" || source === "notice";
  const polls = isFirst ? 0 : held.polls + 1;
  const grantedAt = held.grantedAt ?? (status.state === "granted" ? at : undefined);
  const told: Held = { ...held, status: next, polls, grantedAt };
  return {
    ...holding,
    held: {
      ...told,
      readAt: readAtOf(holding, told, at, source),
      extendAt: extendAtOf(held, until, at, source),
    },
  };
}

/** When what is recommended is none any more, unless it is read again; undefined: that is not to be feared. */
export const staleAt = ({ held }: Holding): number | undefined =>
  held?.status.advised && held.missedAt !== undefined
    ? held.missedAt + HOLDING.adviceMs
    : undefined;

/** Without a recommendation that could not be read again for too long. */
export function withoutStale(holding: Holding, at: number): Holding {
  const { held } = holding;
  if (!held || (staleAt(holding) ?? at + 1) > at) return holding;
  const { advised: _, ...status } = held.status;
  return { ...holding, held: { ...held, status } };
}

/**
 * Notices and answers cross: the newest counts where the network says when it was, what is over stays over. What holds again
 * for some flows holds for the resource once it does for all.
 */
export function withNotice(holding: Holding, told: Told, at: number): Holding {
  const { held } = holding;
  const { happenedAt } = told;
  if (!held || (happenedAt ?? at) < (held.happenedAt ?? 0)) return holding;
  const impaired = impairedAfter(held, told);
  const isHeld = told.status.state === "granted";
  const status = (isHeld && impaired?.at(-1)?.status) || told.status;
  const isSameStatus = sameStatus(held.status, status) && happenedAt === held.happenedAt;
  const isOld = isSameStatus && isSame(impaired, held.impaired);
  if (isOld || held.status.state === "ended") return holding;
  const next = withStatus(holding, held, status, at, "notice");
  return { ...next, held: next.held && { ...next.held, impaired, toldAt: at, happenedAt } };
}

/** As far as notices have it. */
const sameStatus = (one: NetworkStatus, other: NetworkStatus): boolean =>
  one.state === other.state && one.reason === other.reason && one.profile === other.profile;

/** A network that ends at once what it grants is not asked again at once. */
function endedEarly(holding: Holding, held: Held, reason: string, at: number): Holding {
  const { grantedAt, status } = held;
  const isOver = status.until !== undefined && status.until <= at;
  const isSteady = grantedAt !== undefined && at - grantedAt >= HOLDING.steadyMs;
  if (isOver || isSteady) return { ...holding, endings: 0, anewAt: undefined, ending: reason };
  const pause = Math.min(HOLDING.firstEndingMs * 2 ** holding.endings, HOLDING.longestEndingMs);
  return { ...holding, endings: holding.endings + 1, anewAt: at + pause, ending: reason };
}

/** What is not granted yet is asked after soon, then ever more seldom; what is granted now and then. */
function readAtOf({ api }: Holding, { status, polls }: Held, at: number, source: Source): number {
  const { checkMs, isTimed } = API_TRAITS[api];
  if (status.state !== "granted") {
    return at + Math.min(HOLDING.firstPollMs * 2 ** polls, checkMs);
  }
  if (status.until === undefined) return isTimed && source === "notice" ? at : at + checkMs;
  // What should be over long ago, and is not, goes by another clock.
  const over = Math.max(status.until, at + Math.max(at - status.until - HOLDING.firstPollMs, 0));
  return Math.min(at + checkMs, over + HOLDING.firstPollMs);
}

/**
 * A minute before the end, or at half of what is left when that is less; again when the end has moved. Never at once: by a
 * clock that is behind ours it is over when it begins, and stays so.
 */
function extendAtOf(
  held: Held,
  until: number | undefined,
  at: number,
  source: Source,
): number | undefined {
  const known = held.status.until;
  const isLater = until !== undefined && (known === undefined || until > known);
  // An extension that moves nothing was the last: it is created anew when it is over.
  if (!isLater) return source === "extension" ? undefined : held.extendAt;
  const soonest = until > at ? HOLDING.firstPauseMs : HOLDING.extendBeforeMs;
  return Math.max(until - HOLDING.extendBeforeMs, at + Math.max((until - at) / 2, soonest));
}

import { adopt, lookedFor, withNotice } from "./held.ts";
import type { Doubt, Holding, Told } from "./holding.ts";

/**
 * What the network tells by itself. Duplicates, what is older than what is known, and what concerns resources of
 * earlier creates change nothing; a resource whose create had no answer is known from then on.
 */
export function notified(holding: Holding, told: Told, at: number): Holding {
  const { underway, held, doubts } = holding;
  const { generation, id } = told;
  const act = underway?.act;
  const isOf = (each: { readonly generation: number }): boolean =>
    generation === undefined || each.generation === generation;
  if (act?.type === "create" && isOf(act)) {
    const isOlder = (told.happenedAt ?? at) < (holding.early?.happenedAt ?? 0);
    return isOlder ? holding : { ...holding, early: told };
  }
  if (held && isOf(held) && (id ?? held.id) === held.id) {
    // That it ends is what was asked for.
    return act?.type === "remove" && act.id === held.id ? holding : withNotice(holding, told, at);
  }
  const doubt = doubts.find(isOf);
  if (doubt) return toldOfDoubt(holding, doubt, told, at);
  return isTwin(holding, told) && held ? lookedFor(holding, held, at) : holding;
}

function toldOfDoubt(holding: Holding, doubt: Doubt, told: Told, at: number): Holding {
  const { id, status } = told;
  if (id === undefined) return holding;
  // It may be what was found long ago, and removed: whether anything is left of it only a search can say.
  if (status.state === "ended") return lookedFor(holding, doubt, at);
  const known = adopt(holding, id, doubt, at);
  if (known.held?.id !== id) return known;
  const next = withNotice(known, told, at);
  // That may be long ago, too.
  return { ...next, held: next.held && { ...next.held, readAt: at } };
}

/** The request that made what is held has made something else: whatever is between the two may send a request twice. */
const isTwin = ({ held, strays }: Holding, { generation, id, status }: Told): boolean =>
  id !== undefined &&
  held?.generation === generation &&
  status.state !== "ended" &&
  !strays.some((stray) => stray.id === id);

/** The network was asked for a boost and gives it: what it recommends is to be read again. */
export const boosted = (holding: Holding, at: number): Holding =>
  holding.held ? { ...holding, held: { ...holding.held, readAt: at } } : holding;

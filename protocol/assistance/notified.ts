import { adopt, withNotice } from "./held.ts";
import type { Holding, Told } from "./holding.ts";

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
  if (!doubt || id === undefined) return holding;
  const known = adopt(holding, id, doubt, at);
  return known.held?.id === id ? withNotice(known, told, at) : known;
}

/** The network was asked for a boost and gives it: what it recommends is to be read again. */
export const boosted = (holding: Holding, at: number): Holding =>
  holding.held ? { ...holding, held: { ...holding.held, readAt: at } } : holding;

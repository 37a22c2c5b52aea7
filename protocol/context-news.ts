import type { StreamContext } from "./context-messages.ts";
import { areContextsMoved, contextsOf, mediaServersOf } from "./contexts.ts";
import { isSame } from "./flows/same.ts";
import type { ToPeer } from "./messages.ts";
import { type Effect, isConnected, type Session, type Step } from "./session.ts";

const NONE: ReadonlyMap<string, StreamContext> = new Map();

/**
 * What a turn means for the contexts of media servers, after all else that they are told of it (M7). One that is just
 * welcomed is told of all that there are.
 */
export function withContextNews(before: Session, step: Step): Step {
  const { session, effects } = step;
  if (!areContextsMoved(before, session)) return step;
  const welcomed = new Set(
    effects.flatMap((effect) =>
      effect.type === "send" && effect.message.type === "welcome" ? [effect.to] : [],
    ),
  );
  const news = mediaServersOf(session)
    .filter(isConnected)
    .flatMap(({ id }): readonly Effect[] => {
      const known = welcomed.has(id) ? NONE : contextsOf(before, id);
      const changes = changesOf(known, contextsOf(session, id), session);
      return changes.map((message) => ({ type: "send", to: id, message }));
    });
  return news.length === 0 ? step : { ...step, effects: [...effects, ...news] };
}

function changesOf(
  known: ReadonlyMap<string, StreamContext>,
  now: ReadonlyMap<string, StreamContext>,
  session: Session,
): readonly ToPeer[] {
  const closed = [...known.values()].flatMap((each): readonly ToPeer[] => {
    if (now.has(each.context)) return [];
    const { context, direction, peer } = each;
    const reason = reasonOf(session, each);
    return [{ type: "context", op: "close", context, direction, peer, reason }];
  });
  const told = [...now.values()].flatMap((each): readonly ToPeer[] => {
    const former = known.get(each.context);
    if (!former) return [{ type: "context", op: "open", ...each }];
    const isAsBefore = isSame({ ...each, revision: 0 }, { ...former, revision: 0 });
    return isAsBefore ? [] : [{ type: "context", op: "update", ...each }];
  });
  return [...closed, ...told];
}

/** Of its flow, if that has ended; else the downlink is not wanted any more. */
function reasonOf({ links }: Session, { flow }: StreamContext): string {
  const found = [...links.values()]
    .flatMap(({ flows }) => flows.flows)
    .find(({ id }) => id === flow);
  return found?.state === "ended" ? String(found.reason) : "unsubscribed";
}

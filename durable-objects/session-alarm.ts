import { LIMITS } from "../protocol/limits.ts";
import { newSession, type Session } from "../protocol/session.ts";
import { SessionRequest } from "../protocol/session-config.ts";
import { append, type Noted, newsSince, peerOf } from "../protocol/timeline/timeline.ts";
import { isWorthARow } from "./session-rows.ts";

/**
 * What the time of an alarm tells of a session, besides when it is to wake (decision 0023). An alarm that is set costs as
 * much as a row: what it tells needs no row of its own.
 */

const DEFAULTS = SessionRequest.parse({});

/** The first offer is likely to be open then: it needs no alarm of its own. */
export const firstAlarmOf = ({ createdAt }: Session): number => createdAt + LIMITS.offerExpiryMs;

/** True while the first alarm tells all there is: the session has no options of its own, and nobody has come yet. */
export const isToldByFirstAlarm = ({ config, quota }: Session): boolean =>
  quota === undefined && JSON.stringify(config) === JSON.stringify(DEFAULTS);

/** The session that has no row yet, by its first alarm. */
export const begunBy = (alarmAt: number, id: string): Session =>
  newSession(id, DEFAULTS, alarmAt - LIMITS.offerExpiryMs);

/** True when the alarm that is set tells all that the row lacks: nobody is connected any more, since when. */
export const isToldByAlarm = (row: Session, now: Session, alarmAt: number): boolean =>
  row.emptySince !== null &&
  now.emptySince !== null &&
  alarmAt === now.emptySince + now.config.emptyTtlSeconds * 1000 &&
  isToldByLeaves(row, now) &&
  !isWorthARow({ ...row, emptySince: now.emptySince }, now);

/** The session as its row and its alarm tell together since when nobody is connected. `at` is now. */
export function emptiedBy(row: Session, alarmAt: number, at: number): Session {
  const { emptySince, config } = row;
  const told = Math.min(alarmAt - config.emptyTtlSeconds * 1000, at);
  return emptySince !== null && told > emptySince ? { ...row, emptySince: told } : row;
}

/** True when nothing has happened since the row but that the last one left. */
function isToldByLeaves(row: Session, now: Session): boolean {
  const news = newsSince(row.timeline, now.timeline);
  return news.every(([, entry]) => entry.type === "peer-left" && entry.reason === "left");
}

/** The session with the leave of whoever was alone in it: their socket remembered them, and an alarm told the rest. */
export function withLeaves(session: Session): Session {
  const { emptySince, peers, timeline, createdAt } = session;
  if (emptySince === null || peers.size > 0) return session;
  const noted = [...timeline.rings].flatMap(([subject, ring]): Noted[] => {
    const peer = peerOf(subject);
    const last = ring.findLast(({ type }) => PRESENCE.has(type));
    if (peer === undefined || last?.type === "peer-left") return [];
    return [[subject, { type: "peer-left", peer, reason: "left" }]];
  });
  return { ...session, timeline: append(timeline, noted, emptySince - createdAt) };
}

const PRESENCE: ReadonlySet<string> = new Set([
  "peer-joined",
  "peer-resumed",
  "peer-lost",
  "peer-left",
]);

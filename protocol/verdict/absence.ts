import { isConnected } from "../session.ts";
import { caused, type Evidence, type Judgement, secondsOf, seen } from "./judgement.ts";
import { type Meeting, msSince } from "./meeting.ts";
import { judgeProblems } from "./refusals.ts";
import { type Entry, lossOf } from "./stay.ts";

/** Whose socket is lost; of a meeting that is over, who was away then and was not the one that left. */
function isAway({ session, departure }: Meeting, peer: string, lost: Lost): boolean {
  if (departure) return lost !== undefined && lost !== departure.lost;
  const known = session.peers.get(peer);
  return known !== undefined && !isConnected(known);
}

type Lost = Entry<"peer-lost"> | undefined;

/** Evidence that the socket of a peer is lost; undefined when it is not. */
export function absenceOf(meeting: Meeting, peer: string): Evidence | undefined {
  const lost = lossOf(meeting.entries, peer);
  if (!isAway(meeting, peer, lost)) return undefined;
  const says = `the socket of ${peer} was lost`;
  return lost ? seen(lost, says) : { says };
}

/** An end whose socket is lost: with its signalling its network is gone, as a rule. */
export function judgeAbsence(meeting: Meeting): Judgement | undefined {
  for (const peer of meeting.link.peers) {
    const evidence = absenceOf(meeting, peer);
    if (!evidence) continue;
    const lost = lossOf(meeting.entries, peer);
    const closed = lost && judgeProblems(meeting.all, lost);
    if (closed) return { ...closed, state: "degraded" };
    const seconds = secondsOf(lost ? msSince(meeting, lost) : awayMs(meeting, peer));
    return caused("degraded", "peer-lost", { peer, seconds }, [evidence]);
  }
  return undefined;
}

/** By how long it may still come back. */
function awayMs({ session, at }: Meeting, peer: string): number {
  const awayUntil = session.peers.get(peer)?.awayUntil as number;
  return at - awayUntil + session.config.resumeSeconds * 1000;
}

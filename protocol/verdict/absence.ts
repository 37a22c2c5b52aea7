import { isConnected } from "../session.ts";
import { caused, type Evidence, type Judgement, secondsOf, seen } from "./judgement.ts";
import { entriesOfType, type Meeting } from "./meeting.ts";

/** Evidence that the socket of a peer is lost; undefined when it is not. */
export function absenceOf({ session, entries }: Meeting, peer: string): Evidence | undefined {
  const known = session.peers.get(peer);
  if (!known || isConnected(known)) return undefined;
  const lost = entriesOfType(entries, "peer-lost").findLast((entry) => entry.peer === peer);
  const says = `the socket of ${peer} was lost`;
  return lost ? seen(lost, says) : { says };
}

/** An end whose socket is lost: with its signalling its network is gone, as a rule. */
export function judgeAbsence(meeting: Meeting): Judgement | undefined {
  const { session, link, at } = meeting;
  for (const peer of link.peers) {
    const evidence = absenceOf(meeting, peer);
    if (!evidence) continue;
    const awayUntil = session.peers.get(peer)?.awayUntil as number;
    const seconds = secondsOf(at - awayUntil + session.config.resumeSeconds * 1000);
    return caused("degraded", "peer-lost", { peer, seconds }, [evidence]);
  }
  return undefined;
}

import type { Cause } from "./causes.ts";
import { candidateEvidence, type End, errorEvidence, reportEvidence } from "./ends.ts";
import { caused, type Evidence, type Judgement } from "./judgement.ts";
import type { Meeting } from "./meeting.ts";
import { judgeRefusal } from "./refusals.ts";

/** Why ICE found no path, by what the two ends had to offer each other. */

const NOT_REACHED = 701;

type Ends = readonly [End, End];
type State = Judgement["state"];

/** What leaves no pair of candidates to try, the most likely cause first; undefined where there were pairs. */
export function judgeIce(meeting: Meeting, ends: Ends, state: State): Judgement | undefined {
  const evidence = pathEvidence(ends);
  return (
    serverFailed(lackingRelay(meeting, ends), state, evidence) ??
    relayMissing(meeting, ends, state, evidence) ??
    nothingSent(ends, state, evidence)
  );
}

export const pathEvidence = (ends: Ends): readonly Evidence[] => [
  ...ends.flatMap(errorEvidence),
  ...ends.map(candidateEvidence),
  ...ends.flatMap(reportEvidence),
];

const isTurn = (url: string | undefined): boolean => /^turns?:/i.test(url ?? "turn:");

/** Ends that miss a relay: each for itself where relays are all that is allowed; one for both otherwise. */
function lackingRelay({ session }: Meeting, ends: Ends): readonly End[] {
  const lacking = ends.filter(({ candidates }) => candidates.relay === 0);
  const isEach = session.config.iceTransportPolicy === "relay";
  return isEach || lacking.length === ends.length ? lacking : [];
}

/** An ICE server failed an end that has nothing else that leads to the other one. */
function serverFailed(
  ends: readonly End[],
  state: State,
  evidence: readonly Evidence[],
): Judgement | undefined {
  const all = ends.flatMap((end) => end.iceErrors.map((error) => ({ ...error, end })));
  const refused = all.find(({ code, url }) => code !== NOT_REACHED && isTurn(url));
  if (refused) {
    const { end, code } = refused;
    return caused(state, "turn-refused", { peer: end.peer, code }, evidence);
  }
  const unknown = all.find(
    ({ lookup, url, end }) => lookup && (isTurn(url) || end.candidates.srflx === 0),
  );
  if (unknown) return caused(state, "wrong-ice-server-url", { peer: unknown.end.peer }, evidence);
  const silent = all.find(({ url }) => isTurn(url));
  return silent && caused(state, "turn-unreachable", { peer: silent.end.peer }, evidence);
}

function relayMissing(
  { session }: Meeting,
  ends: Ends,
  state: State,
  evidence: readonly Evidence[],
): Judgement | undefined {
  if (session.config.iceTransportPolicy !== "relay") return undefined;
  const isServer = (peer: string): boolean => session.peers.get(peer)?.role === "media-server";
  const lacking = ends.filter(
    ({ peer, candidates: { relay, isKnown } }) => relay === 0 && isKnown && !isServer(peer),
  );
  if (lacking.length === 0) return undefined;
  return caused(state, "relay-required-but-none", { peer: both(lacking) }, evidence);
}

function nothingSent(
  ends: Ends,
  state: State,
  evidence: readonly Evidence[],
): Judgement | undefined {
  const silent = ends.filter(({ candidates: { total, isKnown } }) => total === 0 && isKnown);
  const refused = silent.find((end) => end.refused)?.refused;
  if (refused) return { ...judgeRefusal(refused), state };
  // One that can be reached by itself learns the address of the other (prflx, RFC 8445 s7.3.1.3).
  const isReached = ends.some(({ candidates }) => candidates.global > 0);
  return silent.length === 0 || (silent.length < ends.length && isReached)
    ? undefined
    : caused(state, "no-candidates", { peer: both(silent) }, evidence);
}

const both = (ends: readonly End[]): string => ends.map(({ peer }) => peer).join(" and ");

/** There were candidates on both sides, and none of their pairs worked. */
export function judgePairs(ends: Ends, state: State): Judgement {
  return caused(state, causeOfPairs(ends), {}, pathEvidence(ends));
}

function causeOfPairs(ends: Ends): Cause & ("no-path-private-only" | "no-relay" | "ice-failed") {
  const has = (type: "srflx" | "relay" | "prflx" | "global"): boolean =>
    ends.some(({ candidates }) => candidates[type] > 0);
  if (has("relay") || ends.some(({ candidates }) => !candidates.isKnown)) return "ice-failed";
  return has("srflx") || has("prflx") || has("global") ? "no-relay" : "no-path-private-only";
}

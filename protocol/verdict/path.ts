import type { TransportState } from "../transport.ts";
import { judgeAbsence } from "./absence.ts";
import { type Agreement, errorsIn } from "./agreement.ts";
import { type End, endsOf, hasBeginning, type Report, reportEvidence } from "./ends.ts";
import { judgeIce, judgePairs, pathEvidence } from "./ice.ts";
import { caused, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { hasRun, type Meeting } from "./meeting.ts";
import { judgeRestart, plainOffers, restartOf } from "./restart.ts";

/** Whether the path of what was agreed came about, and whether it is still there. */

/** Browsers try for about 15 s. */
const CONNECT_MS = 20_000;
/** A path that is disconnected mends by itself, or it does not. */
const MEND_MS = 30_000;

type Ends = readonly [End, End];

interface Path {
  readonly state: TransportState;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Who says so, where it is known. */
  readonly report: Report | undefined;
  readonly reason: string | undefined;
  readonly restartingSince: number | undefined;
}

/** Undefined where the path is there: then media is to be judged. */
export function judgePath(meeting: Meeting, agreement: Agreement): Judgement | undefined {
  const ends = endsOf(meeting);
  const path = pathOf(meeting, ends, agreement);
  if (path.state === "closed") return judgeAbsence(meeting) ?? closed(meeting, ends);
  const isTold = path.report !== undefined || path.state !== "new";
  if (path.state === "connected" || (!isTold && isMeasured(meeting))) return undefined;
  const dtls = isBroken(path) ? judgeDtls(meeting, ends, path) : undefined;
  // Whoever is away can hardly have finished anything.
  if (dtls) return judgeAbsence(meeting) ?? dtls;
  if (hasRun(meeting)) return broken(meeting, path, ends);
  return isBroken(path)
    ? (judgeAbsence(meeting) ?? unreached(meeting, ends, "failed"))
    : connecting(meeting, agreement, isTold, ends);
}

const isBroken = ({ state }: { readonly state: TransportState }): boolean =>
  state === "failed" || state === "disconnected";

/** Ends that measure media have a path, even where nobody reports it. */
const isMeasured = ({ flows }: Meeting): boolean =>
  flows.some(({ quality }) =>
    Object.values(quality ?? {}).some(({ bitrateBps = 0 }) => bitrateBps > 0),
  );

/** Worst first. */
const RANK: readonly TransportState[] = [
  "failed",
  "disconnected",
  "checking",
  "new",
  "connected",
  "closed",
];

const rankOf = ({ state }: { readonly state: TransportState }): number => RANK.indexOf(state);

function pathOf(meeting: Meeting, ends: Ends, { at }: Agreement): Path {
  const { transports, departure } = meeting;
  const reports = ends.flatMap(({ report }) => report ?? []);
  const newest = reports.toSorted((one, other) => other.n - one.n)[0];
  if (departure) return pastPath(meeting, newest, at);
  const [worst] = transports.toSorted((one, other) => rankOf(one) - rankOf(other));
  if (!worst) return { ...UNKNOWN, state: "closed", since: at };
  const { state, since, reason, restartingSince } = worst;
  const path = { state, since, reason, restartingSince, report: newest };
  return transports.length === 1 && state === "connected"
    ? doubted(meeting, path, reports, at)
    : path;
}

const UNKNOWN = { report: undefined, reason: undefined, restartingSince: undefined };

/** One end is connected and has said so last; the other one may have said, since the newest answer, that it is not. */
function doubted(
  { session }: Meeting,
  path: Path,
  reports: readonly Report[],
  agreedAt: number,
): Path {
  const other = reports.find(
    (report) => isBroken(report) && session.createdAt + report.at >= agreedAt,
  );
  if (!other) return path;
  const { state, reason } = other;
  return { ...path, state, reason, since: session.createdAt + other.at, report: other };
}

/** What the path was when a peer left. */
function pastPath(
  { session, flows, departure }: Meeting,
  newest: Report | undefined,
  at: number,
): Path {
  if (newest) {
    const { state, reason } = newest;
    const since = session.createdAt + newest.at;
    return { ...UNKNOWN, state, since, reason, report: newest };
  }
  // Of a socket's loss it is known what had been said until then.
  const failed = departure?.lost ? undefined : flows.find(({ reason }) => reason === "failed");
  if (failed) return { ...UNKNOWN, state: "failed", since: failed.since };
  const isRunning = flows.some(({ state }) => state === "active");
  return { ...UNKNOWN, state: isRunning ? "connected" : "new", since: at };
}

/** By an end, or because its last m-section was stopped. */
function closed({ link, flows }: Meeting, ends: Ends): Judgement {
  const reports = ends.flatMap(({ reports: own }) => own.filter(({ state }) => state === "closed"));
  const [first] = reports.toSorted((one, other) => one.n - other.n);
  if (!first && !flows.some(({ reason }) => reason === "closed")) {
    return plain("waiting", `${link.peers.join(" and ")} have taken all their media away.`);
  }
  const peer = first?.by ?? "One end";
  const evidence = first ? [seen(first, `${peer} reports closed`)] : [];
  return caused("over", "connection-closed", { peer }, evidence);
}

/** ICE is there, what comes after it failed. */
function judgeDtls(
  meeting: Meeting,
  ends: Ends,
  { reason }: Pick<Path, "reason">,
): Judgement | undefined {
  const failed =
    ends.find(({ report }) => report?.reason === "dtls-failed") ??
    ends.find((end, index) => hasFailedAlone(end, ends[index === 0 ? 1 : 0]));
  if (failed) return notFinished(meeting, ends, failed.peer);
  return reason === "dtls-failed"
    ? notFinished(meeting, ends, "one end")
    : judgeUnfinished(meeting, ends);
}

/** The same where it takes too long. */
function judgeUnfinished(meeting: Meeting, ends: Ends): Judgement | undefined {
  const waiting = ends.find(({ report }) => report?.ice === "connected");
  return waiting && notFinished(meeting, ends, waiting.peer);
}

const notFinished = (meeting: Meeting, ends: Ends, peer: string): Judgement =>
  caused("failed", "dtls-not-finished", { peer }, [
    ...ends.flatMap(reportEvidence),
    ...errorsIn(meeting),
  ]);

/** It was never connected, and the other end was: ICE has a path for both, or for none, unless it says otherwise. */
const hasFailedAlone = (end: End, other: End): boolean =>
  end.report?.state === "failed" &&
  end.report.reason !== "ice-failed" &&
  !end.reports.some(({ state }) => state === "connected") &&
  other.reports.some(({ state }) => state === "connected");

const unreached = (meeting: Meeting, ends: Ends, state: Judgement["state"]): Judgement =>
  judgeIce(meeting, ends, state) ?? judgePairs(ends, state);

function connecting(
  meeting: Meeting,
  agreement: Agreement,
  isTold: boolean,
  ends: Ends,
): Judgement {
  // Agreeing anew does not begin the search anew: the connection is the same.
  const since = Math.min(agreement.at, meeting.connectionAt || agreement.at);
  const waitMs = meeting.at - since;
  const seconds = secondsOf(waitMs);
  const [one, other] = meeting.link.peers;
  const evidence = [...agreement.evidence, ...pathEvidence(ends)];
  const failed = judgeFormer(meeting, ends, agreement);
  if (failed) return failed;
  if (waitMs < CONNECT_MS) {
    const says = `${one} and ${other} agreed ${seconds} s ago and look for a path.`;
    return plain("connecting", says, evidence);
  }
  const stuck = judgeAbsence(meeting) ?? judgeUnfinished(meeting, ends);
  if (stuck) return stuck;
  if (isTold) return unreached(meeting, ends, "failed");
  if (meeting.departure && !hasBeginning(meeting)) {
    const says = `${one} and ${other} had agreed; what came of it is not kept any more.`;
    return plain("connecting", says, evidence);
  }
  return (
    judgeIce(meeting, ends, "connecting") ??
    caused("connecting", "no-report", { seconds }, evidence)
  );
}

/** ICE was restarted after it had failed, and has found nothing yet: why it failed is as true as before. */
function judgeFormer(meeting: Meeting, ends: Ends, agreement: Agreement): Judgement | undefined {
  const [one, other] = [formerly(ends[0]), formerly(ends[1])];
  if (!one && !other) return undefined;
  const former: Ends = [one ?? ends[0], other ?? ends[1]];
  const judged =
    judgeAbsence(meeting) ??
    judgeDtls(meeting, former, { reason: undefined }) ??
    unreached(meeting, former, "failed");
  return { ...judged, evidence: [...judged.evidence, ...agreement.evidence] };
}

/** The end as it was when it said that it had failed; undefined if it never did. */
function formerly(end: End): End | undefined {
  const report = end.reports.findLast(({ state }) => state === "failed");
  return report && { ...end, report };
}

/** A path that was there broke. */
function broken(meeting: Meeting, path: Path, ends: Ends): Judgement {
  const { state, since, report, restartingSince } = path;
  const restarted = restartOf(meeting, since, restartingSince);
  if (restarted) return judgeRestart(meeting, restarted, ends);
  const evidence = [...ends.flatMap(reportEvidence), ...plainOffers(meeting, since)];
  const away = judgeAbsence(meeting);
  if (away) return away;
  const brokenMs = meeting.at - since;
  const isOver = state === "failed" || brokenMs > MEND_MS;
  const names = { seconds: secondsOf(brokenMs), peer: report?.by ?? "one end" };
  return caused(isOver ? "failed" : "degraded", "path-lost", names, evidence);
}

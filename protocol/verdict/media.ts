import { contextsOf } from "../contexts.ts";
import type { Flow } from "../flow.ts";
import { judgeAbsence } from "./absence.ts";
import { type Agreement, judgeMissingCodec } from "./agreement.ts";
import { caused, type Evidence, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { entriesOfType, type Meeting } from "./meeting.ts";

/** Media of a link whose path is there. */

/** The first report of a flow comes after about 5 s, and one may be late. */
const SETTLE_MS = 12_000;
/** One packet in a second is more. */
const SILENT_BPS = 300;
/** Loss that is heard and seen, in percent, and packets that make it a figure. */
const HEAVY_PERCENT = 10;
const ENOUGH_PACKETS = 200;
/** Whoever measures loss goes on telling of it. */
const RECENT_MS = 60_000;

export function judgeMedia(meeting: Meeting, agreement: Agreement): Judgement {
  return (
    judgeContexts(meeting) ??
    judgeSilence(meeting) ??
    judgeAbsence(meeting) ??
    judgeMissingCodec(agreement) ??
    judgeLoss(meeting) ??
    working(meeting)
  );
}

type Figures = NonNullable<Flow["quality"]>[string] | undefined;

const sentOf = ({ quality, from }: Flow): Figures => quality?.[from];
const receivedOf = ({ quality, to }: Flow): Figures => quality?.[to];
const isSilent = (figures: Figures): boolean => (figures?.bitrateBps ?? SILENT_BPS) < SILENT_BPS;

const figuresOf = (flow: Flow, peer: string, figures: Figures): Evidence => ({
  says:
    figures?.bitrateBps === undefined
      ? `${peer} tells no bit rate of this ${flow.kind}`
      : `${peer} measures ${figures.bitrateBps} bit/s of this ${flow.kind}`,
  flow: flow.id,
});

/** Media that should flow: active long enough to have been measured, and not paused on purpose. */
const runningMedia = ({ flows, at }: Meeting): readonly Flow[] =>
  flows.filter(
    ({ state, kind, since, forwarding }) =>
      state === "active" && kind !== "data" && forwarding !== false && at - since >= SETTLE_MS,
  );

function judgeSilence(meeting: Meeting): Judgement | undefined {
  const running = runningMedia(meeting);
  const stopped = running.find((flow) => isSilent(sentOf(flow)));
  if (stopped) {
    const { from: peer, kind, since } = stopped;
    return caused("degraded", "stopped-sending", { peer, kind }, [
      figuresOf(stopped, peer, sentOf(stopped)),
      { says: `active for ${secondsOf(meeting.at - since)} s, not held`, flow: stopped.id },
    ]);
  }
  const lost = running.find((flow) => isSilent(receivedOf(flow)));
  if (!lost) return undefined;
  const { from, to, kind } = lost;
  return caused("degraded", "nothing-arrives", { from, to, kind }, [
    figuresOf(lost, from, sentOf(lost)),
    figuresOf(lost, to, receivedOf(lost)),
    ...running
      .filter((flow) => flow.from === to && !isSilent(sentOf(flow)))
      .map((flow) => figuresOf(flow, to, sentOf(flow))),
  ]);
}

/** By what was lost between the last two reports of the receiver: counters are of the whole call. */
function judgeLoss(meeting: Meeting): Judgement | undefined {
  for (const flow of runningMedia(meeting)) {
    const { recentLoss } = receivedOf(flow) ?? {};
    if (!recentLoss || meeting.at - recentLoss.at > RECENT_MS) continue;
    const { lost, of: all } = recentLoss;
    const percent = Math.round((lost * 100) / all);
    if (all < ENOUGH_PACKETS || percent < HEAVY_PERCENT) continue;
    const { from, to, kind } = flow;
    return caused("degraded", "heavy-loss", { percent, from, to, kind }, [
      { says: `${to} lost ${lost} of the last ${all} packets`, flow: flow.id },
    ]);
  }
  return undefined;
}

/** What a media server does not do for the other end. */
function judgeContexts(meeting: Meeting): Judgement | undefined {
  const { link, session, entries, flows, begunAt } = meeting;
  const refused = Object.entries(link.contextResults ?? {}).find(
    ([context, { outcome, at }]) =>
      outcome === "refused" && at >= begunAt && isOpen(meeting, context),
  );
  if (!refused) return undefined;
  const [context, { cause, detail = "a context was refused", at }] = refused;
  const told = entriesOfType(entries, "context").findLast((entry) => entry.context === context);
  const evidence = told ? seen(told, detail) : { says: detail, at: at - session.createdAt };
  const isRunning = flows.some(({ state }) => state === "active");
  const names = { reason: cause ?? detail };
  return caused(isRunning ? "degraded" : "failed", "context-refused", names, [evidence]);
}

/** What was asked is asked still; of a meeting that is over, as far as its own flows tell. */
function isOpen({ session, link, flows, departure }: Meeting, context: string): boolean {
  if (departure) {
    const isOwn = context.startsWith(`${link.id}:`);
    return !isOwn || flows.some(({ id, state }) => id === context && state !== "ended");
  }
  return link.peers.some((peer) => contextsOf(session, peer).has(context));
}

/** Nothing is wrong. */
function working({ link, flows, entries }: Meeting): Judgement {
  const active = flows.filter(({ state }) => state === "active");
  const held = flows.filter(({ state }) => state === "held");
  const connected = entriesOfType(entries, "transport").findLast(
    ({ state }) => state === "connected",
  );
  const evidence = connected ? [seen(connected, `${connected.by} reports connected`)] : [];
  const who = link.peers.join(" and ");
  const names = active.map(({ kind, from }) => `${kind} of ${from}`);
  if (names.length > 0) {
    return plain("working", `${who} are connected: ${listed(names)}.`, evidence);
  }
  const why = held.length > 0 ? "all their media is held" : "no media is sent";
  return plain("working", `${who} are connected; ${why}.`, evidence);
}

const LISTED = 4;

const listed = (names: readonly string[]): string =>
  names.length > LISTED
    ? `${names.slice(0, LISTED).join(", ")} and ${names.length - LISTED} more`
    : names.join(", ");

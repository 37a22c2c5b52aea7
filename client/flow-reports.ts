import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { PeerView, QualityReport } from "../protocol/message-parts.ts";
import { Bitrates } from "./bitrates.ts";
import { Experiences } from "./experience.ts";
import { type LossWatch, toldOf, watched } from "./loss-watch.ts";
import type { SignallingPort } from "./requests.ts";
import { type RtpStat, type RtpStats, rtpStatsOf, statsOfFlow } from "./rtp-stats.ts";

const INTERVAL_MS = 5000;
/** The server takes this many flows in one message; the others are told at the next look. */
const MOST_FLOWS = 256;
/** Loss that goes on is told again after this time: the server believes what is no older than a minute. */
const LOSS_MS = 20_000;
/** A data channel that says a few words now and then is at rest. */
const REST_BPS = 1000;

/** How often statistics are looked at, and what is told of them; false: not at all. */
export type FlowReportOptions = false | { readonly intervalMs?: number };

/** What reports need of the session. */
export interface FlowReportsHost {
  readonly self: PeerView;
  readonly port: SignallingPort;
  flows(): readonly FlowSummary[];
}

/** Two significant digits: the third is noise. */
const round = (value: number | undefined): number | undefined =>
  value && Number(value.toPrecision(2));

const inMs = (seconds: number | undefined): number | undefined => round(seconds && seconds * 1000);

/** The SSRCs in use, repair with what it repairs, in a steady order. */
function sourcesOf(stats: readonly RtpStat[]): NonNullable<QualityReport["sources"]> {
  return stats
    .filter(({ packetsSent, packetsReceived }) => (packetsSent ?? packetsReceived ?? 0) > 0)
    .flatMap(({ ssrc, rtxSsrc, fecSsrc, rid }) =>
      ssrc === undefined ? [] : [{ ssrc, rtx: rtxSsrc, fec: fecSsrc, rid }],
    )
    .sort((one, other) => one.ssrc - other.ssrc);
}

/** What is told of a flow that runs at `bps`. */
function reportOf(stats: RtpStats, flow: FlowSummary, sent: boolean, bps: number): QualityReport {
  const own = statsOfFlow(stats, flow, sent);
  const bitrateBps = round(Math.round(bps));
  if (flow.kind === "data") return { flow: flow.id, bitrateBps };
  // Of simulcast the largest picture that is being sent.
  const [main] = [...own].sort((one, other) => (other.frameHeight ?? 0) - (one.frameHeight ?? 0));
  const reports = [...stats.values()].filter(({ type }) => type === "remote-inbound-rtp");
  const remote = reports.find(({ localId }) => own.some(({ id }) => id === localId));
  const sources = sourcesOf(own);
  return {
    flow: flow.id,
    bitrateBps,
    jitterMs: sent ? undefined : inMs(main?.jitter),
    roundTripMs: sent ? inMs(remote?.roundTripTime) : undefined,
    framesPerSecond: round(main?.framesPerSecond),
    width: main?.frameWidth,
    height: main?.frameHeight,
    pt: stats.get(main?.codecId ?? "")?.payloadType,
    limitation: main?.qualityLimitationReason,
    sources: sources.length > 0 ? sources : undefined,
  };
}

/** By more than a part of what it was, and by more than noise. */
const moved = (part: number, least: number, from = 0, to = 0): boolean =>
  Math.abs(to - from) > Math.max(least, from * part);

const EXACT = ["width", "height", "pt", "limitation"] as const;
/** What went wrong by a little more than was told, is told after this time. */
const QOE_MS = 60_000;
/** Loss is watched by itself. */
const EVENTS = ["corruptions", "jitters", "syncLosses"] as const;
const SPELLS = ["corruptionMs", "jitterMs", "syncLossMs"] as const;

/** What is experienced for the first time is news, then what adds up, and what goes on for a minute. Averages alone are none. */
function isExperience(told: QualityReport["qoe"], now: QualityReport["qoe"]): boolean {
  if (!told || !now) return told !== now;
  const isLate = now.measuredMs - told.measuredMs > QOE_MS;
  return (
    EVENTS.some((member) => moved(isLate ? 0 : 0.5, 0, told[member], now[member])) ||
    (isLate && SPELLS.some((member) => told[member] !== now[member]))
  );
}

/** True when there is news since `told`; packet counters alone are none. */
function isNews(told: QualityReport, now: QualityReport): boolean {
  const rests = ({ bitrateBps = 0 }: QualityReport) => bitrateBps < REST_BPS;
  return (
    rests(told) !== rests(now) ||
    moved(0.25, 10_000, told.bitrateBps, now.bitrateBps) ||
    moved(0.5, 5, told.framesPerSecond, now.framesPerSecond) ||
    moved(0.5, 50, told.roundTripMs, now.roundTripMs) ||
    moved(0.5, 30, told.jitterMs, now.jitterMs) ||
    // The first loss is news, then loss that adds up.
    moved(0.5, told.packetsLost ? 100 : 0, told.packetsLost, now.packetsLost) ||
    EXACT.some((member) => told[member] !== now[member]) ||
    isExperience(told.qoe, now.qoe) ||
    JSON.stringify(told.sources) !== JSON.stringify(now.sources)
  );
}

/**
 * Tells the server what this side measures of a link's flows: looks every few seconds while the link is
 * connected, and says what has changed in substance, in round figures.
 */
export class FlowReports {
  readonly #connection: RTCPeerConnection;
  readonly #host: FlowReportsHost;
  readonly #peer: string;
  readonly #intervalMs: number;
  readonly #bitrates = new Bitrates();
  readonly #experiences = new Experiences();
  #told = new Map<string, QualityReport>();
  #losses = new Map<string, LossWatch>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    connection: RTCPeerConnection,
    host: FlowReportsHost,
    peer: string,
    { intervalMs = INTERVAL_MS }: Exclude<FlowReportOptions, false>,
  ) {
    this.#connection = connection;
    this.#host = host;
    this.#peer = peer;
    this.#intervalMs = Math.max(1000, intervalMs);
  }

  stateIs(state: RTCPeerConnectionState): void {
    if (state !== "connected") this.stop();
    else if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#look(), this.#intervalMs);
      this.#look();
    }
  }

  /** After a reconnect: what was told last may not have arrived. */
  repeat(): void {
    this.#told.clear();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#experiences.rest();
  }

  get #lossLooks(): number {
    return Math.max(1, Math.ceil(LOSS_MS / this.#intervalMs));
  }

  #look(): void {
    this.#report().catch(reportError);
  }

  async #report(): Promise<void> {
    const { self, port } = this.#host;
    const peer = this.#peer;
    const stats = await rtpStatsOf(this.#connection);
    // Stopped in between.
    if (this.#timer === undefined) return;
    const flows = this.#host
      .flows()
      .filter(({ from, to, state }) => (from === peer || to === peer) && isAgreed(state));
    const rates = this.#bitrates.measure(stats, self.id, flows);
    const experiences = this.#experiences.measure(stats, self.id, flows);
    const told = new Map<string, QualityReport>();
    const losses = new Map<string, LossWatch>();
    const news: QualityReport[] = [];
    for (const flow of flows) {
      const bps = rates.get(flow.id);
      if (bps === undefined) continue;
      const before = this.#told.get(flow.id);
      const report = {
        ...reportOf(stats, flow, flow.from === self.id, bps),
        ...experiences.get(flow.id),
      };
      const loss = watched(report, this.#lossLooks, this.#losses.get(flow.id));
      const isTold = before !== undefined && loss.due === 0 && !isNews(before, report);
      const isSent = !isTold && port.connected && news.length < MOST_FLOWS;
      if (isSent) news.push(report);
      const latest = isSent ? report : before;
      if (latest !== undefined) told.set(flow.id, latest);
      losses.set(flow.id, isSent ? toldOf(loss) : loss);
    }
    this.#told = told;
    this.#losses = losses;
    if (news.length > 0) port.send({ type: "quality", to: peer, flows: news });
  }
}

const isAgreed = (state: FlowSummary["state"]): boolean =>
  state !== "ended" && state !== "proposed";

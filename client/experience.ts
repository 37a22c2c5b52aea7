import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { QualityReport } from "../protocol/message-parts.ts";
import { type RtpStat, type RtpStats, statsOfFlow } from "./rtp-stats.ts";

type Qoe = NonNullable<QualityReport["qoe"]>;

type Counter = {
  [Name in keyof RtpStat]-?: [number] extends [RtpStat[Name]] ? Name : never;
}[keyof RtpStat];

/**
 * Playback that strays by more than this from what went before is jitter; picture and sound that stray by more from each
 * other have lost their synchrony: the default thresholds of TS 26.113 clause 15.2.
 */
const STRAY_MS = 100;
/** What the server takes, 49 days. */
const MOST_MS = 0xffff_ffff;
/** RFC 4796. */
const SLIDES = "slides";

/** Something that is there, or is not, from one look to the next. */
class Spells {
  count = 0;
  ms = 0;
  #goesOn = false;

  take(is: boolean, ms: number): void {
    if (is && !this.#goesOn) this.count++;
    if (is) this.ms += ms;
    this.#goesOn = is;
  }
}

/** Entries about one flow at two looks: of simulcast there are several. */
class Looks {
  readonly #now: readonly RtpStat[];
  readonly #before: readonly RtpStat[];

  constructor(now: readonly RtpStat[], before: readonly RtpStat[]) {
    this.#now = now;
    this.#before = before;
  }

  has(name: Counter): boolean {
    return this.#now.some((stat) => stat[name] !== undefined);
  }

  total(name: Counter, stats = this.#now): number {
    return stats.reduce((sum, stat) => sum + (stat[name] ?? 0), 0);
  }

  /** Between the looks. A counter that fell belongs to another stream. */
  grown(name: Counter): number {
    return Math.max(0, this.total(name) - this.total(name, this.#before));
  }

  /** Between the looks, of the layer that grew most: all show the same frames. */
  grownMost(name: Counter): number {
    const was = new Map(this.#before.map((stat) => [stat.id, stat[name] ?? 0]));
    return Math.max(0, ...this.#now.map((stat) => (stat[name] ?? 0) - (was.get(stat.id) ?? 0)));
  }

  get ms(): number {
    return (this.#now[0]?.timestamp ?? 0) - (this.#before[0]?.timestamp ?? 0);
  }
}

/** What this side has experienced of one flow. */
class Experience {
  #stats: readonly RtpStat[] = [];
  #runs = false;
  #ms = 0;
  #bytes = 0;
  #frames = 0;
  #corruptions = 0;
  #corruptMs = 0;
  #losses = 0;
  #delayMs: number | undefined;
  readonly #jitter = new Spells();
  #desync: Spells | undefined;

  /** Of the time up to the next look, only what went wrong counts. */
  rest(): void {
    this.#runs = false;
    this.#delayMs = undefined;
  }

  /** `heard`: what is played of the sound of a picture. Undefined until media came between two looks. */
  look(
    stats: readonly RtpStat[],
    { kind, content }: FlowSummary,
    sent: boolean,
    heard?: number,
  ): Qoe | undefined {
    const looks = new Looks(stats, this.#stats);
    const bytes = sent
      ? looks.grown("bytesSent") - looks.grown("retransmittedBytesSent")
      : looks.grown("bytesReceived") - looks.grown("retransmittedBytesReceived");
    this.#suffer(looks);
    // A flow that rests is not experienced.
    if (this.#runs && bytes > 0 && looks.ms > 0) {
      this.#ms += looks.ms;
      this.#bytes += bytes;
      this.#frames += looks.grownMost(sent ? "framesEncoded" : "framesDecoded");
      this.#play(looks, content === SLIDES);
      // Of what is sent, nothing is played here.
      const seen = kind === "video" ? playedOf(stats) : undefined;
      if (seen !== undefined && heard !== undefined) {
        this.#desync ??= new Spells();
        this.#desync.take(Math.abs(seen - heard) > STRAY_MS, looks.ms);
      }
    }
    this.#stats = stats;
    this.#runs = true;
    return this.#ms > 0
      ? { ...this.#average(looks), ...(!sent && this.#suffered(looks)) }
      : undefined;
  }

  /** What went wrong is counted from the beginning of the stream. */
  #suffer(looks: Looks): void {
    const unheard = looks.grown("concealedSamples") - looks.grown("silentConcealedSamples");
    if (unheard > 0) {
      const seconds = looks.total("totalSamplesDuration") / looks.total("totalSamplesReceived");
      this.#corruptions += looks.grown("concealmentEvents");
      this.#corruptMs += unheard * seconds * 1000;
    }
    this.#corruptions += looks.grown("freezeCount");
    this.#corruptMs += looks.grown("totalFreezesDuration") * 1000;
    if (looks.grown("packetsLost") > 0) this.#losses++;
  }

  /**
   * The delay that the buffer gives to media, and the times between frames, are all that is told of the clock of playback.
   * Slides have a frame when something changes: times between theirs say nothing.
   */
  #play(looks: Looks, isSlides: boolean): void {
    const played = looks.grown("jitterBufferEmittedCount");
    const delayMs = played > 0 ? (looks.grown("jitterBufferDelay") * 1000) / played : undefined;
    const drift = Math.abs((delayMs ?? 0) - (this.#delayMs ?? delayMs ?? 0));
    const shown = looks.grown("framesRendered") || looks.grown("framesDecoded") || 1;
    const mean = looks.grown("totalInterFrameDelay") / shown;
    const spread = looks.grown("totalSquaredInterFrameDelay") / shown - mean ** 2;
    const isStray = drift > STRAY_MS || (!isSlides && spread > (STRAY_MS / 1000) ** 2);
    this.#jitter.take(isStray, looks.ms);
    this.#delayMs = delayMs;
  }

  #average(looks: Looks): Qoe {
    const isPicture = looks.has("framesDecoded") || looks.has("framesEncoded");
    return {
      measuredMs: Math.min(MOST_MS, Math.round(this.#ms)),
      codecBps: Math.round((this.#bytes * 8000) / this.#ms),
      framesPerSecond: isPicture ? Math.round((this.#frames * 10_000) / this.#ms) / 10 : undefined,
    };
  }

  #suffered(looks: Looks): Omit<Qoe, "measuredMs"> {
    const isWatched = looks.has("freezeCount") || looks.has("concealmentEvents");
    const [delay, played] =
      looks.has("framesDecoded") && looks.has("totalProcessingDelay")
        ? (["totalProcessingDelay", "framesDecoded"] as const)
        : (["jitterBufferDelay", "jitterBufferEmittedCount"] as const);
    const internalMs = (looks.total(delay) * 1000) / looks.total(played);
    return {
      corruptions: isWatched ? this.#corruptions : undefined,
      corruptionMs: Math.round(this.#corruptMs) || undefined,
      losses: this.#losses,
      jitters: looks.has("jitterBufferDelay") ? this.#jitter.count : undefined,
      jitterMs: Math.round(this.#jitter.ms) || undefined,
      syncLosses: this.#desync?.count,
      syncLossMs: Math.round(this.#desync?.ms ?? 0) || undefined,
      internalMs: internalMs >= 0 ? Math.round(internalMs) : undefined,
    };
  }
}

/**
 * What is played of a link's one sound, if there is one picture that it belongs to. With more of either, and with what a media
 * server carries on, which may be of two senders, nobody says here what belongs together; slides are not spoken to the moment.
 */
function heardOf(stats: RtpStats, self: string, flows: readonly FlowSummary[]): number | undefined {
  const received = flows.filter(
    ({ kind, state, from }) => kind !== "data" && state === "active" && from !== self,
  );
  const sound = received.find(({ kind }) => kind === "audio");
  const isPair = received.length === 2 && received.some(({ kind }) => kind === "video");
  const isApart = received.some((flow) => flow.content === SLIDES || flow.sourceFlows?.length);
  return sound && isPair && !isApart ? playedOf(statsOfFlow(stats, sound, false)) : undefined;
}

const playedOf = (stats: readonly RtpStat[]): number | undefined =>
  stats.at(-1)?.estimatedPlayoutTimestamp;

/** Quality of experience of a link's flows, look by look at its statistics (TS 26.113 clause 15). */
export class Experiences {
  readonly #flows = new Map<string, Experience>();

  /** By flow id; what has not been measured yet is not in it. `self` is the peer whose connection this is. */
  measure(stats: RtpStats, self: string, flows: readonly FlowSummary[]): Map<string, Qoe> {
    const told = new Map<string, Qoe>();
    const heard = heardOf(stats, self, flows);
    for (const flow of flows) {
      const sent = flow.from === self;
      const own = statsOfFlow(stats, flow, sent);
      if (flow.kind === "data" || own.length === 0) continue;
      const experience = this.#flows.get(flow.id) ?? new Experience();
      this.#flows.set(flow.id, experience);
      const qoe = experience.look(own, flow, sent, heard);
      if (qoe) told.set(flow.id, qoe);
    }
    for (const id of this.#flows.keys()) {
      if (!flows.some((flow) => flow.id === id)) this.#flows.delete(id);
    }
    return told;
  }

  /** Nothing is looked at for a while. */
  rest(): void {
    for (const experience of this.#flows.values()) experience.rest();
  }
}

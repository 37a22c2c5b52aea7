import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { QualityReport } from "../protocol/message-parts.ts";
import { bytesOf } from "./bitrates.ts";
import { type RtpStat, type RtpStats, statsOfFlow } from "./rtp-stats.ts";

type Qoe = NonNullable<QualityReport["qoe"]>;
type Told = Pick<QualityReport, "packets" | "packetsLost" | "qoe">;

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
    if (is) {
      if (!this.#goesOn) this.count++;
      this.ms += ms;
    }
    this.#goesOn = is;
  }
}

/** Entries about one flow at two looks: of simulcast there are several. */
class Looks {
  /** Each with what it was: nothing where it is new, or counts anew, as Firefox does when a stream is negotiated again. */
  readonly #pairs: (readonly [now: RtpStat, was: RtpStat | undefined])[];
  /** Between the looks; 0 where nothing was there at both. */
  ms = 0;

  constructor(now: readonly RtpStat[], before: readonly RtpStat[], sent: boolean) {
    this.#pairs = now.map((stat) => {
      const was = before.find(
        (each) => each.id === stat.id && bytesOf(each, sent) <= bytesOf(stat, sent),
      );
      if (was) this.ms = stat.timestamp - was.timestamp;
      return [stat, was];
    });
  }

  has(name: Counter): boolean {
    return this.#pairs.some(([now]) => now[name] !== undefined);
  }

  #changes(name: Counter): number[] {
    return this.#pairs.map(([now, was]) => (now[name] ?? 0) - (was?.[name] ?? 0));
  }

  changed(name: Counter): number {
    return this.#changes(name).reduce((sum, each) => sum + each, 0);
  }

  /** Between the looks. */
  grown(name: Counter): number {
    return Math.max(0, this.changed(name));
  }

  /** Between the looks, of the layer that grew most: all show the same frames. */
  grownMost(name: Counter): number {
    return Math.max(0, ...this.#changes(name));
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
  /** Samples made up whose duration is not known yet. */
  #unheard = 0;
  #losses = 0;
  #packets = 0;
  #lost = 0;
  #delay = 0;
  #played = 0;
  /** NaN where nobody knows: nothing strays from that. */
  #delayMs = NaN;
  readonly #jitter = new Spells();
  #desync: Spells | undefined;

  /** Of the time up to the next look, only what went wrong counts. */
  rest(): void {
    this.#runs = false;
    this.#delayMs = NaN;
  }

  /** `heard`: what is played of the sound of a picture. No `qoe` until media came between two looks. */
  look(
    stats: readonly RtpStat[],
    { kind, content }: FlowSummary,
    sent: boolean,
    heard?: number,
  ): Told {
    const looks = new Looks(stats, this.#stats, sent);
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
    } else {
      // What went on before time that is not measured is over, whatever comes after.
      this.#jitter.take(false, 0);
      this.#desync?.take(false, 0);
    }
    this.#stats = stats;
    this.#runs = true;
    const qoe = this.#ms > 0 && { ...this.#average(looks), ...(!sent && this.#suffered(looks)) };
    return {
      packets: this.#packets,
      packetsLost: sent ? undefined : this.#lost,
      qoe: qoe || undefined,
    };
  }

  /** What went wrong is counted from the beginning of the flow. */
  #suffer(looks: Looks): void {
    const unheard = looks.grown("concealedSamples") - looks.grown("silentConcealedSamples");
    if (unheard > 0) this.#corruptions += looks.grown("concealmentEvents");
    this.#unheard += unheard;
    // Between two looks: Chromium counts their duration a little before it counts samples.
    const samples = looks.grown("totalSamplesReceived");
    if (looks.ms && samples) {
      this.#corruptMs += (this.#unheard * looks.grown("totalSamplesDuration") * 1000) / samples;
      this.#unheard = 0;
    }
    this.#corruptions += looks.grown("freezeCount");
    this.#corruptMs += looks.grown("totalFreezesDuration") * 1000;
    // Of one stream there is one of them.
    this.#packets += looks.grown("packetsSent") + looks.grown("packetsReceived");
    // What comes late is not lost after all.
    const lost = looks.changed("packetsLost");
    if (lost > 0) this.#losses++;
    this.#lost += lost;
    const isTimed = looks.has("framesDecoded") && looks.has("totalProcessingDelay");
    this.#delay += looks.grown(isTimed ? "totalProcessingDelay" : "jitterBufferDelay");
    this.#played += looks.grown(isTimed ? "framesDecoded" : "jitterBufferEmittedCount");
  }

  /**
   * The delay that the buffer gives to media, and the times between frames, are all that is told of the clock of playback.
   * Slides have a frame when something changes: times between theirs say nothing.
   */
  #play(looks: Looks, isSlides: boolean): void {
    const played = looks.grown("jitterBufferEmittedCount");
    const delayMs = played ? (looks.grown("jitterBufferDelay") * 1000) / played : NaN;
    const drift = Math.abs(delayMs - this.#delayMs);
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
    return {
      corruptions: isWatched ? this.#corruptions : undefined,
      corruptionMs: Math.round(this.#corruptMs) || undefined,
      losses: this.#losses,
      jitters: looks.has("jitterBufferDelay") ? this.#jitter.count : undefined,
      jitterMs: Math.round(this.#jitter.ms) || undefined,
      syncLosses: this.#desync?.count,
      syncLossMs: Math.round(this.#desync?.ms ?? 0) || undefined,
      internalMs: this.#played ? Math.round((this.#delay * 1000) / this.#played) : undefined,
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
  #flows = new Map<string, Experience>();

  /** By flow id. `self` is the peer whose connection this is. */
  measure(stats: RtpStats, self: string, flows: readonly FlowSummary[]): Map<string, Told> {
    const told = new Map<string, Told>();
    const known = new Map<string, Experience>();
    const heard = heardOf(stats, self, flows);
    for (const flow of flows) {
      const sent = flow.from === self;
      if (flow.kind === "data") continue;
      const experience = this.#flows.get(flow.id) ?? new Experience();
      known.set(flow.id, experience);
      told.set(flow.id, experience.look(statsOfFlow(stats, flow, sent), flow, sent, heard));
    }
    // Those that are gone are forgotten.
    this.#flows = known;
    return told;
  }

  /** Nothing is looked at for a while. */
  rest(): void {
    for (const experience of this.#flows.values()) experience.rest();
  }
}

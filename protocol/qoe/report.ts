import type { Flow } from "../flow.ts";
import type { MeasuredQuality } from "../flow-quality.ts";
import { isLive } from "../flows/commit.ts";
import { element, textElement } from "./xml.ts";

/**
 * QoE metrics as XML: ReceptionReport of TS 26.247 clause 10.6.2 with the metrics of TS 26.113 clause 15.3 in it. The
 * schemas are followed, and not the example of clause 15.3.3, which is not well-formed and names attributes in another way.
 */

/** Of `application/3gprtc-qoe-report+xml` documents, as `scheme` of a metrics reporting configuration names it. */
export const QOE_SCHEME = "urn:3GPP:ns:RTC:QM1";
export const QOE_TYPE = "application/3gprtc-qoe-report+xml";

const REPORT = "urn:3gpp:metadata:2017:HSD:receptionreport";
const METRICS = "urn:3gpp:metadata:2023:RTC:QoEMetrics";
const VERSIONS = "urn:3gpp:metadata:2016:PSS:schemaVersion";
/** Ours: of which flow a report is. The schema lets attributes of others stand there, and readers pass over them. */
const OURS = "urn:duplex:qoe";

/** The version of the schema: its members up to here come in this order, a delimiter after those of each version. */
const VERSION = "TSG105-Rel18";
const DELIMITER = textElement("sv:delimiter", 0);

const MOST_UNSIGNED_INT = 0xffff_ffff;
/** As `xs:unsignedInt`. */
const unsigned = (value: number): number => Math.min(MOST_UNSIGNED_INT, Math.round(value));

/** Of whom the report is, and where. */
export interface QoeSubject {
  readonly session: string;
  readonly peer: string;
  /** What its media come through: address of the WebSocket of its signalling. */
  readonly url: string;
  /** `xs:dateTime` of milliseconds since 1970. */
  readonly dateTime: (at: number) => string;
}

type Measured = NonNullable<MeasuredQuality["qoe"]>;

/** Milliseconds. */
interface Delays {
  readonly network?: number | undefined;
  readonly internal?: number | undefined;
}

/** The newest that are known of the flows of a link: of those that live, and of those that are over. */
interface LinkDelays {
  readonly live: Delays;
  readonly ended: Delays;
}

/**
 * The report of one peer: of every flow that it has measured, and of every metric that is known of it, a `QoeReport`.
 * Durations of corruption are milliseconds, those of jitter and of lost synchrony seconds, the bit rate kbit/s
 * (TS 26.113 clause 15.2, as TS 26.114 clause 16.2). Well-formed whatever names hold.
 */
export function qoeReportXml(subject: QoeSubject, flows: readonly Flow[]): string {
  const links = Map.groupBy(flows, ({ link }) => link);
  const reports = [...links.values()].flatMap((own) => linkReports(subject, own));
  const report = element(
    "ReceptionReport",
    {
      xmlns: REPORT,
      "xmlns:rtc": METRICS,
      "xmlns:sv": VERSIONS,
      "xmlns:duplex": OURS,
      contentURI: subject.url,
      clientID: subject.peer,
    },
    textElement("sv:schemaVersion", VERSION),
    ...reports,
    DELIMITER,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${report}\n`;
}

function linkReports(subject: QoeSubject, flows: readonly Flow[]): string[] {
  const near = linkDelays(subject.peer, flows);
  return flows.flatMap((flow) => {
    const quality = flow.quality?.[subject.peer];
    if (!quality?.qoe) return [];
    const qoe = { ...quality.qoe, measuredMs: unsigned(quality.qoe.measuredMs) };
    const delays = delaysOf(quality, flow, near);
    return metricsOf(quality, qoe, delays).map((metric) => qoeReport(subject, flow, qoe, metric));
  });
}

function qoeReport(
  { session, peer, dateTime }: QoeSubject,
  flow: Flow,
  qoe: Measured,
  metric: string,
): string {
  const { at, measuredMs } = qoe;
  return element(
    "QoeReport",
    {
      periodID: flow.link,
      reportTime: dateTime(at),
      reportPeriod: Math.ceil(measuredMs / 1000),
      recordingSessionId: hexOf(session),
      "duplex:flow": flow.id,
      "duplex:mid": flow.mid,
      "duplex:kind": flow.kind,
      "duplex:direction": flow.from === peer ? "uplink" : "downlink",
    },
    throughputOf(qoe, dateTime),
    DELIMITER,
    // One at most: the next metric is in the next report.
    element("rtc:QoeMetric", {}, metric, DELIMITER),
    // After metrics of TS 26.113, after those of split rendering, after slice and network name.
    DELIMITER,
    DELIMITER,
    DELIMITER,
  );
}

/**
 * The schema of TS 26.247 wants a metric of its own in every report, before those of others. This one is true of any
 * flow: bytes of media in the time that was measured.
 */
function throughputOf(qoe: Measured, dateTime: QoeSubject["dateTime"]): string {
  const { at, measuredMs, codecBps = 0 } = qoe;
  const throughput = element("AvgThroughput", {
    numBytes: unsigned((codecBps * measuredMs) / 8000),
    activityTime: measuredMs,
    t: dateTime(at - measuredMs),
    duration: measuredMs,
  });
  return element("QoeMetric", {}, throughput);
}

/** What flows show of delays: the first that is known. */
function delaysIn(peer: string, flows: readonly Flow[]): Delays {
  const known = flows.map(({ quality }) => quality?.[peer]);
  return {
    network: known.find((each) => each?.roundTripMs !== undefined)?.roundTripMs,
    internal: known.find((each) => each?.qoe?.internalMs !== undefined)?.qoe?.internalMs,
  };
}

function linkDelays(peer: string, flows: readonly Flow[]): LinkDelays {
  const newestFirst = flows.toSorted((one, other) => other.since - one.since);
  const ended = newestFirst.filter((flow) => !isLive(flow));
  return { live: delaysIn(peer, newestFirst.filter(isLive)), ended: delaysIn(peer, ended) };
}

/**
 * The network's share of the round trip is known where media are sent, that of the end itself where they are received: what
 * is not measured of a flow is that of the others on its link. What is over says nothing of what runs.
 */
function delaysOf(quality: MeasuredQuality, flow: Flow, near: LinkDelays): Delays {
  const ended: Delays = isLive(flow) ? {} : near.ended;
  return {
    network: quality.roundTripMs ?? near.live.network ?? ended.network,
    internal: quality.qoe?.internalMs ?? near.live.internal ?? ended.internal,
  };
}

/**
 * The published schema could not be compared for these two names (decision 0031). Its metrics, as far as it could be read, may
 * have attributes that it does not name: each is written as it may be spelled, and whichever is the schema's is there.
 */
const lostInARow = (packets: number) => ({
  totalNumberofSuccessivePacketLoss: packets,
  totalNumberOfSuccessivePacketLoss: packets,
});
const codecBitRate = (kbps: number) => ({ averageCodecBitRate: kbps, averageCodecBitrate: kbps });

/** The schema wants every part of it: where one is not known, nothing is said. */
function successiveLoss(
  { packets, packetsLost }: MeasuredQuality,
  { losses }: Measured,
): string | false {
  if (losses === undefined || packets === undefined || packetsLost === undefined) return false;
  return element("rtc:Successive_Loss", {
    // What came late makes the counter fall (RFC 3550 s6.4.1).
    ...lostInARow(Math.max(0, packetsLost)),
    numberOfSuccessiveLossEvents: losses,
    numberOfReceivedPackets: packets,
  });
}

/** Those that are known, in the order of the schema. */
function metricsOf(quality: MeasuredQuality, qoe: Measured, delays: Delays): string[] {
  const { corruptions, jitters, syncLosses, framesPerSecond, codecBps } = qoe;
  const { corruptionMs = 0, jitterMs = 0, syncLossMs = 0 } = qoe;
  const metrics = [
    corruptions !== undefined &&
      element("rtc:Corruption_Duration", {
        totalCorruptionDuration: corruptionMs,
        numberOfCorruptionEvents: corruptions,
      }),
    successiveLoss(quality, qoe),
    framesPerSecond !== undefined && textElement("rtc:Frame_Rate", framesPerSecond),
    jitters !== undefined &&
      element("rtc:Jitter_Duration", {
        totalJitterDuration: jitterMs / 1000,
        numberOfJitterEvents: jitters,
      }),
    syncLosses !== undefined &&
      element("rtc:SyncLoss_Duration", {
        totalSyncLossDuration: syncLossMs / 1000,
        numberOfSyncLossEvents: syncLosses,
      }),
    delays.network !== undefined &&
      delays.internal !== undefined &&
      element("rtc:Round_Trip_Time", {
        networkRTT: unsigned(delays.network),
        internalRTT: unsigned(delays.internal),
      }),
    codecBps !== undefined && element("rtc:Average_Codec_Bitrate", codecBitRate(codecBps / 1000)),
  ];
  return metrics.filter((metric) => metric !== false);
}

/** `xs:hexBinary` of an id, which is letters and digits. */
const hexOf = (id: string): string =>
  [...id].map((char) => char.charCodeAt(0).toString(16)).join("");

import type { Flow, Layer, MediaSource } from "../flow.ts";

/** Sources of a flow that are kept; a camera with all its layers and their repair has far fewer. */
const MOST_SOURCES = 64;
/** Former SSRCs of a source that are kept. */
const MOST_PREVIOUS = 8;

/** An SSRC as an end of the flow sees it in use. */
export type ReportedSource = Pick<MediaSource, "ssrc" | "rtx" | "fec" | "rid">;

/**
 * The sources after a description: what it announces, and what was learnt by reports and is not contradicted.
 *
 * `former` is what the sender's description announced before. A source it announces as before keeps what
 * reports added. Sources that only reports know stay as long as the description announces none, or still
 * one that was known: else it speaks of other media. A layer that is gone takes its source along.
 */
export function sourcesAfter(
  known: readonly MediaSource[],
  former: readonly MediaSource[],
  announced: readonly MediaSource[],
  layers: readonly Layer[],
): MediaSource[] {
  const byId = new Map(known.map((source) => [source.ssrc, source]));
  const announcedBefore = new Map(former.map((source) => [source.ssrc, source]));
  const next = announced.map((source) => {
    const old = byId.get(source.ssrc);
    const isSaidAgain = isSameAnnouncement(announcedBefore.get(source.ssrc), source);
    return old && isSaidAgain ? { ...source, ...repairAndLayer(old) } : source;
  });
  const isContradicted = announced.length > 0 && !announced.some(({ ssrc }) => byId.has(ssrc));
  if (isContradicted) return next;
  const rids = new Set(layers.map(({ rid }) => rid));
  const taken = new Set(next.flatMap(ssrcsOf));
  const kept = known.filter(
    ({ reported, ssrc, rid }) =>
      reported && !taken.has(ssrc) && (rid === undefined || rids.has(rid)),
  );
  return capped([...next, ...kept]);
}

const isSameAnnouncement = (one: MediaSource | undefined, other: MediaSource): boolean =>
  one?.rtx === other.rtx && one?.fec === other.fec;

const repairOf = ({ rtx, fec }: ReportedSource): Partial<MediaSource> => ({
  ...(rtx === undefined ? {} : { rtx }),
  ...(fec === undefined ? {} : { fec }),
});

const repairAndLayer = ({ rid, ...source }: ReportedSource): Partial<MediaSource> => ({
  ...repairOf(source),
  ...(rid === undefined ? {} : { rid }),
});

/** All SSRCs of a source, repair included. */
export const ssrcsOf = ({ ssrc, rtx, fec }: MediaSource): readonly number[] =>
  [ssrc, rtx, fec].filter((each) => each !== undefined);

/** What is too much goes from those that only reports know, the oldest first. */
function capped(sources: readonly MediaSource[]): MediaSource[] {
  let excess = sources.length - MOST_SOURCES;
  return sources.filter(({ reported }) => {
    const isDropped = reported === true && excess > 0;
    if (isDropped) excess -= 1;
    return !isDropped;
  });
}

/** The layers with the SSRCs that sources are known to send them with. */
export function layersWith(layers: readonly Layer[], sources: readonly MediaSource[]): Layer[] {
  const byRid = new Map(sources.map(({ rid, ssrc }) => [rid, ssrc]));
  return layers.map((layer) => {
    const ssrc = byRid.get(layer.rid);
    return ssrc === undefined ? layer : { ...layer, ssrc };
  });
}

/**
 * The flow after an end reported SSRCs in use. What no description announced is added as `reported`; what is
 * known gains its repair streams and its layer. A layer that comes with another SSRC has changed it.
 */
export function withReportedSources(flow: Flow, reports: readonly ReportedSource[]): Flow {
  const rids = new Set(flow.layers.map(({ rid }) => rid));
  const fitting = reports.map(({ rid, ...source }) =>
    rid !== undefined && rids.has(rid) ? { ...source, rid } : source,
  );
  const sources = fitting.reduce<readonly MediaSource[]>(withReport, flow.sources);
  return { ...flow, sources: [...sources], layers: layersWith(flow.layers, sources) };
}

function withReport(known: readonly MediaSource[], report: ReportedSource): readonly MediaSource[] {
  const isKnownOtherwise = known.some(
    ({ rtx, fec, previous }) =>
      rtx === report.ssrc || fec === report.ssrc || previous?.includes(report.ssrc),
  );
  if (isKnownOtherwise) return known;
  // It was taken for a source before an end said what it repairs.
  const sources = known.filter(
    ({ reported, ssrc }) => !(reported && (ssrc === report.rtx || ssrc === report.fec)),
  );
  const entry = sources.find(({ ssrc }) => ssrc === report.ssrc);
  if (!entry) return added(sources, report);
  const next = entry.reported
    ? { ...entry, ...repairAndLayer(report) }
    : { ...entry, ...repairAndLayer(report), ...repairOf(entry) };
  return sources.map((source) => (source === entry ? next : source));
}

function added(sources: readonly MediaSource[], report: ReportedSource): readonly MediaSource[] {
  const former = sources.find(
    ({ reported, rid }) => reported && rid !== undefined && rid === report.rid,
  );
  const previous = former && [...(former.previous ?? []), former.ssrc].slice(-MOST_PREVIOUS);
  const fresh: MediaSource = {
    ssrc: report.ssrc,
    ...repairAndLayer(report),
    ...(previous ? { previous } : {}),
    reported: true,
  };
  const others = sources.filter((source) => source !== former);
  const isFull = others.filter(({ reported }) => !reported).length >= MOST_SOURCES;
  return isFull ? sources : capped([...others, fresh]);
}

import type { Flow } from "../../protocol/flow.ts";
import type { MeasuredQuality } from "../../protocol/flow-quality.ts";
import { make } from "../element.ts";
import { bitrate } from "../words.ts";
import type { CallRecord } from "./record.ts";
import { counted, nameOf, span } from "./words.ts";

/** What each end of a flow experiences, in the terms of TS 26.113 clause 15.2. */
export function experiencesOf(record: CallRecord, flow: Flow): HTMLElement[] {
  return Object.entries(flow.quality ?? {}).flatMap(([peer, quality]) => {
    const { qoe } = quality;
    if (qoe === undefined) return [];
    const figure = make("figure", "experience");
    const caption = make("figcaption");
    const end = peer === flow.from ? "sends" : "receives";
    const who = `of ${nameOf(record, peer)}, who ${end}, in ${span(qoe.measuredMs)}`;
    caption.append(make("b", "", "Experience"), ` ${who}`);
    const list = make("dl", "members");
    for (const [name, value] of termsOf(flow, quality)) {
      list.append(make("dt", "", name), make("dd", "", value));
    }
    figure.append(caption, list);
    return [figure];
  });
}

const times = (count: number, ms: number | undefined): string =>
  count === 0 ? "none" : `${counted(count, "time")}${ms === undefined ? "" : `, ${span(ms)}`}`;

/** Who tells of spells may not tell how many packets they were. */
function lossOf(losses: number, packetsLost: number | undefined): string {
  if (losses === 0) return "none";
  const spells = counted(losses, "spell");
  return packetsLost === undefined ? spells : `${Math.max(0, packetsLost)}, in ${spells}`;
}

/** What is known; nothing is said of the rest. */
function termsOf(
  flow: Flow,
  { qoe, packetsLost, roundTripMs }: MeasuredQuality,
): [string, string][] {
  if (qoe === undefined) return [];
  const { corruptions, losses, framesPerSecond, jitters, syncLosses, internalMs, codecBps } = qoe;
  const terms: [string, string | undefined | false][] = [
    [
      flow.kind === "video" ? "Frozen" : "Broken",
      corruptions !== undefined && times(corruptions, qoe.corruptionMs),
    ],
    ["Packets lost", losses !== undefined && lossOf(losses, packetsLost)],
    ["Frame rate", framesPerSecond !== undefined && `${framesPerSecond.toFixed(1)} /s`],
    ["Jitter in playback", jitters !== undefined && times(jitters, qoe.jitterMs)],
    ["Out of sync", syncLosses !== undefined && times(syncLosses, qoe.syncLossMs)],
    ["Round trip", roundTripMs !== undefined && span(roundTripMs)],
    ["From arrival to playback", internalMs !== undefined && span(internalMs)],
    ["Codec bit rate", codecBps !== undefined && bitrate(codecBps)],
  ];
  return terms.filter((term): term is [string, string] => typeof term[1] === "string");
}

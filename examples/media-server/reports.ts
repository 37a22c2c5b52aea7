import type { QualityReport } from "../../protocol/message-parts.ts";
import type { Carried } from "./contexts.ts";
import type { Downlink } from "./downlink.ts";
import type { Uplink } from "./uplink.ts";

type Quality = Omit<QualityReport, "flow">;

function ofUplink({ layers }: Uplink): Quality {
  const nowMs = performance.now();
  const sum = (of: (layer: Uplink["layers"][number]) => number): number =>
    layers.reduce((total, layer) => total + of(layer), 0);
  return {
    bitrateBps: sum((layer) => layer.bitrateBps(nowMs)),
    packets: sum(({ reception }) => reception.packets),
    packetsLost: sum(({ reception }) => reception.packetsLost),
    jitterMs: Math.max(...layers.map(({ reception }) => reception.jitterMs)),
    sources: layers.map(({ ssrc, rtxSsrc, rid }) => ({
      ssrc,
      ...(rtxSsrc === undefined ? {} : { rtx: rtxSsrc }),
      ...(rid === "" ? {} : { rid }),
    })),
  };
}

function ofDownlink(downlink: Downlink): Quality {
  const { packets, packetsLost, jitterMs, roundTripMs, transceiver } = downlink;
  return {
    bitrateBps: downlink.bitrateBps(performance.now()),
    packets,
    packetsLost,
    jitterMs,
    ...(roundTripMs === undefined ? {} : { roundTripMs }),
    sources: [{ ssrc: transceiver.sender.ssrc, rtx: transceiver.sender.rtxSsrc }],
  };
}

/** What is measured of the flows with one peer: what comes in here, and what its reports say of the rest. */
export function reportQuality(contexts: readonly Carried[]): QualityReport[] {
  return contexts.flatMap(({ asked: { flow }, uplink, downlink }) => {
    if (flow === undefined) return [];
    if (uplink !== undefined && uplink.layers.length > 0) return [{ flow, ...ofUplink(uplink) }];
    if (downlink !== undefined && downlink.packets > 0) return [{ flow, ...ofDownlink(downlink) }];
    return [];
  });
}

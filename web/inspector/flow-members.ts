import type { ContextRecord } from "../../protocol/context-messages.ts";
import type { Flow } from "../../protocol/flow.ts";
import type { FlowQuality } from "../../protocol/flow-quality.ts";
import type { FiveTuple } from "../../protocol/transport.ts";
import { make } from "../element.ts";
import { bitrate } from "../words.ts";
import { assistanceLines } from "./assistance-text.ts";
import { LOOKS, lookOf } from "./flow-bundles.ts";
import type { CallRecord } from "./record.ts";
import { clock, nameOf, span } from "./words.ts";

/** The record of a flow, what people look for first. */
export function flowMembers(record: CallRecord, flow: Flow): HTMLElement {
  const list = make("dl", "members");
  const createdAt = record.session?.createdAt ?? 0;
  const transport = record.transports.get(flow.transport);
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== "")
      list.append(make("dt", "", name), make("dd", "", value));
  };
  add("State", stateOf(record, flow, createdAt));
  add(
    "Codecs",
    flow.codecs
      .map(({ pt, name, role }) => `${name} ${pt}${role === "primary" ? "" : ` ${role}`}`)
      .join(", "),
  );
  add("Section", `mid ${flow.mid}, m-line ${flow.mLineIndex}`);
  for (const [peer, quality] of Object.entries(flow.quality ?? {})) {
    add(peer === flow.from ? "Sender measures" : "Receiver measures", qualityOf(quality));
  }
  add("Limit", limitOf(flow));
  for (const [peer, assistance] of Object.entries(flow.assistance ?? {})) {
    const [state = "", ...lines] = assistanceLines(assistance, createdAt);
    const value = make("dd");
    value.append(make("b", "", state), ...lines.map((line) => make("div", "", line)));
    list.append(make("dt", "", `Network of ${nameOf(record, peer)}`), value);
  }
  add("Asked for", flow.requests?.map((request) => requestOf(record, request)).join("; "));
  add(
    "SSRC",
    flow.sources.map(({ ssrc, rid }) => (rid ? `${ssrc} (${rid})` : String(ssrc))).join(", "),
  );
  add(
    "Layers",
    flow.layers.map(({ rid, paused }) => `${rid}${paused ? " paused" : ""}`).join(", "),
  );
  add("Layer now", flow.layer);
  add("Carries on", flow.sourceFlows.map((id) => sourceOf(record, id)).join(", "));
  for (const context of record.contexts.filter(({ flow: id }) => id === flow.id)) {
    add(`Context of ${nameOf(record, context.server)}`, contextOf(context));
  }
  add("Priority", `${flow.priority}, DSCP ${flow.dscp.suggested}`);
  for (const tuple of transport?.fiveTuples ?? []) {
    add(`5-tuple of ${nameOf(record, tuple.peer)}`, tupleText(tuple));
  }
  add("Flow", flow.id);
  return list;
}

function stateOf(record: CallRecord, flow: Flow, createdAt: number): string {
  const parts = [
    LOOKS[lookOf(record, flow)].word,
    flow.reason ?? "",
    `since ${clock(flow.since - createdAt)}`,
    flow.timing.activeMs > 0 ? `active for ${span(flow.timing.activeMs)} before` : "",
    flow.pending ? `an open offer would change it (exchange ${flow.pending.exchange})` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function limitOf({ limits }: Flow): string | undefined {
  const { effectiveBps, source } = limits;
  return effectiveBps === undefined ? undefined : `${bitrate(effectiveBps)} (${source ?? "?"})`;
}

/** What a media server was asked for, and what it made of that. */
function contextOf({ revision, held, maxBitrateBps, result }: ContextRecord): string {
  const parts = [
    // Nothing is said of what is done as it was asked for.
    result?.outcome ?? "open",
    result?.cause ?? "",
    result?.detail ?? "",
    held ? "held" : "",
    maxBitrateBps === undefined ? "" : `asked for at most ${bitrate(maxBitrateBps)}`,
    result?.maxBitrateBps === undefined ? "" : `got ${bitrate(result.maxBitrateBps)}`,
    result !== undefined && result.revision < revision ? "asked for something else since" : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function requestOf(record: CallRecord, request: NonNullable<Flow["requests"]>[number]): string {
  const { by, held, maxBitrateBps, priority } = request;
  const what = [
    held ? "hold" : "",
    maxBitrateBps === undefined ? "" : `at most ${bitrate(maxBitrateBps)}`,
    priority === undefined ? "" : `priority ${priority}`,
  ].filter((part) => part !== "");
  return `${by === "application" ? "application" : nameOf(record, by)}: ${what.join(", ")}`;
}

function sourceOf(record: CallRecord, id: string): string {
  const source = record.flows.get(id);
  return source ? `${source.kind} of ${nameOf(record, source.from)}` : id;
}

function qualityOf(quality: FlowQuality): string {
  const { bitrateBps, packets, packetsLost, jitterMs, roundTripMs, framesPerSecond } = quality;
  const { width, height, limitation } = quality;
  const parts = [
    bitrateBps === undefined ? "" : bitrate(bitrateBps),
    width && height ? `${width} × ${height}` : "",
    framesPerSecond === undefined ? "" : `${Math.round(framesPerSecond)} frames/s`,
    packets === undefined ? "" : `${packets} packets`,
    packetsLost === undefined ? "" : `${packetsLost} lost`,
    jitterMs === undefined ? "" : `jitter ${jitterMs.toFixed(1)} ms`,
    roundTripMs === undefined ? "" : `round trip ${roundTripMs.toFixed(0)} ms`,
    limitation === undefined || limitation === "none" ? "" : `limited by ${limitation}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

const addressText = ({
  address,
  port,
}: {
  address?: string | undefined;
  port?: number | undefined;
}): string => {
  if (address === undefined) return "?";
  return `${address.includes(":") ? `[${address}]` : address}:${port ?? "?"}`;
};

/** `udp 192.0.2.1:5000 → 198.51.100.2:6000`, with the hop beyond a TURN server. */
export function tupleText({ protocol, local, remote, relay }: FiveTuple): string {
  const near = `${protocol} ${addressText(local)} → ${addressText(remote)}`;
  if (relay === undefined) return near;
  return `${near}, relayed as ${addressText(relay.relayed)} → ${addressText(relay.remote)}`;
}

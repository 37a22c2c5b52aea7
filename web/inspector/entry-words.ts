import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import { bitrate } from "../words.ts";
import type { CallRecord } from "./record.ts";
import { clock, nameOf, size } from "./words.ts";

/** An entry in words: what happened, and what there is to say besides. */
export interface EntryWords {
  readonly title: string;
  readonly detail: string;
}

type Entry<T extends TimelineEntry["type"]> = Extract<TimelineEntry, { type: T }>;
type Say<T extends TimelineEntry["type"]> = (
  entry: Entry<T>,
  name: (peer: string) => string,
  record: CallRecord,
) => EntryWords;

const joined = (parts: readonly (string | false | undefined)[]): string =>
  parts.filter((part): part is string => typeof part === "string" && part !== "").join(" · ");

const described =
  (what: string): Say<"offer" | "answer"> =>
  (entry, name, record) => ({
    title: `${what} ${entry.exchange}`,
    detail: joined([
      `${name(entry.by)} → ${name(record.otherEnd(entry.link, entry.by))}`,
      "restart" in entry && entry.restart === true && "ICE restart",
      mediaOf(entry),
      size(entry.bytes),
    ]),
  });

/** `audio, 2 video, data`, with what is off and what is refused. */
function mediaOf({ media }: Entry<"offer" | "answer">): string {
  const counts = new Map<string, number>();
  for (const { kind, direction, rejected } of media) {
    const plain = kind === "application" ? "data" : kind;
    const how = rejected
      ? " refused"
      : direction && direction !== "sendrecv"
        ? ` ${direction}`
        : "";
    counts.set(plain + how, (counts.get(plain + how) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => (count === 1 ? kind : `${count} ${kind}`)).join(", ");
}

const candidates: Say<"candidates"> = (entry, name, record) => {
  const types = Object.entries(entry.types).filter(([, count]) => (count ?? 0) > 0);
  const count = types.reduce((sum, [, one]) => sum + (one ?? 0), 0);
  return {
    title: count === 1 ? "1 candidate" : count === 0 ? "End of candidates" : `${count} candidates`,
    detail: joined([
      `${name(entry.by)} → ${name(record.otherEnd(entry.link, entry.by))}`,
      types.map(([type, one]) => `${one} ${type}`).join(", "),
      entry.mdns !== undefined && `${entry.mdns} mDNS`,
      entry.dropped !== undefined && `${entry.dropped} too old`,
      entry.complete === true && count > 0 && "complete",
    ]),
  };
};

const flow: Say<"flow"> = (entry, name, record) => {
  const known = record.flows.get(entry.flow);
  const [one, other] = record.endsOf(entry.link);
  return {
    title: `${entry.kind} ${entry.state}`,
    detail: joined([
      known ? `${name(known.from)} → ${name(known.to)}` : `${name(one)} ↔ ${name(other)}`,
      entry.reason,
    ]),
  };
};

const steered: Say<"steered"> = (entry, name) => ({
  title: "Flow steered",
  detail: joined([
    entry.by === undefined ? "by the back end" : `by ${name(entry.by)}`,
    entry.held !== undefined && (entry.held ? "held" : "goes on"),
    entry.maxBitrateBps !== undefined &&
      (entry.maxBitrateBps === null ? "no limit" : `at most ${bitrate(entry.maxBitrateBps)}`),
    typeof entry.priority === "string" && `priority ${entry.priority}`,
  ]),
});

const WORDS: { readonly [T in TimelineEntry["type"]]: Say<T> } = {
  "peer-joined": ({ peer, role }, name) => ({
    title: "Joined",
    detail: joined([name(peer), role !== "peer" && role]),
  }),
  "peer-resumed": ({ peer }, name) => ({ title: "Came back", detail: name(peer) }),
  "peer-lost": ({ peer }, name) => ({ title: "Socket lost", detail: name(peer) }),
  "peer-left": ({ peer, reason }, name) => ({ title: "Left", detail: `${name(peer)} · ${reason}` }),
  offer: described("Offer") as Say<"offer">,
  answer: described("Answer") as Say<"answer">,
  reject: ({ by, exchange, reason }, name) => ({
    title: `Offer ${exchange} rejected`,
    detail: joined([`by ${name(by)}`, reason]),
  }),
  rollback: ({ by, exchange }, name) => ({
    title: `Offer ${exchange} rolled back`,
    detail: `by ${name(by)}`,
  }),
  expired: ({ exchange, link }, name, record) => ({
    title: `Offer ${exchange} expired`,
    detail: `no answer · ${record.endsOf(link).map(name).join(" ↔ ")}`,
  }),
  candidates,
  finding: ({ by, level, rule, line, mid, description, refused }, name) => ({
    title: rule,
    detail: joined([
      refused === true ? `${level}, refused` : level,
      `${name(by)}${description ? `'s ${description}` : ""}`,
      line !== undefined && `line ${line}`,
      mid !== undefined && `mid ${mid}`,
    ]),
  }),
  transport: ({ by, state, pair, reason }, name) => ({
    title: `Transport ${state}`,
    detail: joined([
      name(by),
      pair && `${pair.local} ↔ ${pair.remote}${pair.protocol ? ` ${pair.protocol}` : ""}`,
      reason,
    ]),
  }),
  flow,
  steered,
  refused: ({ by, message, code, times, until }, name) => ({
    title: `Refused: ${code}`,
    detail: joined([
      name(by),
      message,
      times !== undefined && `${times} times`,
      until !== undefined && `until ${clock(until)}`,
    ]),
  }),
  context: ({ by, reason }, name) => ({
    title: "Context failed",
    detail: joined([name(by), reason]),
  }),
  assistance: ({ peer, network, state, reason, advised }, name) => ({
    title: `Network ${state}`,
    detail: joined([
      name(peer),
      network,
      reason,
      advised?.uplinkBps !== undefined && `↑ at most ${bitrate(advised.uplinkBps)}`,
      advised?.downlinkBps !== undefined && `↓ at most ${bitrate(advised.downlinkBps)}`,
    ]),
  }),
  drain: ({ by, successor }, name) => ({
    title: "Media server drains",
    detail: joined([name(by), successor !== undefined && `successor ${name(successor)}`]),
  }),
  fault: ({ fault, peer }, name) => ({
    title: "Fault",
    detail: joined([fault, peer !== undefined && name(peer)]),
  }),
  webhook: ({ event, sequence, state, reason, times }) => ({
    title: `Webhook ${state}`,
    detail: joined([
      `${event} ${sequence}`,
      reason,
      times !== undefined && `${times} events from this one`,
    ]),
  }),
};

export function wordsOf(record: CallRecord, entry: TimelineEntry): EntryWords {
  const say = WORDS[entry.type] as Say<TimelineEntry["type"]> | undefined;
  // A newer server may know more kinds.
  if (say === undefined) return { title: String(entry.type), detail: "" };
  return say(entry, (peer) => nameOf(record, peer), record);
}

/** Peers that an entry is about. */
export function peersOf(record: CallRecord, entry: TimelineEntry): readonly string[] {
  if ("link" in entry && entry.link !== undefined) return record.endsOf(entry.link);
  if ("peer" in entry && entry.peer !== undefined) return [entry.peer];
  if ("by" in entry && entry.by !== undefined) return [entry.by];
  return [];
}

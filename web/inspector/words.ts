import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { Verdict } from "../../protocol/verdict/verdict.ts";
import type { CallRecord } from "./record.ts";

/** `0:12.345`, `2:04:05.678`: time from the start of the session. */
export function clock(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const seconds = (whole % 60_000) / 1000;
  const minutes = Math.floor(whole / 60_000) % 60;
  const hours = Math.floor(whole / 3_600_000);
  const padded = seconds.toFixed(3).padStart(6, "0");
  return hours === 0
    ? `${minutes}:${padded}`
    : `${hours}:${String(minutes).padStart(2, "0")}:${padded}`;
}

/** `340 ms`, `1.2 s`, `3 min`: a while. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor(ms / 60_000) % 60} min`;
}

/** `850 B`, `6.9 kB`. */
export function size(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;
}

export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** What a peer is called: its name, with the start of its id where others have the same name. */
export function nameOf(record: CallRecord, id: string): string {
  const name = record.peers.get(id)?.name;
  if (name === undefined) return id.slice(0, 8) || "?";
  for (const [other, peer] of record.peers) {
    if (other !== id && peer.name === name) return `${name} ${id.slice(0, 4)}`;
  }
  return name;
}

/** A sentence of the server, which knows peers by their ids, with their names. */
export const withNames = (record: CallRecord, text: string): string =>
  text.replace(/\b[0-9a-z]{16}\b/g, (id) => (record.peers.has(id) ? nameOf(record, id) : id));

/** `Ada ↔ Grace` */
export function linkName(record: CallRecord, link: string): string {
  const [one, other] = record.endsOf(link);
  return `${nameOf(record, one)} ↔ ${nameOf(record, other)}`;
}

/** States of links, worst first: each has a sign besides its colour. */
export const VERDICT_STATES: Readonly<
  Record<Verdict["state"], { readonly sign: string; readonly tone: string; readonly word: string }>
> = {
  failed: { sign: "✕", tone: "bad", word: "failed" },
  degraded: { sign: "!", tone: "warn", word: "degraded" },
  connecting: { sign: "◔", tone: "note", word: "connecting" },
  waiting: { sign: "○", tone: "none", word: "waiting" },
  working: { sign: "✓", tone: "good", word: "working" },
  over: { sign: "–", tone: "none", word: "over" },
};

export const WORST_FIRST = Object.keys(VERDICT_STATES) as Verdict["state"][];

/** Groups of entries that can be shown and left out together. */
export const GROUPS = {
  peers: { title: "Peers", types: ["peer-joined", "peer-resumed", "peer-lost", "peer-left"] },
  negotiation: {
    title: "Offers",
    types: ["offer", "answer", "reject", "rollback", "expired"],
  },
  candidates: { title: "Candidates", types: ["candidates"] },
  transports: { title: "Transports", types: ["transport"] },
  flows: { title: "Flows", types: ["flow", "steered", "context", "assistance"] },
  findings: { title: "Findings", types: ["finding", "refused"] },
  server: { title: "Server", types: ["drain", "fault", "webhook"] },
} as const;
export type Group = keyof typeof GROUPS;

export const GROUP_OF: ReadonlyMap<string, Group> = new Map(
  (Object.keys(GROUPS) as Group[]).flatMap((group) =>
    GROUPS[group].types.map((type) => [type as string, group] as const),
  ),
);

type Tone = "bad" | "warn" | "good" | "note" | "none";

const TRANSPORT_TONES: Readonly<Record<string, Tone>> = {
  failed: "bad",
  disconnected: "warn",
  connected: "good",
};

const ASSISTANCE_TONES: Readonly<Record<string, Tone>> = {
  granted: "good",
  impaired: "warn",
  refused: "warn",
};

/** How an entry looks: bad, warn, good, or as anything else. */
export function toneOf(entry: TimelineEntry): Tone {
  switch (entry.type) {
    case "refused":
    case "fault":
    case "expired":
      return "bad";
    case "reject":
    case "rollback":
    case "peer-lost":
    case "drain":
    case "context":
      return "warn";
    case "finding":
      return { error: "bad", warning: "warn", info: "note" }[entry.level] as
        | "bad"
        | "warn"
        | "note";
    case "transport":
      return TRANSPORT_TONES[entry.state] ?? "none";
    case "flow":
      return entry.state === "active" ? "good" : "none";
    case "assistance":
      return ASSISTANCE_TONES[entry.state] ?? "none";
    case "webhook":
      return entry.state === "dead" ? "bad" : "warn";
    case "peer-left":
      return entry.reason === "left" || entry.reason === "session-ended" ? "none" : "warn";
    default:
      return "none";
  }
}

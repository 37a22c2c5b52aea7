import type { ListedSession, Refusal } from "./operator-api.ts";

/** What the page for operators says. */

const STATES: Readonly<Record<string, string>> = {
  failed: "Failed",
  degraded: "Interrupted",
  connecting: "Connecting",
  waiting: "Waiting",
  working: "Working",
};

/** In which order states are told, and as how good they are shown. */
export const STATE_LEVELS: readonly (readonly [state: string, level: string])[] = [
  ["failed", "bad"],
  ["degraded", "warn"],
  ["connecting", "none"],
  ["waiting", "none"],
  ["working", "good"],
];

/** What nobody is in is neither well nor unwell. */
export const levelOf = ({ state, peers }: ListedSession): string =>
  (peers.connected > 0 && STATE_LEVELS.find(([known]) => known === state)?.[1]) || "none";

/** The state of a session in a word: that of its worst link, or who is there. */
export function stateOf({ state, peers: { connected, away } }: ListedSession): string {
  if (connected === 0) return away > 0 ? "Away" : "Empty";
  if (state !== undefined) return STATES[state] ?? state;
  return connected === 1 ? "One peer" : "Not linked";
}

/** `2 working, 1 failed`, worst first. */
export const linksOf = ({ links }: ListedSession): string =>
  STATE_LEVELS.flatMap(([state]) => {
    const count = links[state] ?? 0;
    return count === 0 ? [] : [`${count} ${(STATES[state] ?? state).toLowerCase()}`];
  }).join(", ") || "–";

/** `2, 1 away, 1 observer` */
export function peersOf({ peers: { connected, away, observers } }: ListedSession): string {
  const watching = observers === 1 ? "1 observer" : `${observers} observers`;
  return [
    connected === 0 ? "none" : String(connected),
    away > 0 && `${away} away`,
    observers > 0 && watching,
  ]
    .filter((part) => part !== false)
    .join(", ");
}

/** `12 s`, `4 min`, `3 h 10 min`, `2 days` */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

const SHOWN_MEMBERS = 4;
const SHOWN_CHARACTERS = 60;

const cut = (text: string): string =>
  text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;

/** What most applications call what they show to people. */
const TITLES = ["title", "name"];

/** The first members of metadata, a title without its name: `Support call 4711 · agent: 7` */
export const metadataOf = ({ metadata = {} }: ListedSession): string =>
  Object.entries(metadata)
    .toSorted(([one], [other]) => Number(TITLES.includes(other)) - Number(TITLES.includes(one)))
    .slice(0, SHOWN_MEMBERS)
    .map(([name, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return cut(TITLES.includes(name) ? text : `${name}: ${text}`);
    })
    .join(" · ");

/** What may be searched for, in lower case. */
export const searchedOf = (session: ListedSession): string =>
  [
    session.id,
    session.topology,
    stateOf(session),
    linksOf(session),
    JSON.stringify(session.metadata ?? {}),
  ]
    .join(" ")
    .toLowerCase();

const PROBLEMS: Readonly<Record<string, string>> = {
  unreachable: "The server does not answer. Trying again.",
  unauthorized: "The server does not accept this key.",
  "not-permitted": "This is the token of a peer; the list needs an API key.",
  misconfigured: "This server is not set up yet: its operator has to set an API key.",
  "session-not-found": "There is no such session, or it is over.",
  "turn-unavailable": "The server cannot make TURN credentials now, and so no observer.",
  "dead-letter-not-found": "Somebody else has delivered or dropped this event.",
  "webhook-not-taken": "The receiver did not take the event this time either.",
};

export const wordsFor = ({ code, message }: Refusal): string =>
  PROBLEMS[code] ?? `Something was refused: ${message || code} (${code}).`;

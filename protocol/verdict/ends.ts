import { readablePair } from "../assess.ts";
import { type AgreedPair, descriptionOf } from "../flows/agreed-pair.ts";
import { addressKindOf } from "../sdp/address.ts";
import { candidateLineOf } from "../sdp/candidate.ts";
import type { AgreedExchange, StoredDescription } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import type { CandidateCounts } from "../transport.ts";
import { type Evidence, seen } from "./judgement.ts";
import { entriesOfType, type Meeting, timeOf } from "./meeting.ts";
import { type Decisive, refusedCandidates } from "./refusals.ts";

/** One end of a link as far as its path is concerned. */
export interface End {
  readonly peer: string;
  readonly candidates: EndCandidates;
  /** What it said last of a transport, and all it said. */
  readonly report: Report | undefined;
  readonly reports: readonly Report[];
  /** Candidates of it went nowhere. */
  readonly refused: Decisive | undefined;
  /** ICE servers that failed it. */
  readonly iceErrors: NonNullable<Report["iceErrors"]>;
}

export type Report = Extract<TimelineEntry, { type: "transport" }>;

export interface EndCandidates extends CandidateCounts {
  readonly total: number;
  /** Host candidates whose address hides behind a name. */
  readonly mdns: number;
  /** Host candidates with an address that is reached from everywhere; of what is not read any more, all that may have. */
  readonly global: number;
  /** False where there is nothing left to count by: it had to go. */
  readonly isKnown: boolean;
  /** The newest entry about them. */
  readonly entry: TimelineEntry | undefined;
}

export function endsOf(meeting: Meeting): readonly [End, End] {
  const [one, other] = meeting.link.peers;
  return [endOf(meeting, one), endOf(meeting, other)];
}

function endOf(meeting: Meeting, peer: string): End {
  const reports = entriesOfType(meeting.entries, "transport").filter(
    // What was said of a connection before this one is over with it.
    (entry) => entry.by === peer && timeOf(meeting, entry) >= meeting.connectionAt,
  );
  return {
    peer,
    candidates: candidatesOf(meeting, peer),
    refused: refusedCandidates(meeting.entries, peer),
    report: reports.findLast(({ state }) => state !== "closed"),
    reports,
    iceErrors: reports.findLast(({ iceErrors }) => iceErrors !== undefined)?.iceErrors ?? [],
  };
}

/** From the descriptions and what was trickled; after a departure, and beside it, what records and entries counted. */
function candidatesOf(meeting: Meeting, peer: string): EndCandidates {
  const texts = textsOf(meeting, peer);
  const lines = [...texts].map(candidateLineOf);
  const count = (wanted: string): number => lines.filter(({ type }) => type === wanted).length;
  const past = pastCounts(meeting, peer);
  const counts = {
    host: count("host") || past.host,
    srflx: count("srflx") || past.srflx,
    prflx: count("prflx") || past.prflx,
    relay: count("relay") || past.relay,
  };
  const hosts = lines.filter(({ type }) => type === "host");
  const addresses = hosts.map(({ parts }) => parts?.address ?? "");
  const total = counts.host + counts.srflx + counts.prflx + counts.relay;
  return {
    ...counts,
    total,
    isKnown: total > 0 || !meeting.departure || hasBeginning(meeting),
    mdns: addresses.filter((address) => address.endsWith(".local")).length || past.mdns,
    global:
      hosts.length > 0
        ? addresses.filter((address) => addressKindOf(address) === "global").length
        : past.global,
    entry: past.entry,
  };
}

/** Candidates of a peer in the exchange that is in force, each once. */
function textsOf({ link: { inForce }, trickle }: Meeting, peer: string): ReadonlySet<string> {
  if (!inForce) return new Set();
  const sent = trickle
    .filter(({ from, exchange }) => from === peer && exchange === inForce.exchange)
    .flatMap(({ candidates }) => candidates.map(({ candidate }) => candidate));
  return new Set([
    ...writtenBy(inForce, peer),
    ...sent.filter((text) => text !== "").map(identityOf),
  ]);
}

/** Candidates that are remembered with their description: browsers write fewer. */
const REMEMBERED = 64;

const remembered = new WeakMap<StoredDescription, readonly string[]>();

/** Candidates in the description of a peer. See `sectionsInForce`. */
function writtenBy(inForce: AgreedExchange, peer: string): readonly string[] {
  const stored = inForce.offerer === peer ? inForce.offer : inForce.answer;
  const known = remembered.get(stored);
  if (known) return known;
  // Where one of the two cannot be read, nobody looks for a path.
  const pair = readablePair(inForce) as AgreedPair;
  const texts = descriptionOf(pair, peer).sections.flatMap(({ candidates }) =>
    candidates.map(({ text }) => identityOf(text)),
  );
  if (texts.length <= REMEMBERED) remembered.set(stored, texts);
  return texts;
}

/** Foundation to type: what follows may differ between the description and the trickled form. */
const identityOf = (text: string): string =>
  text
    .replace(/^(?:a=)?candidate:/, "")
    .split(" ", 8)
    .join(" ");

/** Whether nothing of the connection had to go: what came after its first answer is there if that is. */
export const hasBeginning = (meeting: Meeting): boolean =>
  entriesOfType(meeting.entries, "answer").some(
    (entry) => timeOf(meeting, entry) === meeting.connectionAt,
  );

type Counted = CandidateCounts & {
  readonly mdns: number;
  readonly global: number;
  readonly entry: TimelineEntry | undefined;
};

/** By the timeline, else by the records of transports. */
function pastCounts(meeting: Meeting, peer: string): Counted {
  const { entries, link, connectionAt } = meeting;
  const first = entriesOfType(entries, "answer").find(
    (entry) => timeOf(meeting, entry) >= connectionAt,
  );
  const told = entriesOfType(entries, "candidates").filter(
    ({ by, exchange }) => by === peer && exchange >= (first?.exchange ?? 0),
  );
  const newest = told.at(-1);
  const own = told.filter(({ exchange }) => exchange === newest?.exchange);
  const recorded = link.flows.transports
    .filter(({ associatedAt = connectionAt }) => associatedAt >= connectionAt)
    .flatMap(({ candidates }) => Object.entries(candidates))
    .filter(([of]) => of === peer);
  const sum = (type: keyof CandidateCounts): number =>
    own.reduce((all, { types }) => all + (types[type] ?? 0), 0) ||
    recorded.reduce((most, [, counts]) => Math.max(most, counts[type]), 0);
  return {
    host: sum("host"),
    srflx: sum("srflx"),
    prflx: sum("prflx"),
    relay: sum("relay"),
    mdns: own.reduce((all, { mdns = 0 }) => all + mdns, 0),
    global: newest ? own.reduce((all, { global = 0 }) => all + global, 0) : sum("host"),
    entry: newest,
  };
}

/** What an end had to offer, in words. */
export function candidateEvidence({ peer, candidates }: End): Evidence {
  const { host, srflx, prflx, relay, mdns, entry } = candidates;
  const hidden = mdns > 0 ? ` (${mdns} behind a .local name)` : "";
  const others = prflx > 0 ? `, ${prflx} prflx` : "";
  const says = `candidates of ${peer}: ${host} host${hidden}, ${srflx} srflx${others}, ${relay} relay`;
  return entry ? seen(entry, says) : { says };
}

/** What an end said last of its transport. */
export function reportEvidence({ peer, report }: End): readonly Evidence[] {
  if (!report) return [];
  const { state, reason, ice } = report;
  const why = reason === undefined ? "" : ` (${reason})`;
  const alone = ice === undefined ? "" : `, ICE by itself: ${ice}`;
  return [seen(report, `${peer} reports ${state}${why}${alone}`)];
}

export function errorEvidence({ peer, reports }: End): readonly Evidence[] {
  const entry = reports.findLast(({ iceErrors }) => iceErrors !== undefined);
  if (!entry?.iceErrors) return [];
  return entry.iceErrors.map(({ code, url = "an ICE server", lookup }) => {
    const why = lookup ? ", its name could not be resolved" : "";
    return seen(entry, `${peer}: ${url} gave ${code}${why}`);
  });
}

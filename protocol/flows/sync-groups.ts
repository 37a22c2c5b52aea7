import type { Flow } from "../flow.ts";
import type { Description } from "../sdp/description.ts";
import { isLive } from "./commit.ts";
import type { LinkFlows, SyncNumbers } from "./link-flows.ts";

/** Longer than any name of a stream or section is; it is kept as long as the link. */
const MAX_NAME_CHARACTERS = 255;

/** How many contexts that no live flow has any more are remembered per sender, in case they come back. */
const REMEMBERED = 64;

/** Names of the LS groups of a description, by the mids in them (RFC 5888 s7). */
const LIP_SYNC = new WeakMap<Description, ReadonlyMap<string, string>>();

function lipSyncOf(description: Description): ReadonlyMap<string, string> {
  const known = LIP_SYNC.get(description);
  if (known) return known;
  const streams = new Map(
    description.sections.flatMap(({ mid, msids: [msid] }) =>
      mid === undefined || msid === undefined || msid.stream === "-" ? [] : [[mid, msid.stream]],
    ),
  );
  const names = new Map(
    description.session.groups
      .filter(({ semantics }) => semantics.toUpperCase() === "LS")
      .flatMap(({ mids }) => {
        const named = mids.find((mid) => streams.has(mid));
        const name = named === undefined ? `section ${mids[0]}` : `stream ${streams.get(named)}`;
        return mids.map((mid) => [mid, name] as const);
      }),
  );
  LIP_SYNC.set(description, names);
  return names;
}

/**
 * What the receiver plays in synchrony has one context: that of the CNAME, without one that of the first
 * stream, without either that of the LS group which the sender's description puts the section in.
 */
function contextOf(
  { cname, streams: [stream], mid }: Flow,
  description: Description,
): string | undefined {
  const named = stream === undefined ? lipSyncOf(description).get(mid) : `stream ${stream}`;
  const name = cname === undefined ? named : `cname ${cname}`;
  return name === undefined || name.length > MAX_NAME_CHARACTERS ? undefined : name;
}

/** What the events that put flows into groups leave. */
export interface Synchronised {
  readonly flows: readonly Flow[];
  readonly syncGroups: LinkFlows["syncGroups"];
}

/**
 * Puts flows in their synchronisation groups. A group has a number that its context keeps as long as the
 * link remembers it, and that no other context of the sender ever gets; it tells neither CNAME nor SSRC.
 *
 * `described` are flows by id with the description of their sender; all others stay in the group they have.
 */
export function synchronised(
  link: string,
  before: LinkFlows,
  flows: readonly Flow[],
  described: ReadonlyMap<string, Description>,
): Synchronised {
  const numberings = new Map(
    Object.entries(before.syncGroups ?? {}).map(([from, known]) => [
      from,
      { last: known.last, numbers: new Map(Object.entries(known.numbers)) },
    ]),
  );
  const numberOf = (from: string, context: string): number => {
    const numbering = numberings.get(from) ?? { last: 0, numbers: new Map<string, number>() };
    const number = numbering.numbers.get(context) ?? numbering.last + 1;
    numbering.numbers.set(context, number);
    numberings.set(from, { ...numbering, last: Math.max(numbering.last, number) });
    return number;
  };
  const grouped = flows.map((flow): Flow => {
    const description = flow.kind === "data" ? undefined : described.get(flow.id);
    if (!description) return flow;
    const { syncGroup: _, ...rest } = flow;
    const context = contextOf(flow, description);
    return context === undefined
      ? rest
      : { ...rest, syncGroup: groupOf(link, numberOf(flow.from, context), flow.from) };
  });
  const inUse = new Set(grouped.filter(isLive).map(({ syncGroup }) => syncGroup));
  const remembered = [...numberings].map(([from, { last, numbers }]): [string, SyncNumbers] => {
    const isIdle = (number: number): boolean => !inUse.has(groupOf(link, number, from));
    return [from, { last, numbers: Object.fromEntries(withoutOldest([...numbers], isIdle)) }];
  });
  return {
    flows: grouped,
    syncGroups: remembered.length > 0 ? Object.fromEntries(remembered) : undefined,
  };
}

const groupOf = (link: string, number: number, from: string): string =>
  `${link}:s.${number}:${from}`;

/** Numbers only grow: the oldest contexts come first. */
function withoutOldest(
  contexts: readonly (readonly [string, number])[],
  isIdle: (number: number) => boolean,
): readonly (readonly [string, number])[] {
  const idle = contexts.filter(([, number]) => isIdle(number));
  const forgotten = new Set(idle.slice(0, Math.max(0, idle.length - REMEMBERED)));
  return contexts.filter((context) => !forgotten.has(context));
}

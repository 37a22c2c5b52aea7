import { z } from "zod";
import { isSame } from "../flows/same.ts";
import type { Session } from "../session.ts";
import type { Rates } from "./assisted.ts";
import type { AssistanceNetwork } from "./config.ts";
import { emptyHolding, type Holding } from "./holding.ts";
import { recordOf } from "./holding-record.ts";
import { AssistanceApi, type AssistanceState, FlowAssistance } from "./record.ts";
import type { Wanted } from "./wishes.ts";

/** What flows and operators are shown of the requests of a session. */

type Holdings = ReadonlyMap<string, Holding>;

/** What a network does for one end of a link. */
export interface EndRecord {
  readonly link: string;
  readonly peer: string;
  readonly record: FlowAssistance;
}

/** The worst first: of several requests for one end of a link that one is shown. */
const BY_CONCERN = [
  "refused",
  "impaired",
  "ended",
  "waiting",
  "requested",
  "dry-run",
  "granted",
] satisfies AssistanceState[];

/** The record of a request, and what its end is advised where no network says it. */
interface Shown {
  readonly record: FlowAssistance;
  readonly otherwise?: Rates | undefined;
}

/** One request may be for the quality, and another for what is recommended. */
function together(one: Shown, other: Shown): Shown {
  const [shown, hidden] = concernOf(other) < concernOf(one) ? [other, one] : [one, other];
  const advised = shown.record.advised ?? hidden.record.advised;
  return {
    record: { ...shown.record, ...(advised && { advised }) },
    otherwise: shown.otherwise ?? hidden.otherwise,
  };
}

const concernOf = ({ record }: Shown): number => BY_CONCERN.indexOf(record.state);

/** What a network recommends goes before what the configuration says for its state. */
function completed({ record, otherwise }: Shown): FlowAssistance {
  const advised = record.advised ?? otherwise;
  return { ...record, ...(advised && { advised }) };
}

/** Records of all ends that are in a network, by link and peer. `at` is now, milliseconds since 1970. */
export function recordsOf(
  session: Session,
  wanted: readonly Wanted[],
  holdings: Holdings,
  networks: readonly AssistanceNetwork[],
  at: number,
): readonly EndRecord[] {
  const ends = new Map<string, Shown & Omit<EndRecord, "record">>();
  for (const each of wanted) {
    for (const link of each.links) {
      const peer = each.ue;
      const before = session.links.get(link)?.flows.assistance?.[peer];
      const since = { at, before, parts: each.links.length };
      const shown = endRecordOf(each, holdings.get(each.key), networks, since);
      const known = ends.get(`${link} ${peer}`);
      ends.set(`${link} ${peer}`, { link, peer, ...(known ? together(known, shown) : shown) });
    }
  }
  return [...ends.values()].map(({ link, peer, ...shown }) => {
    return { link, peer, record: completed(shown) };
  });
}

/** What a record is to follow. */
interface Since {
  readonly at: number;
  readonly before?: FlowAssistance | undefined;
  /** The links that have the request together. */
  readonly parts: number;
}

function endRecordOf(
  { key, network: name, mode, wish, lacks, canBeCompleted }: Wanted,
  holding: Holding | undefined,
  networks: readonly AssistanceNetwork[],
  { at, before, parts }: Since,
): Shown {
  const network = networks.find((each) => each.name === name);
  const known = holding ?? emptyHolding(key, name, network?.api ?? "nef");
  const record = recordOf(known, wish, at, { before, ...(lacks !== undefined && { lacks }) });
  if (mode === "dry-run" && wish) {
    const since = before?.state === "dry-run" ? before.since : at;
    return { record: { ...record, state: "dry-run", since } };
  }
  // Who is without recommendations has the quality that was granted still.
  const isForQuality = network?.api !== "rtc-af" || canBeCompleted;
  const worth = network && isForQuality && partOf(network, parts);
  return { record, otherwise: worth ? advisedBy(worth, record, before) : undefined };
}

type Worth = Pick<AssistanceNetwork, "profiles" | "withoutQos">;

/** What the configuration says of a request is for all of its links together. */
function partOf({ profiles, withoutQos }: Worth, parts: number): Worth {
  if (parts === 1) return { profiles, withoutQos };
  const part = ({ uplinkBps, downlinkBps }: Rates): Rates => ({
    ...(uplinkBps !== undefined && { uplinkBps: Math.floor(uplinkBps / parts) }),
    ...(downlinkBps !== undefined && { downlinkBps: Math.floor(downlinkBps / parts) }),
  });
  const each = Object.entries(profiles).map(([name, rates]) => [name, part(rates)]);
  return { profiles: Object.fromEntries(each), withoutQos: withoutQos && part(withoutQos) };
}

/**
 * What ends are advised where the network says no rates: those of the profile that it applies now, if it is not the one
 * that was asked for, or those for the time in which it holds nothing of what it had granted.
 */
function advisedBy(
  { profiles, withoutQos }: Worth,
  { state, asked, granted }: FlowAssistance,
  before: FlowAssistance | undefined,
): Rates | undefined {
  const applied = granted?.profile;
  const isOther = applied !== undefined && applied !== asked?.profile;
  // Networks name it: it may be a name that every object has.
  const worth = isOther && Object.hasOwn(profiles, applied) ? profiles[applied] : undefined;
  if (state === "granted") return worth;
  if (state === "impaired") return worth ?? withoutQos;
  // What has ended and is asked for anew does not hold before the network says so.
  const isAnew = state === "requested" && before?.state !== "granted";
  const isStill = isAnew && isSame(before?.advised, withoutQos);
  return state === "ended" || isStill ? withoutQos : undefined;
}

/** A request as operators see it, its body included. */
export const AssistanceRequest = z
  .object({
    peer: z.string().describe("the UE"),
    network: z.string(),
    api: AssistanceApi,
    links: z.array(z.string()).describe("what it is for; empty: nothing any more"),
    mode: z.enum(["on", "dry-run"]),
    record: FlowAssistance,
    body: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("what is, or would be, sent; absent while something is not known"),
    resource: z.string().optional().describe("as the network names it"),
  })
  .meta({ id: "AssistanceRequest" });
export type AssistanceRequest = z.infer<typeof AssistanceRequest>;

/** What came of a boost that was asked for. */
export const Boosted = z
  .object({
    boosted: z.boolean(),
    reason: z
      .string()
      .optional()
      .describe(
        "why not: `not-assisted` where no network of the peer has boosts, `too-often` where it cannot be asked now, or its own code",
      ),
  })
  .meta({ id: "Boosted" });
export type Boosted = z.infer<typeof Boosted>;

/**
 * All requests of a session: those that are wanted, and those that are still to be taken back. `session` is null when it is
 * over.
 */
export function viewRequests(
  session: Session | null,
  wanted: readonly Wanted[],
  entries: ReadonlyMap<string, { readonly ue: string; readonly holding: Holding }>,
  networks: readonly AssistanceNetwork[],
  at: number,
): AssistanceRequest[] {
  const isWanted = new Set(wanted.map(({ key }) => key));
  const former = [...entries]
    .filter(([key]) => !isWanted.has(key))
    .map(([key, { ue, holding }]): Wanted => {
      return { key, ue, network: holding.network, links: [], mode: "on" };
    });
  return [...wanted, ...former].map((each) => {
    const holding = entries.get(each.key)?.holding;
    const body = each.wish?.body ?? (each.lacks === undefined ? holding?.held?.body : undefined);
    const before = each.links
      .map((link) => session?.links.get(link)?.flows.assistance?.[each.ue])
      .find((record) => record?.network === each.network);
    // Where they show another one for the same end: since it was granted.
    const held = each.wish && holding?.held;
    const since = held?.status.state === "granted" ? held.grantedAt : undefined;
    const known = { at: since ?? at, before, parts: 1 };
    const record = completed(endRecordOf(each, holding, networks, known));
    const resource = holding?.held?.id;
    return {
      peer: each.ue,
      network: each.network,
      api: record.api,
      links: [...each.links],
      mode: each.mode,
      record,
      ...(body && { body: { ...body } }),
      ...(resource !== undefined && { resource }),
    };
  });
}

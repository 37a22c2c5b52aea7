import type { FlowsView } from "../protocol/flow.ts";
import type { FlowSummary } from "../protocol/flow-summary.ts";
import { isSummarised, summaryOf } from "../protocol/flows/summary.ts";
import type { LinkView } from "../protocol/message-parts.ts";
import { asSent, type Connection } from "./chaos-connection.ts";
import type { Page } from "./chaos-page.ts";
import type { Run } from "./chaos-run.ts";
import { callJson } from "./live-session.ts";

/** What must be true of every run when all has come to rest: both ends and the server agree (R3). */

export async function disagreements(run: Run): Promise<string[]> {
  const found: string[] = [];
  const wrong = (what: string) => found.push(what);
  const { links = [] } = await run.watcher.state();
  const pages = run.pages;
  for (const page of pages) {
    if (page.session === undefined) wrong(`${page.name} has no session`);
    else if (page.session.state !== "connected") wrong(`${page.name} is ${page.session.state}`);
  }
  for (const [index, one] of pages.entries()) {
    for (const other of pages.slice(index + 1)) linkAgrees(one, other, links, wrong);
  }
  for (const page of pages) {
    await flowsAgree(run, page, wrong);
    presenceAgrees(run, page, wrong);
  }
  messagesAgree(run, wrong);
  return found;
}

type Wrong = (what: string) => void;

function linkAgrees(one: Page, other: Page, links: readonly LinkView[], wrong: Wrong): void {
  const name = `${one.name}~${other.name}`;
  const ids = [one.member.id, other.member.id];
  const link = links.find(({ peers }) => ids.every((id) => peers.includes(id)));
  const ends = [
    [one, one.session?.connection(other.member.id)],
    [other, other.session?.connection(one.member.id)],
  ] as const;
  for (const [page, connection] of ends) {
    if (!connection) wrong(`${name}: ${page.name} has no connection`);
  }
  const [[, mine], [, theirs]] = ends;
  if (!mine || !theirs) return;
  if (!link) {
    wrong(`${name}: the server has no link`);
    return;
  }
  if (link.state !== "stable") wrong(`${name}: the server has an open offer, #${link.exchange}`);
  for (const [page, connection] of ends) {
    if (!connection) continue;
    const { signalingState, connectionState } = connection;
    if (signalingState !== "stable") wrong(`${name}: ${page.name} is in ${signalingState}`);
    // With nothing to carry there is no transport.
    const wanted = connection.liveMids.size > 0 ? "connected" : "new";
    if (connectionState !== wanted) wrong(`${name}: ${page.name} is ${connectionState}`);
    const { remoteSet } = connection;
    if (new Set(remoteSet).size !== remoteSet.length) {
      wrong(`${name}: ${page.name} set a description twice`);
    }
  }
  const { offer, answer } = link;
  if (!offer || !answer) {
    wrong(`${name}: the server has no pair in force`);
    return;
  }
  const [offerer, answerer] = offer.from === one.member.id ? [mine, theirs] : [theirs, mine];
  const same: [string, string | undefined, string][] = [
    ["offerer's local", asSent(offerer), offer.sdp],
    ["offerer's remote", offerer.currentRemoteDescription?.sdp, answer.sdp],
    ["answerer's local", asSent(answerer), answer.sdp],
    ["answerer's remote", answerer.currentRemoteDescription?.sdp, offer.sdp],
  ];
  for (const [what, here, there] of same) {
    // What was gathered when a description was sent is in its text, and the stand-in shows all of it.
    if (plain(here) !== plain(there)) wrong(`${name}: ${what} description is not the server's`);
  }
  candidatesAgree(name, [one, mine], [other, theirs], link, wrong);
  candidatesAgree(name, [other, theirs], [one, mine], link, wrong);
}

const plain = (sdp: string | undefined): string =>
  (sdp ?? "").replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, "");

const textOf = ({
  candidate,
  sdpMid,
}: {
  candidate: string;
  sdpMid?: string | null | undefined;
}): string => `${sdpMid} ${candidate}`;

function candidatesAgree(
  link: string,
  [from, sender]: readonly [Page, Connection],
  [to, receiver]: readonly [Page, Connection],
  view: LinkView,
  wrong: Wrong,
): void {
  const { ufrag } = sender;
  const name = `${link}: candidates of ${from.name}`;
  // What is named for a section that was stopped meanwhile is of no use any more.
  const { liveMids } = sender;
  const isLive = ({ sdpMid }: { sdpMid?: string | null }) => liveMids.has(sdpMid ?? "");
  const told = (sender.gathered.get(ufrag) ?? []).filter(isLive).map(textOf);
  const added = (receiver.added.get(ufrag) ?? []).filter(isLive).map(textOf);
  if (new Set(added).size !== added.length) wrong(`${name} were added twice at ${to.name}`);
  const missing = told.filter((text) => !added.includes(text));
  if (missing.length > 0)
    wrong(`${name}: ${missing.length} of ${told.length} are not at ${to.name}`);
  else if (told.join() !== added.join()) wrong(`${name} are in another order at ${to.name}`);
  if (sender.gatheredAll.has(ufrag) && !receiver.ended.has(ufrag)) {
    wrong(`${name}: their end is not at ${to.name}`);
  }
  const kept = view.candidates.filter((entry) => entry.from === from.member.id);
  const known = kept.flatMap(({ candidates }) => candidates.map(textOf));
  const lost = told.filter((text) => !known.includes(text));
  if (lost.length > 0) wrong(`${name}: ${lost.length} of ${told.length} are not at the server`);
  if (sender.gatheredAll.has(ufrag) && !kept.some(({ complete }) => complete)) {
    wrong(`${name}: their end is not at the server`);
  }
}

async function flowsAgree(run: Run, page: Page, wrong: Wrong): Promise<void> {
  const { session, member } = page;
  if (!session) return;
  const response = await callJson(`${run.session.path}/flows`, "GET", undefined, {
    authorization: `Bearer ${member.token}`,
  });
  const view = (await response.json()) as FlowsView;
  const whole = { flows: view.flows, transports: view.transports };
  const summaries = view.flows.filter(isSummarised).map(summaryOf).map(withoutRevision);
  const there = page.isBrief ? { flows: summaries, transports: [] } : whole;
  const flows = page.isBrief ? session.flows.map(withoutRevision) : session.flows;
  for (const [what, here, wanted] of [
    ["flow", flows, there.flows],
    ["transport", session.transports, there.transports],
  ] as const) {
    const known = new Map<string, object>(here.map((one) => [one.id, one]));
    for (const record of wanted) {
      const mine = known.get(record.id);
      known.delete(record.id);
      if (mine === undefined) wrong(`${page.name} lacks ${what} ${record.id} (${record.state})`);
      else if (JSON.stringify(sorted(mine)) !== JSON.stringify(sorted(record))) {
        wrong(`${page.name} has another ${what} ${record.id}`);
      }
    }
    for (const id of known.keys()) wrong(`${page.name} has ${what} ${id}, the server has not`);
  }
}

/** A summary has the revision at which it was told, which the record may have left behind. */
const withoutRevision = (summary: FlowSummary): FlowSummary => ({ ...summary, revision: 0 });

/** The same members in the same order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

function presenceAgrees(run: Run, page: Page, wrong: Wrong): void {
  for (const member of run.members) {
    if (member === page.member) continue;
    if (!page.session?.peers.has(member.id)) wrong(`${page.name} does not know ${member.name}`);
    const left = page.told.filter(({ type, peer }) => type === "peer-left" && peer === member.id);
    const joined = page.told.filter(
      ({ type, peer }) => type === "peer-joined" && peer === member.id,
    );
    if (left.length > member.leaves) {
      wrong(`${page.name} was told ${left.length} times that ${member.name} left`);
    }
    if (joined.length > member.leaves + 1) {
      wrong(`${page.name} was told ${joined.length} times that ${member.name} joined`);
    }
  }
}

function messagesAgree(run: Run, wrong: Wrong): void {
  for (const receiver of run.members) {
    for (const sender of run.members) {
      const name = `messages ${sender.name} to ${receiver.name}`;
      const isMissed = (n: number): boolean =>
        run.missedMessages.has(`${sender.id} ${receiver.id} ${n}`);
      const heard = receiver.heard.filter(({ from }) => from === sender.id);
      // A page that is loaded again knows nothing of what the one before it was told.
      for (const numbers of Map.groupBy(heard, ({ page }) => page).values()) {
        const list = numbers.map(({ n }) => n);
        if (new Set(list).size !== list.length) wrong(`${name} were delivered twice: ${list}`);
        // One that was lost on the receiver's wire comes again when its sender lost the reply as well: late.
        const kept = list.filter((n) => !isMissed(n));
        const order = kept.toSorted((one, other) => one - other);
        if (order.join() !== kept.join()) wrong(`${name} came in another order: ${list}`);
      }
      for (const { n, to, state } of sender.sent) {
        if (to !== receiver.id) continue;
        if (state === "waiting") wrong(`${name}: nobody knows what became of ${n}`);
        const isLost = !isMissed(n) && !heard.some((one) => one.n === n);
        if (state === "taken" && isLost) wrong(`${name}: ${n} was lost`);
      }
    }
  }
}

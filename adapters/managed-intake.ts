import type { PeerView } from "../protocol/message-parts.ts";
import type { ToPeer, Welcome } from "../protocol/messages.ts";
import {
  type Context,
  type ManagedLink,
  type ManagedState,
  newLink,
  type RemoteDescription,
} from "./managed-state.ts";
import { isComplete, isOther, ufragsOf } from "./offered-media.ts";
import type { SeenPeer } from "./seen-peer.ts";

/** The API takes no candidates after the description: those of a trickling peer are awaited for so long. */
const GATHERING_MS = 1000;

/** Within this time after a `welcome` the contexts that are open have come again. */
const SWEEP_MS = 5000;

/** Who joined to publish offers at once; an offer of the SFU, which it cannot take back, would be in its way. */
const JOINER_MS = 2000;

/** Pause after an offer that the peer refused or did not answer. */
const OFFER_PAUSE_MS = 2000;

type To<T extends ToPeer["type"]> = Extract<ToPeer, { type: T }>;

/** Notes in the state what a message says; what is to be done about it follows from the state. */
export function take(state: ManagedState, message: ToPeer, at: number): void {
  switch (message.type) {
    case "welcome":
      welcomed(state, message, at);
      break;
    case "peer-joined":
      leave(state, message.peer.id, at);
      join(state, message.peer, at);
      break;
    case "peer-left":
      leave(state, message.peer, at);
      break;
    case "offer":
      offered(state, message, at);
      break;
    case "answer":
      answered(state, message, at);
      break;
    case "candidates":
      gathered(state, message);
      break;
    case "reject":
    case "rollback":
    case "expired":
      withdrawn(state, message.from, message.exchange, at);
      break;
    case "context":
      if (message.op === "close") closeContext(state, message.context);
      else openContext(state, message);
      break;
    default:
  }
}

const READ: ReadonlySet<string> = new Set<ToPeer["type"]>([
  "probe",
  "welcome",
  "peer-joined",
  "peer-left",
  "offer",
  "answer",
  "candidates",
  "reject",
  "rollback",
  "expired",
  "context",
]);

/** Whether a managed media server has any use for a message. */
export const isReadByManaged = ({ type }: ToPeer): boolean => READ.has(type);

/** The session is over. */
export function leaveAll(state: ManagedState, at: number): void {
  for (const peer of Object.keys(state.links)) leave(state, peer, at);
  state.contexts = {};
  state.sweepAt = undefined;
}

/** Contexts that nobody mentioned after the last `welcome` are over. */
export function sweep(state: ManagedState, at: number): void {
  if (state.sweepAt === undefined || state.sweepAt > at) return;
  state.sweepAt = undefined;
  for (const { context, unseen } of Object.values(state.contexts)) {
    if (unseen) closeContext(state, context);
  }
}

/** Nothing of a session may stay at the SFU. */
export function abandon(state: ManagedState, link: ManagedLink, at: number): void {
  if (link.session !== undefined) state.cleanups.push({ session: link.session, attempts: 0, at });
}

function welcomed(state: ManagedState, { resumed, peers }: Welcome, at: number): void {
  const here = new Set(peers.map(({ id }) => id));
  for (const peer of Object.keys(state.links)) {
    if (!resumed || !here.has(peer)) leave(state, peer, at);
  }
  for (const peer of peers) join(state, peer, at);
  for (const context of Object.values(state.contexts)) context.unseen = true;
  state.sweepAt = Object.keys(state.contexts).length > 0 ? at + SWEEP_MS : undefined;
}

function join({ links }: ManagedState, peer: PeerView & Pick<SeenPeer, "plays">, at: number): void {
  if (peer.role !== "peer") return;
  const { id, via, subscribe, publish, plays } = peer;
  const seen: SeenPeer = {
    id,
    subscribe,
    ...(via === undefined ? {} : { via }),
    ...(plays === undefined ? {} : { plays }),
  };
  const known = links[id];
  if (known) known.peer = seen;
  else links[id] = newLink(seen, publish.length > 0 ? at + JOINER_MS : at);
}

function leave(state: ManagedState, peer: string, at: number): void {
  const link = state.links[peer];
  if (!link) return;
  abandon(state, link, at);
  delete state.links[peer];
  for (const context of Object.values(state.contexts)) {
    if (context.peer === peer) delete state.contexts[context.context];
  }
}

function offered(state: ManagedState, message: To<"offer">, at: number): void {
  const link = state.links[message.from];
  if (!link) return;
  const { exchange, sdp, restart } = message;
  link.remote = {
    exchange,
    sdp,
    ...(restart ? { restart } : {}),
    ...gathering(link, sdp, at),
  };
}

function answered(state: ManagedState, { from, exchange, sdp }: To<"answer">, at: number): void {
  const link = state.links[from];
  if (!link?.offered) return;
  link.offered.answer = { exchange, sdp, ...gathering(link, sdp, at) };
}

/** HTTP brings its later candidates after the answer only, and a generation that goes on has gathered (RFC 8839). */
function gathering(
  { peer, established, ufrags }: ManagedLink,
  sdp: string,
  at: number,
): Pick<RemoteDescription, "candidates" | "complete" | "until"> {
  const goesOn = established === true && !isOther(ufrags, ufragsOf(sdp));
  const complete = goesOn || peer.via !== undefined || isComplete(sdp);
  return { candidates: [], complete, until: at + GATHERING_MS };
}

function gathered({ links }: ManagedState, message: To<"candidates">): void {
  const link = links[message.from];
  for (const remote of [link?.remote, link?.offered?.answer]) {
    if (remote?.exchange !== message.exchange) continue;
    remote.candidates.push(...message.candidates);
    if (message.complete) remote.complete = true;
  }
}

/** The offer of either side came to nothing (N4); the SFU cannot take its own back, so it is made again. */
function withdrawn({ links }: ManagedState, from: string, exchange: number, at: number): void {
  const link = links[from];
  if (!link) return;
  if (link.remote?.exchange === exchange) link.remote = undefined;
  if (link.offered?.exchange !== exchange) return;
  link.offered.exchange = undefined;
  link.offered.answer = undefined;
  link.offered.retryAt = at + OFFER_PAUSE_MS;
}

function openContext(state: ManagedState, message: To<"context">): void {
  const { type: _type, op: _op, reason: _reason, priority: _priority, ...said } = message;
  const { revision, kind, held } = said;
  if (revision === undefined || kind === undefined || held === undefined) return;
  const known = state.contexts[said.context];
  const fresh = known === undefined || revision > known.revision;
  const context: Context = fresh
    ? { ...said, revision, kind, held, told: known?.told ?? -1 }
    : { ...known, unseen: undefined };
  state.contexts[said.context] = context;
  const pull = state.links[said.peer]?.pulls[said.mid ?? ""];
  // A player's section has its source before it has a context.
  if (pull && context.direction === "downlink") pull.context ??= said.context;
}

function closeContext(state: ManagedState, id: string): void {
  const context = state.contexts[id];
  if (!context) return;
  delete state.contexts[id];
  const link = state.links[context.peer];
  if (!link) return;
  if (context.direction === "uplink") {
    const publication = link.publications[context.mid ?? ""];
    if (publication) publication.ended = true;
    return;
  }
  for (const pull of Object.values(link.pulls)) if (pull.context === id) pull.ended = true;
}

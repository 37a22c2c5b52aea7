import { sameSource, sourceFor } from "./downlink-sources.ts";
import type {
  BackendOffer,
  Change,
  Context,
  ManagedLink,
  ManagedState,
  Operation,
  RemoteDescription,
  Wanted,
} from "./managed-state.ts";
import { isAnew } from "./publications.ts";

/** Tracks that one call may add. */
const MOST_TRACKS = 64;

/**
 * What is to be done next on a link; undefined when nothing is, or not yet. The order is that of the back end: an
 * offer of its own has to be answered before anything else is negotiated, tracks can be closed and changed at any
 * time.
 */
export function nextOperation(
  state: ManagedState,
  link: ManagedLink,
  at: number,
): Operation | undefined {
  const ended = link.session === undefined || !isDue(link.closeAt, at) ? [] : endedMids(link);
  if (ended.length > 0) return { type: "close", mids: ended };
  const { offered, remote } = link;
  if (offered) return withOpenOffer(offered, remote, at);
  if (remote) return withRemote(link, remote, at);
  if (link.session !== undefined) {
    const changes = changesOf(state, link, at);
    if (changes.length > 0) return { type: "update", changes };
  }
  const wanted = wantedOf(state, link, at);
  if (wanted.length > 0) return { type: "pull", wanted };
  const isChecked = link.checkAt !== undefined && link.session !== undefined;
  return isChecked && isDue(link.checkAt, at) ? { type: "inspect" } : undefined;
}

/** The API cannot take an offer back: the peer's has to give way. */
function withOpenOffer(
  offered: BackendOffer,
  remote: RemoteDescription | undefined,
  at: number,
): Operation | undefined {
  const { answer, exchange } = offered;
  // An offer that comes behind the answer can wait for it.
  if (answer && answer.exchange === exchange) {
    return isReady(answer, at) ? { type: "answer", answer, offered } : undefined;
  }
  if (remote) {
    return { type: "refuse", remote, reason: "the media server's own offer comes first" };
  }
  if (exchange !== undefined) return undefined;
  return isDue(offered.retryAt, at) ? { type: "offer", offered } : undefined;
}

function withRemote(
  link: ManagedLink,
  remote: RemoteDescription,
  at: number,
): Operation | undefined {
  const { peer } = link;
  if (!isReady(remote, at)) return undefined;
  if (peer.via !== undefined && remote.restart) {
    // RFC 9725 s4.3.3 has no place for the DTLS fingerprint that a new connection would come with.
    return { type: "refuse", remote, reason: "the managed SFU cannot restart ICE: connect again" };
  }
  if (link.session === undefined && link.inForce && !isAnew(link, remote)) {
    // An answer with other credentials would restart ICE, which only an offer may (RFC 8839 s4.4.1.1.1).
    return { type: "refuse", remote, reason: "the connection to the SFU is lost: restart ICE" };
  }
  return { type: peer.via === "whep" ? "play" : "publish", remote };
}

const isDue = (retryAt: number | undefined, at: number): boolean =>
  retryAt === undefined || retryAt <= at;

const isReady = ({ complete, until }: RemoteDescription, at: number): boolean =>
  complete || until <= at;

function endedMids({ publications, pulls }: ManagedLink): string[] {
  return [...Object.entries(publications), ...Object.entries(pulls)]
    .filter(([_mid, { ended }]) => ended)
    .map(([mid]) => mid);
}

/** Sections whose source, or layer, is not what it should be. */
function changesOf(state: ManagedState, link: ManagedLink, at: number): Change[] {
  return Object.entries(link.pulls).flatMap(([mid, pull]) => {
    const context = pull.context === undefined ? undefined : state.contexts[pull.context];
    if (!context || context.failure || pull.ended || !isDue(context.retryAt, at)) return [];
    const source = sourceFor(state, context, pull.source);
    return source && !sameSource(source, pull.source) ? [{ mid, source }] : [];
  });
}

/** Contexts of a peer that receives by offers of the media server and has no section for them yet. */
function wantedOf(state: ManagedState, link: ManagedLink, at: number): Wanted[] {
  if (link.peer.via !== undefined || !isDue(link.quietUntil, at)) return [];
  const pulled = new Set(Object.values(link.pulls).map(({ context }) => context));
  const wanted = Object.values(state.contexts).flatMap((context) => {
    const { kind } = context;
    if (!isWanted(context, link, at) || kind === "data" || pulled.has(context.context)) return [];
    const source = sourceFor(state, context);
    return source ? [{ context: context.context, kind, source }] : [];
  });
  return wanted.slice(0, MOST_TRACKS);
}

/** What is held from the start is not asked for before it is let go. */
const isWanted = (context: Context, { peer }: ManagedLink, at: number): boolean =>
  context.direction === "downlink" &&
  context.peer === peer.id &&
  !context.held &&
  context.failure === undefined &&
  isDue(context.retryAt, at);

/** When something is to be done that no message brings about. */
export function deadlinesOf(state: ManagedState): number[] {
  const links = Object.values(state.links);
  return [
    state.sweepAt,
    ...state.cleanups.map(({ at }) => at),
    ...Object.values(state.contexts).map(({ failure, retryAt }) => (failure ? undefined : retryAt)),
    ...links.flatMap((link) => deadlinesOfLink(link)),
  ].filter((at) => at !== undefined);
}

function deadlinesOfLink(link: ManagedLink): (number | undefined)[] {
  const { remote, offered, quietUntil, checkAt, closeAt } = link;
  const awaited = [remote, offered?.answer].map((each) =>
    each && !each.complete ? each.until : undefined,
  );
  return [
    ...awaited,
    offered?.exchange === undefined ? offered?.retryAt : undefined,
    quietUntil,
    checkAt,
    endedMids(link).length > 0 ? closeAt : undefined,
  ];
}

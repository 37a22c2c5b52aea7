import { isSame } from "./flows/same.ts";
import type { PeerView } from "./message-parts.ts";
import type { ToPeer, Welcome } from "./messages.ts";
import { TOLD_LIMITS } from "./told-limits.ts";

/**
 * Values that most calls have: a socket with `?defaults=omit` is not sent them, and its reader puts them back. They are
 * part of `duplex.v1`: others would be another protocol.
 */

const KINDS: PeerView["publish"] = ["audio", "video", "data"];

const PEER: Pick<PeerView, "role" | "publish" | "subscribe" | "state"> = {
  role: "peer",
  publish: KINDS,
  subscribe: KINDS,
  state: "connected",
};

const SESSION: Omit<Welcome["session"], "id" | "createdAt" | "metadata"> = {
  topology: "mesh",
  iceTransportPolicy: "all",
  sdpPolicy: "enforce",
  resumeSeconds: 60,
};

const PEERS = 16;

/** The members that a welcome has beside these, and beside those of its parts. */
const WELCOME: Pick<Welcome, "resumed" | "peers" | "links" | "flows"> = {
  resumed: false,
  peers: [],
  links: [],
  flows: { revision: 0, flows: [], transports: [] },
};

/** What may be left out, as the document of the protocol shows it. */
export const USUAL = {
  peer: PEER,
  session: SESSION,
  limits: { ...TOLD_LIMITS, peers: PEERS },
  ...WELCOME,
};

function without(value: object, usual: object): object {
  const members = Object.entries(value);
  return Object.fromEntries(
    members.filter(([name, member]) => !isSame(member, Reflect.get(usual, name))),
  );
}

/** A message as it is sent to a socket that asked for no usual values. */
export function withoutUsual(message: ToPeer): object {
  if (message.type === "peer-joined") {
    return { ...message, peer: without(message.peer, PEER) };
  }
  if (message.type !== "welcome") return message;
  const { peer, session, limits, peers } = message;
  const lean = {
    ...message,
    peer: without(peer, PEER),
    session: without(session, SESSION),
    limits: without(limits, USUAL.limits),
    peers: peers.map((each) => without(each, PEER)),
  };
  return without(lean, { ...WELCOME, limits: {} });
}

const wholePeer = (peer: PeerView): PeerView => ({ ...PEER, ...peer });

/** What such a message says; any other is as it came. */
export function withUsual<M extends { readonly type: string }>(message: M | ToPeer): M | ToPeer {
  if (isOf(message, "peer-joined")) return { ...message, peer: wholePeer(message.peer) };
  if (!isOf(message, "welcome")) return message;
  const welcome: Welcome = { ...WELCOME, ...message };
  return {
    ...welcome,
    peer: wholePeer(welcome.peer),
    session: { ...SESSION, ...welcome.session },
    limits: { ...USUAL.limits, ...welcome.limits },
    peers: welcome.peers.map(wholePeer),
  };
}

const isOf = <T extends ToPeer["type"]>(
  message: { readonly type: string },
  type: T,
): message is Extract<ToPeer, { type: T }> => message.type === type;

import type { LinkSummary, PeerView } from "../protocol/message-parts.ts";
import type { Welcome } from "../protocol/messages.ts";
import type { Emitter } from "./emitter.ts";
import { Link, type LinkFrame, type LinkHost, type RemoteTrack } from "./link.ts";
import type { NegotiationStart } from "./negotiation-host.ts";
import type { SignallingPort } from "./requests.ts";
import { mayLink } from "./rights.ts";
import type { SessionEvents } from "./session-events.ts";
import type { Notice } from "./signalling-listener.ts";

type PeerNotice = Extract<Notice, { type: "peer-joined" | "peer-left" | "drain" }> | LinkFrame;

/** What links share. */
export type LinksContext = Pick<
  LinkHost,
  | "publications"
  | "flowReports"
  | "flowDuties"
  | "iceServers"
  | "configuration"
  | "flows"
  | "settled"
>;

/** The other peers of a session and the links to those that this peer may have one with. */
export class Links {
  readonly #port: SignallingPort;
  readonly #events: Emitter<SessionEvents>;
  readonly #context: LinksContext;
  readonly #peers = new Map<string, PeerView>();
  readonly #links = new Map<string, Link>();
  #self: PeerView | undefined;
  #topology: "mesh" | "central" = "mesh";

  constructor(port: SignallingPort, events: Emitter<SessionEvents>, context: LinksContext) {
    this.#port = port;
    this.#events = events;
    this.#context = context;
  }

  get peers(): ReadonlyMap<string, PeerView> {
    return this.#peers;
  }

  get tracks(): readonly RemoteTrack[] {
    return [...this.#links.values()].flatMap(({ tracks }) => tracks);
  }

  get(peer: string): Link | undefined {
    return this.#links.get(peer);
  }

  map<T>(visit: (link: Link) => T): T[] {
    return [...this.#links.values()].map(visit);
  }

  /** The first frame: this peer joined, so it offers to those who are there. */
  join(welcome: Welcome): void {
    this.#self = welcome.peer;
    this.#topology = welcome.session.topology;
    for (const peer of welcome.peers) {
      this.#add(peer, true, welcome.resumed ? summaryOf(welcome, peer.id) : undefined);
    }
  }

  /** A later socket's first frame: who came and went meanwhile, and how far each link is. */
  resume(welcome: Welcome): void {
    this.#self = welcome.peer;
    const forgotten = !welcome.resumed;
    if (forgotten) this.close();
    const present = new Map(welcome.peers.map((peer) => [peer.id, peer]));
    for (const [id, known] of [...this.#peers]) {
      // Another time of joining: it left and came back, its links are not those known here.
      if (present.get(id)?.joinedAt !== known.joinedAt) this.#remove(id, "lost");
    }
    for (const peer of welcome.peers) {
      const isNew = !this.#peers.has(peer.id);
      this.#peers.set(peer.id, peer);
      // A peer that the session had forgotten joins anew, so it offers.
      if (isNew || forgotten) this.#add(peer, forgotten, undefined);
      else this.#links.get(peer.id)?.resume(summaryOf(welcome, peer.id));
      if (isNew) this.#events.emit("peer-joined", { peer });
    }
  }

  notice(frame: PeerNotice): void {
    switch (frame.type) {
      case "peer-joined":
        this.#join(frame.peer);
        return;
      case "peer-left":
        this.#remove(frame.peer, frame.reason);
        return;
      case "drain":
        this.#drain(frame.peer);
        return;
      default:
        if (frame.type === "offer") this.#answerHttp(frame.from);
        this.#links.get(frame.from)?.frame(frame);
    }
  }

  close(): void {
    for (const [id, link] of [...this.#links]) {
      this.#links.delete(id);
      link.close();
    }
  }

  #join(peer: PeerView): void {
    // A frame that came twice is no news: its link goes on.
    if (this.#peers.get(peer.id)?.joinedAt === peer.joinedAt) return;
    this.#remove(peer.id, "lost");
    this.#add(peer, false, undefined);
    this.#events.emit("peer-joined", { peer });
  }

  #add(peer: PeerView, offers: boolean, summary: LinkSummary | undefined): void {
    this.#peers.set(peer.id, peer);
    if (this.#isServer(peer)) this.#chooseServer(summary && { peer: peer.id, summary });
    else if (peer.via === undefined) this.#link(peer, { offers, summary });
    // Whoever came by HTTP is for one peer only, which its offer tells.
    else if (summary !== undefined) this.#takeOverHttp(peer, summary);
  }

  /**
   * A page before this one agreed with a WHIP or WHEP client, and nobody can offer it anything else: told that its
   * media are over, the server ends its session, and it comes again. Its first offer is still to be answered.
   */
  #takeOverHttp(peer: PeerView, summary: LinkSummary): void {
    if (summary.has.some(({ description }) => description === "answer")) {
      this.#port.send({ type: "transport", to: peer.id, state: "closed" });
    } else this.#link(peer, { offers: false, summary });
  }

  #link(peer: PeerView, start: NegotiationStart): void {
    const self = this.#self;
    if (self === undefined || !mayLink(self, peer, this.#topology)) return;
    const isAnswererOnly = peer.via !== undefined;
    this.#links.set(peer.id, new Link(this.#hostFor(self), peer, { ...start, isAnswererOnly }));
  }

  #answerHttp(id: string): void {
    const peer = this.#peers.get(id);
    if (peer?.via !== undefined && !this.#links.has(id)) this.#link(peer, { offers: false });
  }

  /** Of several media servers of a central session all peers use the same one, the managed one if there is no other. */
  #isServer(peer: PeerView): boolean {
    return (
      this.#topology === "central" && this.#self?.role === "peer" && peer.role === "media-server"
    );
  }

  /** Whoever comes first, this peer offers: a media server has nothing to send before it is sent something. */
  #chooseServer(known?: { peer: string; summary: LinkSummary }): void {
    const [server] = [...this.#peers.values()]
      .filter((peer) => this.#isServer(peer))
      .sort((one, other) => rankOf(one) - rankOf(other) || one.joinedAt - other.joinedAt);
    if (!server || this.#links.has(server.id)) return;
    const summary = known?.peer === server.id ? known.summary : undefined;
    this.#link(server, { offers: true, summary });
  }

  #drain(id: string): void {
    const peer = this.#peers.get(id);
    if (!peer) return;
    this.#peers.set(id, { ...peer, draining: true });
    this.#chooseServer();
  }

  /** What the new media server carries, those that are leaving need not. */
  #relieve(id: string, state: RTCPeerConnectionState): void {
    const server = this.#peers.get(id);
    if (state !== "connected" || !server || !this.#isServer(server) || server.draining) return;
    for (const [other, link] of this.#links) {
      const former = this.#peers.get(other);
      if (!former || rankOf(former) <= rankOf(server)) continue;
      this.#links.delete(other);
      link.close();
    }
  }

  #remove(id: string, reason: SessionEvents["peer-left"]["reason"]): void {
    const link = this.#links.get(id);
    this.#links.delete(id);
    link?.close();
    const isKnown = this.#peers.delete(id);
    if (link) this.#chooseServer();
    if (isKnown) this.#events.emit("peer-left", { peer: id, reason });
  }

  #hostFor(self: PeerView): LinkHost {
    return {
      ...this.#context,
      self,
      port: this.#port,
      linkState: (peer, state) => {
        this.#relieve(peer, state);
        this.#events.emit("link", { peer, state });
      },
      track: (track) => this.#events.emit("track", track),
      trackEnded: (track) => this.#events.emit("track-ended", track),
      problem: (error, peer) => this.#events.emit("problem", { error, peer }),
      found: (findings, peer) => this.#events.emit("findings", { peer, findings }),
    };
  }
}

function summaryOf(welcome: Welcome, peer: string): LinkSummary | undefined {
  return welcome.links.find(({ peers }) => peers.includes(peer));
}

/** One that is leaving comes last, a managed one before that. */
const rankOf = ({ draining, managed }: PeerView): number => (draining ? 2 : managed ? 1 : 0);

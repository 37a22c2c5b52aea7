import type { IceServer } from "../../protocol/ice-server.ts";
import type { PeerView } from "../../protocol/message-parts.ts";
import type { ToPeer, Welcome } from "../../protocol/messages.ts";
import { Contexts } from "./contexts.ts";
import { codeOf, log, logRefusal } from "./log.ts";
import { PeerLink, type Via } from "./peer-link.ts";
import { reportQuality } from "./reports.ts";
import type { Settings } from "./settings.ts";
import { Signalling } from "./signalling.ts";

/** What invites a media server into a session: the answer of `POST /v1/sessions/{id}/peers`. */
export interface Invitation {
  readonly peer: { readonly id: string };
  readonly token: string;
  readonly signalling: { readonly url: string };
  readonly iceServers: readonly IceServer[];
}

const QUALITY_MS = 2_000;
/** After a resume every context that is still open is told again; those that are not are gone. */
const RETOLD_MS = 3_000;

/** The media server in one session: its links with the peers there, and what they carry. */
export class Session {
  readonly #settings: Settings;
  readonly #ended: () => void;
  readonly #signalling: Signalling;
  readonly #links = new Map<string, PeerLink>();
  readonly #peers = new Map<string, Via>();
  readonly #contexts: Contexts;
  readonly #reports: ReturnType<typeof setInterval>;
  #iceServers: readonly IceServer[];
  #draining = false;
  #closed = false;

  /** `ended` is called once, when the session is over for this media server. */
  constructor(invitation: Invitation, settings: Settings, ended: () => void) {
    this.#settings = settings;
    this.#ended = ended;
    this.#iceServers = invitation.iceServers;
    this.#signalling = new Signalling(invitation.signalling.url, invitation.token, {
      welcomed: (welcome) => this.#welcomed(welcome),
      received: (message) => this.#received(message),
      ended: () => this.#close(),
    });
    this.#contexts = new Contexts(this.#signalling, (peer) => this.#link(peer));
    this.#reports = setInterval(() => this.#report(), QUALITY_MS);
  }

  get empty(): boolean {
    return this.#links.size === 0;
  }

  /** Takes nothing new from now on; the server tells the peers. */
  drain(): void {
    this.#draining = true;
    this.#contexts.refuseNew();
    this.#signalling.request({ type: "drain" }).catch(logRefusal("drain-refused"));
  }

  async leave(reason: string): Promise<void> {
    await Promise.race([
      this.#signalling.request({ type: "leave", reason }).catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, 1_000)),
    ]);
    this.#close();
  }

  #welcomed(welcome: Welcome): void {
    log("welcome", { peer: welcome.peer.id, peers: welcome.peers.length });
    this.#iceServers = welcome.iceServers;
    const there = new Set(welcome.peers.map(({ id }) => id));
    for (const peer of this.#links.keys()) {
      if (!welcome.resumed || !there.has(peer)) this.#drop(peer);
    }
    for (const peer of welcome.peers) this.#meet(peer);
    if (welcome.resumed) this.#contexts.expectAgain(RETOLD_MS);
    else this.#contexts.clear();
    for (const link of this.#links.values()) link.tellAgain();
  }

  #received(message: ToPeer): void {
    switch (message.type) {
      case "peer-joined":
        this.#meet(message.peer);
        return;
      case "peer-left":
        this.#drop(message.peer);
        this.#peers.delete(message.peer);
        return;
      case "context":
        this.#contexts.receive(message);
        return;
      case "ice-servers":
        this.#iceServers = message.iceServers;
        return;
      case "closing":
        log("closing", { code: message.code });
        return;
      default:
        this.#negotiate(message);
    }
  }

  #negotiate(message: ToPeer): void {
    switch (message.type) {
      case "offer":
        this.#link(message.from)?.negotiation.offered(message.exchange, message.sdp);
        return;
      case "answer":
        this.#links.get(message.from)?.negotiation.answered(message.exchange, message.sdp);
        return;
      case "candidates":
        this.#links.get(message.from)?.negotiation.candidates(message.candidates);
        return;
      case "reject":
        this.#links.get(message.from)?.negotiation.refused(message.exchange, false);
        return;
      case "expired":
        this.#links.get(message.from)?.negotiation.refused(message.exchange, true);
        return;
      default:
      // Flows, findings and messages of applications are nothing to a forwarder of media.
    }
  }

  #meet({ id, via }: PeerView): void {
    this.#peers.set(id, via ?? "native");
  }

  /** The link with a peer, which begins with its first offer or context. */
  #link(peer: string): PeerLink | undefined {
    const link = this.#links.get(peer);
    if (link !== undefined || this.#draining || this.#closed) return link;
    const via = this.#peers.get(peer);
    if (via === undefined) return undefined;
    const opened = new PeerLink({
      peer,
      via,
      iceServers: this.#iceServers,
      settings: this.#settings,
      signalling: this.#signalling,
      changed: () => this.#contexts.plug(),
    });
    this.#links.set(peer, opened);
    return opened;
  }

  #drop(peer: string): void {
    const link = this.#links.get(peer);
    this.#links.delete(peer);
    this.#contexts.forget(peer);
    link?.close().catch((thrown) => log("close-failed", { peer, code: codeOf(thrown) }));
  }

  #report(): void {
    for (const peer of this.#links.keys()) {
      const flows = reportQuality(this.#contexts.of(peer));
      if (flows.length > 0) this.#signalling.send({ type: "quality", to: peer, flows });
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#reports);
    for (const peer of [...this.#links.keys()]) this.#drop(peer);
    this.#contexts.clear();
    this.#signalling.close();
    this.#ended();
  }
}

import { type Closed, type Flow, join, type Publication, type Session } from "../client/duplex.ts";
import type { Invitation } from "./back-end.ts";
import { openScreen, stop } from "./local-media.ts";
import type { Tiles } from "./tiles.ts";

/** What a call tells the page around it. */
export interface CallPage {
  changed(): void;
  problem(code: string, detail: string): void;
  closed(closed: Closed): void;
}

/** What the pages of a call tell each other about their senders, which media does not say. */
interface SenderStatus {
  readonly muted: boolean;
  readonly dark: boolean;
}

const isSenderStatus = (body: unknown): body is SenderStatus =>
  typeof body === "object" && body !== null && "muted" in body && "dark" in body;

/** One call: the session, the tracks of this device, and the tiles that show everybody. */
export class Call {
  readonly session: Session<Flow>;
  readonly #stream: MediaStream;
  readonly #tiles: Tiles;
  readonly #page: CallPage;
  #choosing = false;
  #closed = false;
  #screen: { readonly stream: MediaStream; readonly publication: Publication } | undefined;

  private constructor(session: Session<Flow>, stream: MediaStream, tiles: Tiles, page: CallPage) {
    this.session = session;
    this.#stream = stream;
    this.#tiles = tiles;
    this.#page = page;
    for (const track of stream.getTracks()) session.publish(track, stream);
    this.#show();
    this.#listen();
  }

  /** Joins with what the device has. Rejects with the SDK's `DuplexError`. */
  static async join(
    { signalling, token }: Invitation,
    stream: MediaStream,
    tiles: Tiles,
    page: CallPage,
  ): Promise<Call> {
    const session = await join({ url: signalling.url, token, flowRecords: "full" });
    return new Call(session, stream, tiles, page);
  }

  get sharing(): boolean {
    return this.#screen !== undefined;
  }

  has(kind: "audio" | "video"): boolean {
    return this.#tracks(kind).length > 0;
  }

  /** True when this side's tracks of the kind are switched off. */
  off(kind: "audio" | "video"): boolean {
    return this.#tracks(kind).every(({ enabled }) => !enabled);
  }

  toggle(kind: "audio" | "video"): void {
    const enabled = this.off(kind);
    for (const track of this.#tracks(kind)) track.enabled = enabled;
    this.#tiles.status(this.session.peer.id, this.#status());
    for (const peer of this.session.peers.keys()) this.#tell(peer);
    this.#page.changed();
  }

  async share(): Promise<void> {
    if (this.#choosing) return;
    this.#choosing = true;
    const stream = await openScreen();
    this.#choosing = false;
    const track = stream?.getVideoTracks()[0];
    if (stream === undefined || track === undefined) return;
    if (this.#closed) {
      stop(stream);
      return;
    }
    this.#screen = { stream, publication: this.session.publish(track, stream) };
    // The browser has a button of its own to end it.
    track.addEventListener("ended", () => this.stopSharing());
    this.#tiles.showOwn(this.session.peer.id, stream, false);
    this.#page.changed();
  }

  stopSharing(): void {
    if (this.#screen === undefined) return;
    const { stream, publication } = this.#screen;
    this.#screen = undefined;
    publication.unpublish();
    stop(stream);
    this.#tiles.hideOwn(this.session.peer.id, stream);
    this.#page.changed();
  }

  leave(reason?: string): void {
    this.session.leave(reason);
  }

  #tracks(kind: "audio" | "video"): MediaStreamTrack[] {
    return kind === "audio" ? this.#stream.getAudioTracks() : this.#stream.getVideoTracks();
  }

  #status(): SenderStatus {
    return {
      muted: !this.has("audio") || this.off("audio"),
      dark: this.has("video") && this.off("video"),
    };
  }

  /** What is lost because the peer is away is told again when its link is connected. */
  #tell(peer: string): void {
    this.session.send(peer, this.#status()).catch(() => undefined);
  }

  #show(): void {
    const { peer, peers } = this.session;
    this.#tiles.clear();
    this.#tiles.addPeer(peer.id, `${peer.name ?? "Guest"} (you)`);
    if (this.has("video")) this.#tiles.showOwn(peer.id, this.#stream, true);
    for (const other of peers.values()) {
      if (other.role !== "observer") this.#tiles.addPeer(other.id, other.name ?? "Guest");
    }
  }

  #listen(): void {
    const { session } = this;
    const tiles = this.#tiles;
    session.on("peer-joined", ({ peer }) => {
      if (peer.role !== "observer") tiles.addPeer(peer.id, peer.name ?? "Guest");
      this.#page.changed();
    });
    session.on("peer-left", ({ peer }) => {
      tiles.removePeer(peer);
      this.#page.changed();
    });
    session.on("track", (track) => tiles.show(track));
    session.on("track-ended", (track) => tiles.hide(track));
    session.on("link", ({ peer, state }) => {
      tiles.link(peer, state);
      if (state === "connected") this.#tell(peer);
    });
    session.on("message", ({ peer, body }) => {
      if (isSenderStatus(body)) tiles.status(peer, body);
    });
    session.on("flows", () => this.#page.changed());
    session.on("state", () => this.#page.changed());
    session.on("problem", ({ error }) => this.#page.problem(error.code, error.detail));
    session.on("closed", (closed) => {
      this.#closed = true;
      if (this.#screen !== undefined) stop(this.#screen.stream);
      stop(this.#stream);
      tiles.clear();
      this.#page.closed(closed);
    });
  }
}

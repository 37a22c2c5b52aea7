import type { RemoteTrack } from "../client/duplex.ts";
import { make, setText } from "./element.ts";
import { wordsForLink } from "./words.ts";

interface Tile {
  readonly figure: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly state: HTMLElement;
}

/** The pictures of the call: one tile for each stream of each peer, and one for a peer that sends nothing. */
export class Tiles {
  readonly #container: HTMLElement;
  readonly #names = new Map<string, string>();
  readonly #tiles = new Map<string, Map<string, Tile>>();
  readonly #states = new Map<string, RTCPeerConnectionState>();

  constructor(container: HTMLElement) {
    this.#container = container;
  }

  /** Adds a peer; its tile shows its name until it sends something. */
  addPeer(peer: string, name: string): void {
    this.removePeer(peer);
    this.#names.set(peer, name);
    this.#tiles.set(peer, new Map());
    this.#addTile(peer, "");
  }

  removePeer(peer: string): void {
    for (const { figure } of this.#tiles.get(peer)?.values() ?? []) figure.remove();
    this.#tiles.delete(peer);
    this.#states.delete(peer);
  }

  clear(): void {
    for (const peer of [...this.#tiles.keys()]) this.removePeer(peer);
  }

  /** Shows this side's own stream: silent, and mirrored when it is the camera. */
  showOwn(peer: string, stream: MediaStream, mirrored: boolean): void {
    const { figure, video } = this.#tileFor(peer, stream);
    figure.classList.add("own");
    figure.classList.toggle("mirrored", mirrored);
    video.muted = true;
    this.#refresh(figure, video);
  }

  hideOwn(peer: string, stream: MediaStream): void {
    this.#drop(peer, stream.id);
  }

  /** Marks own video as switched off or on. */
  dim(peer: string, off: boolean): void {
    for (const { figure } of this.#tiles.get(peer)?.values() ?? []) {
      if (figure.classList.contains("mirrored")) figure.classList.toggle("dark", off);
    }
  }

  show({ peer, track, streams }: RemoteTrack): void {
    const stream = streams[0] ?? new MediaStream([track]);
    const { figure, video } = this.#tileFor(peer, stream);
    for (const type of ["mute", "unmute", "ended"]) {
      track.addEventListener(type, () => this.#refresh(figure, video));
    }
    this.#refresh(figure, video);
    video.play().catch(() => figure.classList.add("blocked"));
  }

  hide({ peer, streams }: RemoteTrack): void {
    const stream = streams[0];
    if (stream === undefined) return;
    const live = stream.getTracks().some((track) => track.readyState === "live");
    if (!live || stream.getTracks().length === 0) this.#drop(peer, stream.id);
  }

  link(peer: string, state: RTCPeerConnectionState): void {
    this.#states.set(peer, state);
    for (const tile of this.#tiles.get(peer)?.values() ?? []) this.#showState(peer, tile);
  }

  #showState(peer: string, { figure, state }: Tile): void {
    const known = this.#states.get(peer);
    if (known === undefined) return;
    figure.dataset.link = known;
    setText(state, wordsForLink(known));
  }

  /** The first stream takes the tile that was waiting for it. */
  #tileFor(peer: string, stream: MediaStream): Tile {
    const tiles = this.#tiles.get(peer) ?? new Map<string, Tile>();
    this.#tiles.set(peer, tiles);
    const waiting = tiles.get("");
    if (waiting !== undefined) {
      tiles.delete("");
      tiles.set(stream.id, waiting);
    }
    const tile = tiles.get(stream.id) ?? this.#addTile(peer, stream.id);
    if (tile.video.srcObject !== stream) tile.video.srcObject = stream;
    return tile;
  }

  #drop(peer: string, streamId: string): void {
    const tiles = this.#tiles.get(peer);
    const tile = tiles?.get(streamId);
    if (tiles === undefined || tile === undefined) return;
    tiles.delete(streamId);
    tile.figure.remove();
    if (tiles.size === 0) this.#addTile(peer, "");
  }

  #addTile(peer: string, streamId: string): Tile {
    // The first stream of a peer is its camera; another one is a screen.
    const extra = (this.#tiles.get(peer)?.size ?? 0) > 0 ? ", screen" : "";
    const name = `${this.#names.get(peer) ?? "Guest"}${extra}`;
    const figure = make("figure", "tile empty");
    figure.dataset.tile = peer;
    const video = make("video");
    video.dataset.peer = peer;
    video.autoplay = true;
    video.playsInline = true;
    video.setAttribute("aria-label", name);
    const face = make("span", "face", [...name][0]?.toUpperCase() ?? "?");
    face.setAttribute("aria-hidden", "true");
    const state = make("span", "link-state");
    const caption = make("figcaption");
    caption.append(make("span", "who", name), state);
    figure.append(video, face, caption);
    figure.addEventListener("click", () => {
      // Sound that the browser held back may start with a click.
      figure.classList.remove("blocked");
      video.play().catch(() => figure.classList.add("blocked"));
    });
    this.#container.append(figure);
    const tile = { figure, video, state };
    this.#tiles.get(peer)?.set(streamId, tile);
    this.#showState(peer, tile);
    return tile;
  }

  #refresh(figure: HTMLElement, video: HTMLVideoElement): void {
    const stream = video.srcObject instanceof MediaStream ? video.srcObject : undefined;
    const picture = stream?.getVideoTracks().some(({ muted, readyState }) => {
      return !muted && readyState === "live";
    });
    figure.classList.toggle("empty", picture !== true);
  }
}

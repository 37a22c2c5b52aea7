import type { RemoteTrack } from "../client/duplex.ts";
import { make, setText } from "./element.ts";
import { wordsForLink } from "./words.ts";

interface Tile {
  readonly figure: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly state: HTMLElement;
  readonly muted: HTMLElement;
}

/** What a peer says of its microphone and its camera. */
interface Status {
  readonly muted: boolean;
  readonly dark: boolean;
}

/** The pictures of the call: one tile for each stream of each peer, and one for a peer that sends nothing. */
export class Tiles {
  readonly #container: HTMLElement;
  readonly #names = new Map<string, string>();
  readonly #tiles = new Map<string, Map<string, Tile>>();
  readonly #states = new Map<string, RTCPeerConnectionState>();
  readonly #statuses = new Map<string, Status>();

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
    this.#statuses.delete(peer);
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

  /** Shows whose microphone or camera is switched off. */
  status(peer: string, status: Status): void {
    this.#statuses.set(peer, status);
    for (const tile of this.#tiles.get(peer)?.values() ?? []) this.#showStatus(peer, tile);
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

  #showStatus(peer: string, { figure, muted }: Tile): void {
    const camera = !figure.classList.contains("screen");
    const status = this.#statuses.get(peer);
    figure.classList.toggle("dark", camera && status?.dark === true);
    setText(muted, camera && status?.muted === true ? "muted" : "");
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
    const screen = (this.#tiles.get(peer)?.size ?? 0) > 0;
    const name = `${this.#names.get(peer) ?? "Guest"}${screen ? ", screen" : ""}`;
    const figure = make("figure", screen ? "tile empty screen" : "tile empty");
    figure.dataset.tile = peer;
    const video = make("video");
    video.dataset.peer = peer;
    video.autoplay = true;
    video.playsInline = true;
    video.setAttribute("aria-label", name);
    const face = make("span", "face", [...name][0]?.toUpperCase() ?? "?");
    face.setAttribute("aria-hidden", "true");
    const state = make("span", "pip link-state");
    const muted = make("span", "pip");
    const caption = make("figcaption");
    caption.append(make("span", "pip who", name), muted, state);
    figure.append(video, face, this.#unblock(figure, video), caption);
    this.#container.append(figure);
    const tile = { figure, video, state, muted };
    this.#tiles.get(peer)?.set(streamId, tile);
    this.#showState(peer, tile);
    this.#showStatus(peer, tile);
    return tile;
  }

  /** Sound that the browser held back may start with a click. */
  #unblock(figure: HTMLElement, video: HTMLVideoElement): HTMLButtonElement {
    const button = make("button", "unblock", "Click to see and hear");
    button.type = "button";
    button.addEventListener("click", () => {
      figure.classList.remove("blocked");
      video.play().catch(() => figure.classList.add("blocked"));
    });
    return button;
  }

  #refresh(figure: HTMLElement, video: HTMLVideoElement): void {
    const stream = video.srcObject instanceof MediaStream ? video.srcObject : undefined;
    const picture = stream?.getVideoTracks().some(({ muted, readyState }) => {
      return !muted && readyState === "live";
    });
    figure.classList.toggle("empty", picture !== true);
  }
}

import { CloudflareRealtime } from "../adapters/cloudflare-realtime.ts";
import { ManagedMediaServer } from "../adapters/managed-media-server.ts";
import type { ManagedState } from "../adapters/managed-state.ts";
import type { MediaServerPort } from "../adapters/media-server-port.ts";
import { offeredSections, printsOf } from "../adapters/offered-media.ts";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import { readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import type { Grant } from "../protocol/session-config.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";
import { checkBody } from "./realtime-schemas.ts";
import { RealtimeStandIn, STAND_IN, withSimulcast } from "./realtime-stand-in.ts";

/** `evicted`: the media server is made anew from its JSON before every message. */
export type SceneMode = "awake" | "evicted";
export const SCENE_MODES: readonly SceneMode[] = ["awake", "evicted"];

type Section = NonNullable<Shape["sections"]>[number] & { readonly mid: string };
type Kind = "audio" | "video";

/** A peer with one connection, as a browser would have it. */
export class ScenePeer {
  readonly id: string;
  sections: Section[] = [];
  /** What a browser does not answer on its own. */
  answers = true;
  /** Its offer was refused: it makes another one after the media server's. */
  isWaiting = false;
  /** Answers without these sections. */
  readonly rejects = new Set<string>();
  /** Layers of its first video. */
  rids: readonly string[] = [];
  /** What it has not offered yet. */
  readonly #unsent: Section[] = [];
  #connection = 1;
  #version = 0;
  #generation = 1;
  #prints: string[] = [];

  constructor(id: string) {
    this.id = id;
  }

  describe(setup: "actpass" | "active" = "actpass"): string {
    this.#version += 1;
    if (setup === "actpass") this.sections.push(...this.#unsent.splice(0));
    const of = `${this.id}${this.#connection}`;
    const ufrag = `${of}u${this.#generation}`;
    const { sections } = this;
    const sdp = sdpOf({ of, ufrag, version: this.#version, setup, sections });
    const video = sections.find(
      ({ kind, direction }) => kind === "video" && direction === "sendonly",
    );
    return video && this.rids.length > 0 ? withSimulcast(sdp, video.mid, "send", this.rids) : sdp;
  }

  add(kind: Kind, direction: "sendonly" | "recvonly" = "sendonly"): string {
    const mid = `${direction.slice(0, 4)}${this.sections.length}`;
    this.sections.push({ kind, mid, direction });
    return mid;
  }

  turn(mid: string, direction: NonNullable<Section["direction"]>): void {
    this.sections = this.sections.map((each) => (each.mid === mid ? { ...each, direction } : each));
  }

  restart(): void {
    this.#generation += 1;
  }

  /** Its page was loaded again. */
  renew(): void {
    this.#connection += 1;
    this.#version = 0;
    this.sections = this.sections.filter(({ direction }) => direction === "sendonly");
    this.#prints = [];
  }

  /** Takes an offer of the media server; one of another connection gets one of its own. */
  take(sdp: string): void {
    const prints = printsOf(sdp);
    const isOther = this.#prints.length > 0 && !prints.some((each) => this.#prints.includes(each));
    if (isOther) {
      this.#connection += 1;
      this.sections = this.sections.filter(({ direction }) => direction === "sendonly");
    }
    this.#prints = prints;
    const description = readDescription(sdp);
    if (isFinding(description)) throw new Error("unreadable");
    const offered = description.sections.map(({ mid }) => mid);
    this.#unsent.push(...this.sections.filter(({ mid }) => !offered.includes(mid)));
    this.sections = description.sections.map(({ mid = "", kind, direction }) => {
      const own = this.sections.find((each) => each.mid === mid);
      const receives = direction === "sendonly" ? "recvonly" : "inactive";
      const port = this.rejects.has(mid) ? 0 : 9;
      return own ?? { kind: kind as Kind, mid, direction: receives, port };
    });
  }

  settle(sdp: string): void {
    this.#prints = printsOf(sdp);
  }
}

const STEP_MS = 5000;

/** A real session, the media server under test and the stand-in of the SFU, with the peers between them. */
export class ManagedScene {
  readonly session: PureSession;
  readonly standIn = new RealtimeStandIn(checkBody);
  readonly peers = new Map<string, ScenePeer>();
  /** What the media server sent, and what came of it. */
  readonly sent: FromPeer[] = [];
  readonly refused: string[] = [];
  server: ManagedMediaServer;
  readonly #mode: SceneMode;
  #incarnation = 0;
  #evicted = Promise.withResolvers<unknown>();

  constructor(mode: SceneMode = "awake") {
    this.#mode = mode;
    this.session = new PureSession({ topology: "central" });
    this.server = this.#make();
    accepted(this.session.join("sfu", "media-server"));
  }

  #make(state?: ManagedState): ManagedMediaServer {
    this.#incarnation += 1;
    const own = this.#incarnation;
    const backend = new CloudflareRealtime(STAND_IN, {
      // What is dead makes no calls; those that it has made go on without it.
      fetch: (url, init) =>
        own === this.#incarnation ? this.standIn.fetch(url, init) : new Promise(() => undefined),
      sleep: async () => undefined,
    });
    return new ManagedMediaServer(this.#port(own), backend, state);
  }

  #port(own: number): MediaServerPort {
    return {
      now: () => this.session.at,
      keep: () => undefined,
      send: async (message) => {
        if (own !== this.#incarnation) return new Promise(() => undefined);
        this.sent.push(message);
        const result = this.session.send("sfu", message);
        if (isProblem(result)) {
          this.refused.push(`${message.type}: ${result.code}: ${JSON.stringify(result)}`);
          return { type: "problem", code: result.code };
        }
        const exchange = result.ack?.exchange;
        return { type: "ack", ...(exchange === undefined ? {} : { exchange }) };
      },
    };
  }

  /** The object is gone with all that it was doing, and made anew from what was kept. */
  evict(): void {
    this.#evicted.resolve(undefined);
    this.#evicted = Promise.withResolvers();
    this.server = this.#make(JSON.parse(JSON.stringify(this.server.state)));
  }

  join(id: string, grant: Partial<Grant> = {}): ScenePeer {
    accepted(this.session.join(id, "peer", grant));
    return this.#known(id);
  }

  #known(id: string): ScenePeer {
    const peer = new ScenePeer(id);
    this.peers.set(id, peer);
    return peer;
  }

  /** A publisher or player comes over HTTP. */
  post(door: "whip" | "whep", id: string, kinds: readonly Kind[], plays?: string): ScenePeer {
    const peer = new ScenePeer(id);
    for (const kind of kinds) peer.add(kind, door === "whip" ? "sendonly" : "recvonly");
    accepted(this.#open(door, peer, plays));
    this.peers.set(id, peer);
    return peer;
  }

  /** As `post`, where the session may say no. */
  tryPost(door: "whip" | "whep", id: string, kinds: readonly Kind[]): void {
    const peer = new ScenePeer(id);
    for (const kind of kinds) peer.add(kind, door === "whip" ? "sendonly" : "recvonly");
    if (!isProblem(this.#open(door, peer))) this.peers.set(id, peer);
  }

  #open(door: "whip" | "whep", peer: ScenePeer, plays?: string) {
    const { id } = peer;
    return this.session.do({
      type: "open-http",
      door,
      grant: this.session.grant(id),
      resource: `${id}-resource-0123456789`,
      offer: peer.describe(),
      ...(plays === undefined ? {} : { peer: plays }),
      at: this.session.at,
    });
  }

  /** Gives the media server what it was sent, and waits for nothing. */
  deliver(): void {
    for (const message of this.session.take("sfu")) this.server.take(message);
  }

  /** The peer offers what it has. */
  offer(id: string, more: { readonly restart?: true } = {}): string {
    const sdp = this.peers.get(id)?.describe() ?? "";
    const result = this.session.send(id, { type: "offer", to: "sfu", sdp, ...more });
    if (isProblem(result)) return result.code;
    const exchange = result.ack?.exchange ?? 0;
    const end = {
      type: "candidates",
      to: "sfu",
      exchange,
      candidates: [],
      complete: true,
    } as const;
    this.session.send(id, { ...end, candidates: [...end.candidates] });
    return "accepted";
  }

  /** A native peer comes and publishes. */
  async publish(id: string, kinds: readonly Kind[]): Promise<ScenePeer> {
    const peer = this.peers.get(id) ?? this.join(id);
    for (const kind of kinds) peer.add(kind);
    this.offer(id);
    await this.run();
    return peer;
  }

  leave(id: string): void {
    this.session.send(id, { type: "leave" });
    this.peers.delete(id);
  }

  /** Passes messages on until there are none. */
  async run(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      const isQuiet = !(await this.#toServer()) && !this.#toPeers();
      await Promise.race([this.server.settled(), this.#evicted.promise]);
      if (isQuiet && !this.#hasMail()) return;
    }
    throw new Error("no end");
  }

  #hasMail(): boolean {
    return ["sfu", ...this.peers.keys()].some(
      (id) => (this.session.inbox.get(id) ?? []).length > 0,
    );
  }

  async #toServer(): Promise<boolean> {
    const messages = this.session.take("sfu");
    for (const message of messages) {
      this.server.take(message);
      if (this.#mode === "awake") continue;
      await this.server.settled();
      this.evict();
    }
    return messages.length > 0;
  }

  #toPeers(): boolean {
    let some = false;
    for (const [id, peer] of this.peers) {
      for (const message of this.session.take(id)) {
        some = true;
        this.#atPeer(id, peer, message);
      }
    }
    return some;
  }

  #atPeer(id: string, peer: ScenePeer, message: ToPeer): void {
    if (message.type === "answer") peer.settle(message.sdp);
    if (message.type === "reject") peer.isWaiting = true;
    if (message.type !== "offer" || !peer.answers) return;
    const { exchange } = message;
    peer.take(message.sdp);
    const sdp = peer.describe("active");
    this.session.send(id, { type: "answer", to: "sfu", exchange, sdp });
    this.session.send(id, {
      type: "candidates",
      to: "sfu",
      exchange,
      candidates: [],
      complete: true,
    });
    if (!peer.isWaiting) return;
    peer.isWaiting = false;
    this.offer(id);
  }

  /** Time goes on, with everything that becomes due. */
  async pass(ms: number): Promise<void> {
    const until = this.session.at + ms;
    for (let round = 0; round < 500; round += 1) {
      await this.run();
      const { deadline } = this.server;
      // Others have deadlines, too.
      const at = Math.min(until, deadline ?? until, this.session.at + STEP_MS);
      this.session.at = Math.max(at, this.session.at);
      this.session.do({ type: "alarm", at: this.session.at });
      if (this.#mode === "evicted") this.evict();
      this.server.wake();
      await this.run();
      if (this.session.at >= until) return;
    }
    throw new Error("no end");
  }

  /** What a peer receives at the SFU, as `publisher kind` or `publisher kind rid`. */
  received(id: string): string[] {
    const session = this.server.state.links[id]?.session ?? "";
    const tracks = [...(this.standIn.sessions.get(session)?.tracks.values() ?? [])];
    return tracks
      .filter(({ location, status }) => location === "remote" && status === "active")
      .map(({ kind, source, rid }) => [this.#ownerOf(source), kind, rid].filter(Boolean).join(" "))
      .sort();
  }

  #ownerOf(session: string | undefined): string {
    const links = Object.values(this.server.state.links);
    return links.find((link) => link.session === session)?.peer.id ?? "nobody";
  }

  /** The sections of a peer that receive. */
  sectionsOf(id: string): string[] {
    const description = this.peers.get(id)?.describe() ?? "";
    return (offeredSections(description) ?? []).flatMap(({ mid, receives }) =>
      receives ? [mid] : [],
    );
  }
}

import type { FlowsView } from "../protocol/flow.ts";
import type { FlowChange } from "../protocol/flow-query.ts";
import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import type { Welcome } from "../protocol/messages.ts";
import type { Transport } from "../protocol/transport.ts";
import { clientError, errorOfFrame } from "./duplex-error.ts";
import { Emitter, type Listener } from "./emitter.ts";
import type { FlowDuties } from "./flow-duties.ts";
import { FlowList } from "./flow-list.ts";
import type { FlowReportOptions } from "./flow-reports.ts";
import { IceServers } from "./ice-servers.ts";
import type { RemoteTrack } from "./link.ts";
import { Links } from "./links.ts";
import { MessageKeys } from "./message-keys.ts";
import { watchNetwork } from "./network-change.ts";
import { type Publication, type PublishOptions, publicationOf } from "./publication.ts";
import type { SessionEvents } from "./session-events.ts";
import type { Signalling } from "./signalling.ts";
import type { Closed, Notice, SignallingState } from "./signalling-listener.ts";

/** How connections are made. */
export interface ConnectionOptions {
  /**
   * Base of every connection's configuration; its `iceServers` are used besides those of the session.
   * `certificates` cannot be given: a certificate of its own tells one connection from the next.
   */
  readonly rtcConfiguration?: Omit<RTCConfiguration, "certificates">;
  /** `relay` sends media through TURN only; a session that demands `relay` always has it. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy;
  /**
   * What this side measures of its flows (getStats) is told to the server when it changes: every 5 s it is
   * looked at, or every `intervalMs` (at least 1000). `false`: never.
   */
  readonly flowReports?: FlowReportOptions;
}

/**
 * This peer's part in a session: its links to other peers, what it publishes, what it sees of flows. `F` is how much
 * that is: `Flow` with `flowRecords: "full"`.
 */
export class Session<F extends FlowSummary = FlowSummary> {
  readonly #signalling: Signalling;
  readonly #options: ConnectionOptions;
  readonly #events = new Emitter<SessionEvents>();
  readonly #flowList = new FlowList();
  readonly #iceServers = new IceServers(() => this.#signalling.send({ type: "ice-servers" }));
  readonly #messageKeys = new MessageKeys();
  readonly #publications = new Set<Publication>();
  readonly #links: Links;
  readonly #unwatch: () => void;
  #welcome: Welcome;
  #state: SignallingState = "connected";

  /** @internal Made by `join`. */
  constructor(
    signalling: Signalling,
    welcome: Welcome,
    options: ConnectionOptions,
    flowDuties: Promise<typeof FlowDuties | undefined>,
  ) {
    this.#signalling = signalling;
    this.#options = options;
    this.#welcome = welcome;
    if (!welcome.resumed) this.#iceServers.serverTimeIs(welcome.peer.joinedAt);
    this.#takeIceServers(welcome);
    this.#flowList.reset(welcome.flows);
    this.#links = new Links(signalling, this.#events, {
      publications: this.#publications,
      flowReports: options.flowReports ?? {},
      flowDuties,
      iceServers: this.#iceServers,
      configuration: () => this.#configuration(),
      flows: () => this.flows,
      settled: (peer) => this.#steer(peer),
    });
    this.#links.join(welcome);
    signalling.listen({
      welcome: (later) => this.#resume(later),
      notice: (frame) => this.#notice(frame),
      state: (state) => {
        this.#state = state;
        this.#events.emit("state", state);
      },
      closed: (closed) => this.#close(closed),
    });
    // Its events come in hidden pages, too, where timers are late: a socket may have died with the path.
    this.#events.on("link", ({ state }) => {
      if (state === "disconnected" || state === "failed") this.#signalling.probe();
    });
    // One recipe: a new socket, what each side lacks, then new paths for media where the old ones are dead.
    const stop = watchNetwork(() => this.#signalling.reconnectNow());
    const shown = () => {
      if (document.visibilityState === "visible") this.#signalling.probe();
    };
    document.addEventListener("visibilitychange", shown);
    this.#unwatch = () => {
      stop();
      document.removeEventListener("visibilitychange", shown);
    };
  }

  /** This peer, as others see it. */
  get peer(): PeerView {
    return this.#welcome.peer;
  }

  /** Id, topology and settings of the session. */
  get info(): Welcome["session"] {
    return this.#welcome.session;
  }

  /** The other peers, by id. `state` is as of the last `welcome`: nobody is told of sockets lost, or back, since. */
  get peers(): ReadonlyMap<string, PeerView> {
    return this.#links.peers;
  }

  /** Flows that this peer may see; a peer sees its own, an observer all. */
  get flows(): readonly F[] {
    // The server tells what the socket has asked for.
    return this.#flowList.flows as readonly F[];
  }

  /** Transports of the flows; none without `flowRecords: "full"`. */
  get transports(): readonly Transport[] {
    return this.#flowList.transports;
  }

  /** Limits of the session, in bytes, messages and seconds (docs/limits.md). */
  get limits(): Welcome["limits"] {
    return this.#welcome.limits;
  }

  /** The state of signalling; media goes on while it is `reconnecting`. */
  get state(): SignallingState {
    return this.#state;
  }

  /** Tracks that other peers send now. */
  get tracks(): readonly RemoteTrack[] {
    return this.#links.tracks;
  }

  /** Adds a listener; the function returned takes it away. */
  on<K extends keyof SessionEvents>(type: K, listener: Listener<SessionEvents<F>[K]>): () => void {
    return this.#events.on(type, listener as Listener<SessionEvents[K]>);
  }

  /**
   * Sends a track to every peer, present and future; streams as of `addTrack`, or options as of
   * `addTransceiver` with what is to be said of it in the records of its flows. A track that is published already gives
   * the publication that there is, as it was made. Throws `not-permitted` when the token does not grant its kind.
   */
  publish(
    track: MediaStreamTrack,
    ...given: MediaStream[] | [options: PublishOptions]
  ): Publication {
    const granted: readonly string[] = this.peer.publish;
    if (!granted.includes(track.kind)) {
      const detail = `this peer may publish ${granted.join(", ") || "nothing"}`;
      throw clientError("not-permitted", `The token does not grant ${track.kind}`, detail, 403);
    }
    const known = [...this.#publications].find((one) => one.track === track);
    if (known !== undefined) return known;
    const publication = publicationOf(track, given, {
      unpublish: (one) => {
        this.#publications.delete(one);
        this.#links.map((link) => link.unpublish(one));
      },
      replaceTrack: async (one, next) => {
        await Promise.all(this.#links.map((link) => link.replaceTrack(one, next)));
      },
    });
    this.#publications.add(publication);
    this.#links.map((link) => link.publish(publication));
    return publication;
  }

  /**
   * Sends application data to a peer: any JSON up to `limits.bodyBytes`. Resolves when the server has passed it
   * on; rejects with a `DuplexError`, such as `unknown-peer`. When the socket is lost before the reply it is sent again; the peer's `message` event comes once.
   */
  async send(peer: string, body: unknown): Promise<void> {
    const key = this.#messageKeys.next();
    await this.#signalling.request({ type: "message", to: peer, body, key });
  }

  /**
   * The connection to a peer, for what the SDK does not wrap, such as data channels. Another one takes its
   * place when the peer loads its page again: `link` then reports `new`.
   */
  connection(peer: string): RTCPeerConnection | undefined {
    return this.#links.get(peer)?.connection;
  }

  /** Finds new paths for media: to one peer, or to all. */
  restartIce(peer?: string): void {
    if (peer === undefined) this.#links.map((link) => link.restartIce());
    else this.#links.get(peer)?.restartIce();
  }

  /** Replaces the signalling socket now, when the application knows before the SDK that the network is back. */
  reconnectNow(): void {
    this.#signalling.reconnectNow();
  }

  /**
   * Steers a flow that this peer sends or receives: `held`, `maxBitrateBps` (bits per second), `priority`; `null` takes
   * a limit or a priority back. Resolves when the server has recorded it. Rejects with a `DuplexError`:
   * `flow-not-found`, `flow-held`, or what else the server has against it.
   */
  async changeFlow(flow: string, change: FlowChange): Promise<void> {
    await this.#signalling.request({ type: "flow", flow, ...change });
  }

  /**
   * The whole records of flows and transports as the server has them now, whatever `flowRecords` is. Rejects with the
   * server's problem as a `DuplexError`.
   */
  async getFlowRecords(): Promise<FlowsView> {
    return (await this.#signalling.read("/flows")) as FlowsView;
  }

  /** Bits per second by flow id, measured since the call before; the first call of a flow has no entry. */
  async getBitrates(): Promise<Map<string, number>> {
    const measured = await Promise.all(this.#links.map((link) => link.bitrates()));
    return new Map(measured.flatMap((rates) => [...(rates ?? [])]));
  }

  /** Leaves the session: others see `peer-left` with reason `left` at once. */
  leave(reason?: string): void {
    this.#signalling.send({ type: "leave", ...(reason !== undefined && { reason }) });
    this.#signalling.close("left");
  }

  #resume(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#takeIceServers(welcome);
    this.#flowList.reset(welcome.flows);
    this.#links.resume(welcome);
    this.#links.map((link) => link.reconfigure());
    // What was asked of a flow meanwhile came with no event.
    for (const flow of this.flows) this.#obey(flow);
    this.#events.emit("flows", this.flows);
  }

  #notice(frame: Notice): void {
    switch (frame.type) {
      case "flows":
        this.#flowList.apply(frame);
        for (const flow of frame.changed) this.#obey(flow);
        this.#events.emit("flows", this.flows);
        return;
      case "ice-servers":
        this.#iceServers.set(frame.iceServers, frame.expiresAt, frame.allocationsExpire);
        this.#links.map((link) => link.reconfigure());
        return;
      case "message":
        if (!this.#messageKeys.isNew(frame)) return;
        this.#events.emit("message", { peer: frame.from, body: frame.body });
        return;
      case "findings":
        this.#events.emit("findings", { peer: frame.to, findings: frame.findings });
        return;
      case "advice":
        this.#events.emit("advice", frame);
        return;
      case "context":
      case "timeline":
        // Told to media servers, and to observers that ask for it.
        return;
      case "problem":
        this.#events.emit("problem", { error: errorOfFrame(frame) });
        return;
      default:
        this.#links.notice(frame);
    }
  }

  #close(closed: Closed): void {
    this.#unwatch();
    this.#iceServers.stop();
    this.#links.close();
    this.#events.emit("closed", closed);
  }

  #configuration(): RTCConfiguration {
    const { rtcConfiguration = {}, iceTransportPolicy = rtcConfiguration.iceTransportPolicy } =
      this.#options;
    const demanded = this.#welcome.session.iceTransportPolicy;
    return {
      ...rtcConfiguration,
      iceServers: [...(rtcConfiguration.iceServers ?? []), ...this.#iceServers.servers],
      iceTransportPolicy: demanded === "relay" ? "relay" : (iceTransportPolicy ?? "all"),
    };
  }

  #takeIceServers({ iceServers, iceServersExpireAt, allocationsExpire }: Welcome): void {
    this.#iceServers.set(iceServers, iceServersExpireAt, allocationsExpire);
  }

  #steer(peer: string): void {
    for (const flow of this.flows) if (flow.to === peer) this.#obey(flow);
  }

  #obey(flow: FlowSummary): void {
    if (flow.from === this.peer.id) this.#links.get(flow.to)?.obey(flow);
  }
}

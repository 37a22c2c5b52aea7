/** What runs in a page of the chaos runs: the SDK over a WebSocket that breaks, real connections that are watched. */

/** What a page knows of one of its connections. */
export interface ConnectionReading {
  readonly signalingState: string;
  readonly connectionState: string;
  readonly local: string;
  readonly remote: string;
  /** The remote descriptions that were set, in order. */
  readonly remoteSet: readonly string[];
  /** Candidates of this side, in the order they were gathered. */
  readonly gathered: readonly string[];
  readonly gatheredAll: boolean;
  /** Candidates of the other side, each time they were taken. */
  readonly added: readonly string[];
}

export interface PageReading {
  readonly state: string;
  readonly peers: readonly string[];
  readonly flows: readonly { readonly id: string; readonly state: string }[];
  readonly told: readonly string[];
  readonly problems: readonly string[];
  readonly heard: readonly string[];
  readonly sent: readonly { readonly to: string; readonly n: number; readonly state: string }[];
  readonly connections: Readonly<Record<string, ConnectionReading>>;
}

export type PageFault = "cut" | "half-open up" | "half-open down" | "twice up" | "twice down";

export interface ChaosPage {
  join(url: string, token: string, kinds: readonly string[]): Promise<void>;
  publish(kind: string): void;
  unpublish(): void;
  restartIce(): void;
  reconnectNow(): void;
  online(): void;
  send(to: string): void;
  /** The page is gone without a word: what is left of it reaches nobody. */
  die(): void;
  leave(): void;
  fault(fault: PageFault): void;
  reading(): PageReading;
}

declare global {
  interface Window {
    chaos: ChaosPage;
  }
}

/** Runs in the page; uses nothing from outside itself. */
export async function installChaos(): Promise<void> {
  type Session = import("../../client/duplex.ts").Session;
  // Waits of the SDK are minutes long where nothing answers; here they are a tenth.
  const wait = (ms: number | undefined): number => ((ms ?? 0) > 1000 ? (ms ?? 0) / 10 : (ms ?? 0));
  const { setTimeout: nativeTimeout, setInterval: nativeInterval } = window;
  window.setTimeout = ((ring: () => void, ms?: number) =>
    nativeTimeout(ring, wait(ms))) as typeof window.setTimeout;
  window.setInterval = ((ring: () => void, ms?: number) =>
    nativeInterval(ring, wait(ms))) as typeof window.setInterval;

  const sockets = new Set<Broken>();
  let era = 0;
  const Native = WebSocket;
  class Broken extends Native {
    readonly era = era;
    swallowsUp = false;
    swallowsDown = false;
    twiceUp = false;
    twiceDown = false;
    isCut = false;
    #isClosed = false;
    readonly #listeners: { type: string; listener: (event: Event) => void }[] = [];

    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols);
      sockets.add(this);
      super.addEventListener("message", (event) => {
        if (this.swallowsDown || this.isCut || this.era !== era) return;
        const times = this.twiceDown ? 2 : 1;
        this.twiceDown = false;
        for (let time = 0; time < times; time += 1) this.#tell("message", event);
      });
      super.addEventListener("close", (event) => {
        sockets.delete(this);
        if (!this.swallowsDown && !this.isCut && this.era === era) this.#tell("close", event);
      });
    }

    /** A page that does not hear of the end takes the socket for open. */
    override get readyState(): WebSocket["readyState"] {
      const readyState = super.readyState;
      return this.swallowsDown && readyState > Native.OPEN && !this.#isClosed
        ? Native.OPEN
        : readyState;
    }

    override addEventListener(type: string, listener: unknown): void {
      this.#listeners.push({ type, listener: listener as (event: Event) => void });
    }

    override send(data: string): void {
      if (this.swallowsUp || this.isCut || this.era !== era) return;
      super.send(data);
      if (!this.twiceUp) return;
      this.twiceUp = false;
      super.send(data);
    }

    /** What goes wrong on the way does not tell the server. */
    override close(code?: number, reason?: string): void {
      this.#isClosed = true;
      if (!this.swallowsUp) super.close(code, reason);
    }

    cut(): void {
      this.isCut = true;
      sockets.delete(this);
      super.close();
      nativeTimeout(() => this.#tell("close", new CloseEvent("close", { code: 1006 })), 0);
    }

    #tell(type: string, event: Event): void {
      for (const each of this.#listeners) if (each.type === type) each.listener(event);
    }
  }
  window.WebSocket = Broken;

  interface Watched {
    readonly remoteSet: string[];
    readonly gathered: { ufrag: string; text: string }[];
    readonly ended: Set<string>;
    readonly added: { ufrag: string; text: string }[];
  }
  const watched = new WeakMap<RTCPeerConnection, Watched>();
  const NativeConnection = RTCPeerConnection;
  const textOf = ({ candidate, sdpMid }: RTCIceCandidateInit): string => `${sdpMid} ${candidate}`;
  const ufragIn = (sdp: string | undefined): string =>
    /^a=ice-ufrag:(\S+)/m.exec(sdp ?? "")?.[1] ?? "";
  window.RTCPeerConnection = class extends NativeConnection {
    readonly #seen: Watched = { remoteSet: [], gathered: [], ended: new Set(), added: [] };

    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      watched.set(this as RTCPeerConnection, this.#seen);
      this.addEventListener("icecandidate", ({ candidate }) => {
        const ufrag = candidate?.usernameFragment ?? ufragIn(this.localDescription?.sdp);
        if (candidate === null) this.#seen.ended.add(ufrag);
        else this.#seen.gathered.push({ ufrag, text: textOf(candidate.toJSON()) });
      });
    }

    override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      await super.setRemoteDescription(description);
      if (description.sdp) this.#seen.remoteSet.push(description.sdp);
    }

    override async addIceCandidate(init?: RTCIceCandidateInit | null): Promise<void> {
      await super.addIceCandidate(init ?? undefined);
      if (init?.candidate) {
        this.#seen.added.push({ ufrag: init.usernameFragment ?? "", text: textOf(init) });
      }
    }
  } as typeof RTCPeerConnection;

  const readConnection = (connection: RTCPeerConnection): ConnectionReading => {
    const seen = watched.get(connection);
    const local = connection.currentLocalDescription?.sdp ?? "";
    const remote = connection.currentRemoteDescription?.sdp ?? "";
    const [own, other] = [ufragIn(local), ufragIn(remote)];
    return {
      signalingState: connection.signalingState,
      connectionState: connection.connectionState,
      local,
      remote,
      remoteSet: seen?.remoteSet ?? [],
      gathered: (seen?.gathered ?? []).filter(({ ufrag }) => ufrag === own).map(({ text }) => text),
      gatheredAll: seen?.ended.has(own) === true,
      added: (seen?.added ?? []).filter(({ ufrag }) => ufrag === other).map(({ text }) => text),
    };
  };

  // A script element, because the test runner rewrites `import()` in what it sends to the page.
  const script = document.createElement("script");
  script.type = "module";
  script.textContent = 'import * as duplex from "/duplex.js"; window.duplexLoaded(duplex);';
  const { join } = await new Promise<typeof import("../../client/duplex.ts")>((resolve) => {
    Object.assign(window, { duplexLoaded: resolve });
    document.body.append(script);
  });

  const makeTrack = (kind: string): MediaStreamTrack | undefined => {
    if (kind === "audio") {
      const context = new AudioContext();
      return context.createMediaStreamDestination().stream.getAudioTracks()[0];
    }
    const canvas = document.createElement("canvas");
    canvas.getContext("2d")?.fillRect(0, 0, 16, 16);
    return canvas.captureStream(5).getVideoTracks()[0];
  };

  let session: Session | undefined;
  let publications: { unpublish(): void }[] = [];
  let told: string[] = [];
  let problems: string[] = [];
  let heard: string[] = [];
  let sent: { to: string; n: number; state: string }[] = [];
  const forget = () => {
    publications = [];
    told = [];
    problems = [];
  };
  const publish = (kind: string): void => {
    const track = makeTrack(kind);
    const publication = track && session?.publish(track, new MediaStream([track]));
    if (publication) publications.push(publication);
  };
  window.chaos = {
    async join(url, token, kinds) {
      forget();
      const mine = await join({ url, token, flowReports: false });
      session = mine;
      for (const kind of kinds) publish(kind);
      mine.on("peer-joined", ({ peer }) => told.push(`joined ${peer.id}`));
      mine.on("peer-left", ({ peer }) => told.push(`left ${peer}`));
      mine.on("message", ({ peer, body }) => heard.push(`${peer} ${(body as { n: number }).n}`));
      mine.on("problem", ({ error }) => problems.push(`${error.code} ${error.detail}`));
    },
    publish,
    unpublish: () => publications.shift()?.unpublish(),
    restartIce: () => session?.restartIce(),
    reconnectNow: () => session?.reconnectNow(),
    online: () => window.dispatchEvent(new Event("online")),
    send(to) {
      const one = { to, n: sent.length + 1, state: "waiting" };
      sent.push(one);
      session?.send(to, { n: one.n }).then(
        () => {
          one.state = "taken";
        },
        () => {
          one.state = "refused";
        },
      );
    },
    die() {
      era += 1;
      session?.leave();
      session = undefined;
    },
    leave() {
      session?.leave();
      session = undefined;
      heard = [];
      sent = [];
    },
    fault(fault) {
      for (const socket of sockets) {
        if (socket.era !== era || socket.readyState !== Native.OPEN) continue;
        if (fault === "cut") socket.cut();
        else if (fault === "half-open up") socket.swallowsUp = true;
        else if (fault === "half-open down") socket.swallowsDown = true;
        else if (fault === "twice up") socket.twiceUp = true;
        else socket.twiceDown = true;
      }
    },
    reading: () => ({
      state: session?.state ?? "none",
      peers: [...(session?.peers.keys() ?? [])],
      flows: (session?.flows ?? []).map(({ id, state }) => ({ id, state })),
      told,
      problems,
      heard,
      sent,
      connections: Object.fromEntries(
        [...(session?.peers.keys() ?? [])].flatMap((peer) => {
          const connection = session?.connection(peer);
          return connection ? [[peer, readConnection(connection)]] : [];
        }),
      ),
    }),
  };
}

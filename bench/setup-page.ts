// Runs in Chromium, in two pages: makes one call after another by the SDK of Duplex or the client of PeerJS.
import type { CallEnd, CallPage, Mark } from "./setup-call-page.ts";

/** What is used of the SDK, as applications load it. */
interface Sdk {
  join(options: { url: string; token: string }): Promise<{
    publish(track: MediaStreamTrack, stream: MediaStream): void;
    leave(): void;
  }>;
}

const SDK = "/duplex.js";

/** What is used of the client of PeerJS, a script of its own. */
interface PeerJs {
  on(event: "open", listener: (id: string) => void): void;
  on(event: "call", listener: (call: MediaConnection) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  call(id: string, stream: MediaStream): MediaConnection;
  destroy(): void;
}

interface MediaConnection {
  answer(stream: MediaStream): void;
}

declare global {
  interface Window {
    peerjs: { Peer: new (...given: [object] | [string, object]) => PeerJs };
    callPage: CallPage;
    webkitRTCPeerConnection: typeof RTCPeerConnection;
  }
}

const now = (): number => performance.timeOrigin + performance.now();

/** The call that is being made: the wrapped natives below write into it. */
let call: CallEnd = emptyEnd();
let connected = Promise.withResolvers<void>();
let stream: MediaStream | undefined;
let sdk: Sdk | undefined;
let hangUp: () => void = () => undefined;

function emptyEnd(): CallEnd {
  return { marks: [], connectedAt: 0, sent: [], received: [], requests: 0 };
}

const mark = (what: string): void => {
  call.marks.push({ what, at: now() } satisfies Mark);
};

const typeOf = (data: string): string => /"type":"([\w-]+)"/.exec(data)?.[1] ?? "?";
const bytesOf = (data: string): number => new TextEncoder().encode(data).length;

/** Counts what goes over the wire, without touching it. */
class CountedWebSocket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols);
    const own = call;
    mark("socket");
    own.requests += 1;
    this.addEventListener("open", () => mark("socket open"));
    this.addEventListener("message", ({ data }) => {
      const text = String(data);
      mark(`<- ${typeOf(text)}`);
      own.received.push({ type: typeOf(text), bytes: bytesOf(text), at: now() });
    });
  }

  override send(data: string): void {
    mark(`-> ${typeOf(data)}`);
    call.sent.push({ type: typeOf(data), bytes: bytesOf(data), at: now() });
    super.send(data);
  }
}

class WatchedConnection extends RTCPeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    const own = call;
    mark("connection");
    this.addEventListener("iceconnectionstatechange", () => mark(`ice ${this.iceConnectionState}`));
    this.addEventListener("icecandidate", ({ candidate }) =>
      mark(`candidate ${candidate?.type ?? "end"}`),
    );
    this.addEventListener("connectionstatechange", () => {
      mark(this.connectionState);
      if (this.connectionState !== "connected" || own.connectedAt > 0) return;
      own.connectedAt = now();
      if (own === call) connected.resolve();
    });
  }
}

const nativeFetch = window.fetch.bind(window);
window.fetch = (...given) => {
  call.requests += 1;
  mark("fetch");
  return nativeFetch(...given);
};
window.WebSocket = CountedWebSocket;
window.RTCPeerConnection = WatchedConnection;

function media(): MediaStream {
  if (stream === undefined) throw new Error("no stream");
  return stream;
}

function begin(): void {
  hangUp();
  call = emptyEnd();
  connected = Promise.withResolvers<void>();
  mark("begin");
}

async function joinDuplex(url: string, token: string): Promise<void> {
  if (sdk === undefined) throw new Error("no SDK");
  const session = await sdk.join({ url, token });
  hangUp = () => session.leave();
  for (const track of media().getTracks()) session.publish(track, media());
}

async function openPeerJs(base: string, iceServers: RTCIceServer[], id: string | null) {
  const { hostname, port } = new URL(base);
  const options = { host: hostname, port: Number(port), path: "/", config: { iceServers } };
  const peer = id === null ? new window.peerjs.Peer(options) : new window.peerjs.Peer(id, options);
  hangUp = () => peer.destroy();
  const opened = new Promise<string>((resolve, reject) => {
    peer.on("open", resolve);
    peer.on("error", reject);
  });
  return { peer, id: await opened };
}

window.callPage = {
  async prepare() {
    sdk = (await import(SDK)) as Sdk;
    const picture = { width: 320, height: 240, frameRate: 5 };
    stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: picture });
  },

  async duplex({ url, token }) {
    begin();
    await joinDuplex(url, token);
  },

  async duplexWithInvitation({ sessionUrl, key }) {
    begin();
    const response = await fetch(`${sessionUrl}/peers`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: "{}",
    });
    const { token, signalling } = (await response.json()) as {
      token: string;
      signalling: { url: string };
    };
    await joinDuplex(signalling.url, token);
  },

  async peerJs({ base, iceServers, id, callee }) {
    begin();
    const opened = await openPeerJs(base, iceServers, id);
    if (callee === null) opened.peer.on("call", (incoming) => incoming.answer(media()));
    else opened.peer.call(callee, media());
    return opened.id;
  },

  async end(limitMs) {
    const late = new Promise<never>((_resolve, reject) =>
      setTimeout(() => reject(new Error(JSON.stringify(call.marks))), limitMs),
    );
    await Promise.race([connected.promise, late]);
    return call;
  },

  read: () => call,

  hangUp: () => hangUp(),
};

import { WebRTCPlayer } from "@eyevinn/webrtc-player";
import { WHIPClient as EyevinnPublisher } from "@eyevinn/whip-web-client";
import { create as createOvenPublisher } from "ovenlivekit";
import { WHEPClient as MedoozePlayer } from "whip-whep/whep.js";
import { WHIPClient as MedoozePublisher } from "whip-whep/whip.js";

/** WHIP and WHEP clients as they are published, in a page; what they ask and what they connect is written down. */

export type PublishedName =
  | "whip-web-client"
  | "medooze-whip"
  | "ovenlivekit"
  | "medooze-whep"
  | "webrtc-player";

export interface Exchange {
  readonly method: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Running {
  restart?: () => unknown;
  stop(): Promise<unknown>;
}

interface Begin {
  readonly endpoint: string;
  readonly token: string;
}

declare global {
  interface Window {
    published: {
      readonly exchanges: Exchange[];
      readonly connections: RTCPeerConnection[];
      /** Of promises that the client leaves alone. */
      readonly rejections: string[];
      begin(name: PublishedName, begin: Begin): Promise<void>;
      restart(): Promise<string>;
      stop(): Promise<void>;
    };
  }
}

const exchanges: Exchange[] = [];
const connections: RTCPeerConnection[] = [];
const rejections: string[] = [];
let running: Running | undefined;

addEventListener("unhandledrejection", ({ reason }) => rejections.push(String(reason)));

const ask = window.fetch.bind(window);
window.fetch = async (input, init) => {
  const response = await ask(input, init);
  exchanges.push({
    method: init?.method ?? "GET",
    status: response.status,
    headers: Object.fromEntries(new Headers(init?.headers)),
    body: typeof init?.body === "string" ? init.body : "",
  });
  return response;
};

const Native = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Native {
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    connections.push(this);
  }
};

const camera = (): Promise<MediaStream> =>
  navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });

const CLIENTS: Readonly<Record<PublishedName, (begin: Begin) => Promise<Running>>> = {
  async "whip-web-client"({ endpoint, token }) {
    const client = new EyevinnPublisher({ endpoint, opts: { authkey: token, iceServers: [] } });
    await client.setIceServersFromEndpoint();
    await client.ingest(await camera());
    return { stop: () => client.destroy() };
  },
  async "medooze-whip"({ endpoint, token }) {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const stream = await camera();
    for (const track of stream.getTracks()) {
      connection.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    }
    const client = new MedoozePublisher();
    await client.publish(connection, endpoint, token);
    return client;
  },
  async ovenlivekit({ endpoint, token }) {
    const client = createOvenPublisher();
    await client.setMediaStream(await camera());
    client.startStreaming(endpoint, { httpHeaders: { Authorization: `Bearer ${token}` } });
    return { stop: () => client.stopStreaming() };
  },
  async "medooze-whep"({ endpoint, token }) {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const incoming = new MediaStream();
    screen().srcObject = incoming;
    connection.addEventListener("track", ({ track }) => incoming.addTrack(track));
    for (const kind of ["audio", "video"])
      connection.addTransceiver(kind, { direction: "recvonly" });
    const client = new MedoozePlayer();
    await client.view(connection, endpoint, token);
    return client;
  },
  async "webrtc-player"({ endpoint, token }) {
    const client = new WebRTCPlayer({ video: screen(), type: "whep", iceServers: [] });
    await client.load(new URL(endpoint), `Bearer ${token}`);
    return { stop: () => client.unload() };
  },
};

/** Received video is decoded only where something shows it. */
function screen(): HTMLVideoElement {
  const element = document.createElement("video");
  element.autoplay = true;
  element.muted = true;
  document.body.append(element);
  return element;
}

window.published = {
  exchanges,
  connections,
  rejections,
  begin: async (name, begin) => {
    running = await CLIENTS[name](begin);
  },
  /** What the client says of it, empty when all is well. */
  restart: async () => {
    try {
      await running?.restart?.();
      return "";
    } catch (thrown) {
      return String(thrown);
    }
  },
  stop: async () => {
    await running?.stop();
  },
};

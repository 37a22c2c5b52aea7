import type { Candidate } from "../../protocol/message-parts.ts";
import type { Invitation } from "./caller.ts";

/** Peers without our SDK, as somebody else writes them: what they do wrong is what a call fails of. */

declare global {
  interface Window {
    plainPeers: PlainPeer[];
  }
}

export interface PlainPeer {
  readonly connection: RTCPeerConnection;
  readonly socket: WebSocket;
}

/** How a plain peer of the page does it. */
export interface PlainOptions {
  readonly url: string;
  readonly token: string;
  /** Whom it offers to; absent: it waits for an offer. */
  readonly to?: string;
  readonly configuration?: RTCConfiguration;
  /** What it has besides a data channel. */
  readonly media?: {
    readonly kind: "audio" | "video";
    readonly direction: RTCRtpTransceiverDirection;
    /** Part of the names of the codecs it has. */
    readonly codec?: string;
  };
  readonly noData?: boolean;
  /** What becomes of offers to it. */
  readonly answer?: "silent" | { readonly reject: string };
  /** Its candidates say this address, or are not sent. */
  readonly candidates?: "none" | { readonly address: string };
  /** Replaced in the descriptions that it sends. */
  readonly spoil?: readonly [pattern: string, replacement: string];
  /** It tells the server how its connection fares. */
  readonly reports: boolean;
}

/** Members of a plain peer that depend on who was invited. */
export const asGuest = ({ signalling, token }: Invitation) => ({ url: signalling.url, token });

/**
 * Runs in the page: a peer joins, and offers where it is told to. Settles when it is welcome, or turned away; gives its
 * place in `plainPeers`.
 */
export async function plainPeer(options: PlainOptions): Promise<number> {
  interface Frame {
    readonly type: string;
    readonly from: string;
    readonly exchange: number;
    readonly sdp: string;
    readonly candidates: Candidate[];
    readonly re: number;
    readonly n: number;
  }
  const { url, token, to, configuration = {}, media, reports, spoil } = options;
  const socket = new WebSocket(url, ["duplex.v1", `bearer.${token}`]);
  const connection = new RTCPeerConnection(configuration);
  window.plainPeers = [...(window.plainPeers ?? []), { connection, socket }];
  const place = window.plainPeers.length - 1;
  const send = (message: object) => socket.send(JSON.stringify(message));
  let other = to ?? "";
  let exchange = 0;
  let held: Candidate[] = [];
  let isAgreed = false;
  const flush = () => {
    if (exchange === 0 || held.length === 0 || options.candidates === "none") return;
    send({ type: "candidates", to: other, exchange, candidates: held });
    held = [];
  };
  const changed = ({ candidate, ...rest }: RTCIceCandidateInit): RTCIceCandidateInit => {
    const words = (candidate ?? "").split(" ");
    if (typeof options.candidates === "object") words[4] = options.candidates.address;
    return { ...rest, candidate: words.join(" ") };
  };
  connection.onicecandidate = ({ candidate }) => {
    if (!candidate?.candidate) return;
    held.push(changed(candidate.toJSON()) as Candidate);
    flush();
  };
  const report = () => {
    const { connectionState: state } = connection;
    if (!reports || !isAgreed || state === "closed") return;
    send({ type: "transport", to: other, state: state === "connecting" ? "checking" : state });
  };
  connection.onconnectionstatechange = report;
  // Candidates are told apart from descriptions, and may be changed on their way.
  const own = () => {
    const bare = (connection.localDescription?.sdp ?? "").replace(/a=candidate.*\r\n/g, "");
    return spoil ? bare.replace(new RegExp(spoil[0], "g"), spoil[1]) : bare;
  };
  const prefer = () => {
    for (const transceiver of connection.getTransceivers()) {
      const { codecs = [] } = RTCRtpReceiver.getCapabilities(transceiver.receiver.track.kind) ?? {};
      const wanted = codecs.filter(({ mimeType }) => mimeType.includes(media?.codec ?? ""));
      if (media?.codec !== undefined) transceiver.setCodecPreferences(wanted);
    }
  };
  const answer = async (frame: Frame) => {
    other = frame.from;
    if (options.answer === "silent") return;
    if (options.answer) {
      const { reject: reason } = options.answer;
      send({ type: "reject", to: other, exchange: frame.exchange, reason });
      return;
    }
    await connection.setRemoteDescription({ type: "offer", sdp: frame.sdp });
    prefer();
    await connection.setLocalDescription();
    send({ type: "answer", to: other, exchange: frame.exchange, sdp: own() });
    exchange = frame.exchange;
    isAgreed = true;
    flush();
    report();
  };
  const obey = async (frame: Frame) => {
    if (frame.type === "offer") await answer(frame);
    // Its silence would be taken for its end.
    if (frame.type === "probe") send({ type: "alive", n: frame.n });
    if (frame.type === "ack" && frame.re === 1) {
      exchange = frame.exchange;
      flush();
    }
    if (frame.type === "answer") {
      isAgreed = true;
      await connection.setRemoteDescription({ type: "answer", sdp: frame.sdp });
      report();
    }
    if (frame.type !== "candidates") return;
    for (const each of frame.candidates) {
      await connection.addIceCandidate(each as RTCIceCandidateInit);
    }
  };
  let turn: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve) => {
    socket.onclose = () => resolve();
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.type === "welcome") resolve();
      turn = turn.then(() => obey(frame)).catch(() => undefined);
    };
  });
  if (to === undefined) return place;
  if (!options.noData) connection.createDataChannel("words");
  if (media) connection.addTransceiver(media.kind, { direction: media.direction });
  prefer();
  await connection.setLocalDescription();
  send({ type: "offer", id: 1, to, sdp: own() });
  return place;
}

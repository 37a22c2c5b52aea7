import type { SelectedPair } from "../../protocol/transport.ts";
import type { Page } from "./browsers.ts";

/** Two ends in one page that call each other, and all that a server would learn of it. */

export interface LiveExchange {
  readonly what: "call" | "hold" | "resume" | "restart";
  readonly offer: string;
  readonly answer: string;
  /** As each end's getStats says, once connected. */
  readonly pairs: { readonly a: SelectedPair; readonly b: SelectedPair };
}

export interface LiveOptions {
  readonly iceServers?: readonly { urls: string[]; username: string; credential: string }[];
  readonly relayOnly?: boolean;
  readonly data?: boolean;
}

/** Calls, holds, resumes and restarts ICE; descriptions have their candidates in them. */
export const livePair = (page: Page, options: LiveOptions = {}): Promise<LiveExchange[]> =>
  page.evaluate(async ({ iceServers = [], relayOnly = false, data = false }: LiveOptions) => {
    const LIMIT_MS = 20_000;
    const until = async (what: string, test: () => boolean): Promise<void> => {
      const end = performance.now() + LIMIT_MS;
      while (!test()) {
        if (performance.now() > end) throw new Error(`it is not ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const configuration: RTCConfiguration = {
      iceServers: [...iceServers],
      iceTransportPolicy: relayOnly ? "relay" : "all",
    };
    const [a, b] = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const track of media.getTracks()) a.addTrack(track, media);
    if (data) a.createDataChannel("chat");
    const gathered = async (end: RTCPeerConnection): Promise<string> => {
      await until("gathered", () => end.iceGatheringState === "complete");
      return end.localDescription?.sdp ?? "";
    };
    const selected = async (end: RTCPeerConnection) => {
      const stats = await end.getStats();
      const all = [...stats.values()];
      const { selectedCandidatePairId: id } = all.find(({ type }) => type === "transport") ?? {};
      const pair = stats.get(id);
      const members = [
        ...["candidateType", "address", "port", "protocol", "relayProtocol", "url"],
        ...["relatedAddress", "relatedPort", "usernameFragment"],
      ];
      const named = (stat: Record<string, unknown> = {}) =>
        Object.fromEntries(members.flatMap((name) => (name in stat ? [[name, stat[name]]] : [])));
      return {
        local: named(stats.get(pair?.localCandidateId)),
        remote: named(stats.get(pair?.remoteCandidateId)),
      };
    };
    const exchanges: unknown[] = [];
    const exchange = async (what: string, init: RTCOfferOptions = {}): Promise<void> => {
      await a.setLocalDescription(await a.createOffer(init));
      const offer = await gathered(a);
      await b.setRemoteDescription({ type: "offer", sdp: offer });
      if (what === "call") for (const track of media.getTracks()) b.addTrack(track, media);
      await b.setLocalDescription();
      const answer = await gathered(b);
      await a.setRemoteDescription({ type: "answer", sdp: answer });
      const isUp = ({ iceConnectionState: state }: RTCPeerConnection) =>
        state === "connected" || state === "completed";
      await until("connected", () => isUp(a) && isUp(b));
      let pairs = { a: await selected(a), b: await selected(b) };
      const isKnown = () =>
        Object.keys(pairs.a.local).length > 0 && Object.keys(pairs.b.local).length > 0;
      for (let tries = 0; tries < 100 && !isKnown(); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        pairs = { a: await selected(a), b: await selected(b) };
      }
      exchanges.push({ what, offer, answer, pairs });
    };
    const turn = (direction: RTCRtpTransceiverDirection): void => {
      for (const transceiver of a.getTransceivers()) transceiver.direction = direction;
    };
    await exchange("call");
    turn("inactive");
    await exchange("hold");
    turn("sendrecv");
    await exchange("resume");
    await exchange("restart", { iceRestart: true });
    a.close();
    b.close();
    for (const track of media.getTracks()) track.stop();
    return exchanges as never;
  }, options);

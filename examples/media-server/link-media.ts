import {
  type RTCDtlsTransport,
  type RTCPeerConnection,
  type RTCRtpTransceiver,
  type RtcpPacket,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  SessionDescription,
} from "werift";
import { Arrivals } from "./arrivals.ts";
import { Downlink } from "./downlink.ts";
import { estimatedMaximum } from "./feedback.ts";
import { Uplink } from "./uplink.ts";

const TICK_MS = 50;
const REPORT_TICKS = 20;
/** What a sender of a picture may use of its line when nobody has said; all layers together. */
const USUAL_VIDEO_BPS = 4_000_000;
const USUAL_AUDIO_BPS = 128_000;

type RemoteSection = SessionDescription["media"][number];

/** A section of the transport that the media server receives on, and has agreed to. */
const receives = (transceiver: RTCRtpTransceiver): boolean =>
  !transceiver.stopped && ["recvonly", "sendrecv"].includes(transceiver.direction);

/**
 * The media of one connection: RTP in and out, and RTCP both ways. werift's own receivers and senders
 * stay idle: they know neither retransmission of simulcast layers nor forwarding.
 */
export class LinkMedia {
  readonly #connection: RTCPeerConnection;
  readonly #changed: () => void;
  readonly #arrivals = new Arrivals();
  readonly #uplinks = new Map<string, Uplink>();
  readonly #downlinks = new Set<Downlink>();
  readonly #transports = new Set<RTCDtlsTransport>();
  readonly #timer: ReturnType<typeof setInterval>;
  #ticks = 0;

  /** `changed` is told when a transport comes up or goes down. */
  constructor(connection: RTCPeerConnection, changed: () => void) {
    this.#connection = connection;
    this.#changed = changed;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  uplink(mid: string): Uplink | undefined {
    return this.#uplinks.get(mid);
  }

  /** What goes out on a section. */
  downlink(transceiver: RTCRtpTransceiver): Downlink {
    const there = [...this.#downlinks].find((each) => each.transceiver === transceiver);
    if (there !== undefined) return there;
    const downlink = new Downlink(transceiver);
    this.#downlinks.add(downlink);
    return downlink;
  }

  /** Takes over what an exchange came to; `remote` is the other side's description. */
  agree(remote: string): void {
    const { media } = SessionDescription.parse(remote);
    const extensions = new Map<number, string>();
    for (const transceiver of this.#connection.getTransceivers()) {
      transceiver.receiver.stop();
      for (const { id, uri } of transceiver.headerExtensions) extensions.set(id, uri);
      const section = media.find(({ rtp }) => rtp.muxId === transceiver.mid);
      if (section !== undefined) this.#agreeSection(section, transceiver);
    }
    this.#arrivals.learn([...this.#uplinks.values()], extensions);
    for (const transport of this.#connection.dtlsTransports) this.#listen(transport);
    this.wake();
  }

  /** Lets downlinks begin that now can. */
  wake(): void {
    for (const downlink of this.#downlinks) downlink.choose(performance.now());
  }

  close(): void {
    clearInterval(this.#timer);
    for (const uplink of this.#uplinks.values()) uplink.close();
    for (const downlink of this.#downlinks) downlink.close();
    this.#uplinks.clear();
    this.#downlinks.clear();
  }

  #agreeSection(section: RemoteSection, transceiver: RTCRtpTransceiver): void {
    const { mid, kind } = transceiver;
    if (mid === null) return;
    let uplink = this.#uplinks.get(mid);
    if (!receives(transceiver)) {
      uplink?.close();
      this.#uplinks.delete(mid);
      return;
    }
    if (uplink === undefined) {
      const send = (packets: readonly RtcpPacket[]) => this.#sendRtcp(transceiver, packets);
      uplink = new Uplink({
        mid,
        kind: kind as Uplink["kind"],
        reporter: transceiver.sender.ssrc,
        send,
      });
      this.#uplinks.set(mid, uplink);
    }
    uplink.codecs = transceiver.codecs;
    if (section.simulcastParameters.length === 0) this.#announce(section, uplink);
  }

  // Only where one SSRC sends: which of several belongs to which layer, descriptions do not tell.
  #announce({ ssrc, ssrcGroup }: RemoteSection, uplink: Uplink): void {
    const repairing = ssrcGroup
      .filter(({ semantic }) => semantic === "FID")
      .flatMap(({ items }) => items.slice(1).map(Number));
    for (const source of ssrc) {
      const repairs = repairing.includes(source.ssrc);
      this.#arrivals.announce(source.ssrc, { uplink, rid: "", repairs });
    }
  }

  #listen(transport: RTCDtlsTransport): void {
    if (this.#transports.has(transport)) return;
    this.#transports.add(transport);
    transport.onRtp.subscribe((packet) => this.#arrivals.receive(packet));
    transport.onRtcp.subscribe((packet) => this.#feedback(packet));
    transport.onStateChange.subscribe(() => this.#changed());
  }

  #feedback(packet: RtcpPacket): void {
    if (packet instanceof RtcpSrPacket) {
      const { ntpTimestamp, rtpTimestamp } = packet.senderInfo;
      this.#arrivals.reported(packet.ssrc, ntpTimestamp, rtpTimestamp);
    }
    if (packet instanceof RtcpSrPacket || packet instanceof RtcpRrPacket) {
      for (const report of packet.reports) this.#downlinkOf(report.ssrc)?.received(report);
    } else if (packet instanceof RtcpTransportLayerFeedback) {
      const { feedback } = packet;
      if (feedback !== undefined) this.#downlinkOf(feedback.mediaSourceSsrc)?.feedback(feedback);
    } else if (packet instanceof RtcpPayloadSpecificFeedback) {
      const { feedback } = packet;
      if (feedback === undefined) return;
      // RFC 5104 s4.3.1.1: a full intra request names its media in its entries only.
      const about = "fir" in feedback ? feedback.fir.map(({ ssrc }) => ssrc) : [feedback.mediaSsrc];
      for (const ssrc of about) this.#downlinkOf(ssrc)?.feedback(feedback);
    }
  }

  #downlinkOf(ssrc: number): Downlink | undefined {
    return [...this.#downlinks].find(({ transceiver }) => transceiver.sender.ssrc === ssrc);
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const uplink of this.#uplinks.values()) uplink.askForLost(nowMs);
    this.#ticks += 1;
    if (this.#ticks % REPORT_TICKS !== 0) return;
    for (const downlink of this.#downlinks) downlink.choose(nowMs);
    this.#report(nowMs);
  }

  #report(nowMs: number): void {
    const live = [...this.#uplinks.values()].filter(({ layers }) => layers.length > 0);
    for (const uplink of live) {
      const transceiver = this.#connection.getTransceivers().find(({ mid }) => mid === uplink.mid);
      if (transceiver === undefined) continue;
      const { ssrc } = transceiver.sender;
      this.#sendRtcp(transceiver, [
        new RtcpRrPacket({ ssrc, reports: [...uplink.reports(nowMs)] }),
      ]);
    }
    this.#limitSender(live);
  }

  // One estimate for all that a sender sends over a transport: it divides that itself.
  #limitSender(live: readonly Uplink[]): void {
    const first = live.find(({ kind }) => kind === "video");
    const transceiver = this.#connection.getTransceivers().find(({ mid }) => mid === first?.mid);
    if (transceiver === undefined) return;
    const mostBps = live
      .map(
        ({ kind, maxBitrateBps }) =>
          maxBitrateBps ?? (kind === "video" ? USUAL_VIDEO_BPS : USUAL_AUDIO_BPS),
      )
      .reduce((sum, each) => sum + each, 0);
    const ssrcs = live.flatMap(({ layers }) => layers.map(({ ssrc }) => ssrc));
    this.#sendRtcp(transceiver, [estimatedMaximum(transceiver.sender.ssrc, mostBps, ssrcs)]);
  }

  #sendRtcp({ dtlsTransport }: RTCRtpTransceiver, packets: readonly RtcpPacket[]): void {
    if (dtlsTransport?.state !== "connected") return;
    void dtlsTransport.sendRtcp([...packets]).catch(() => {});
  }
}

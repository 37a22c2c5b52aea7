import type { RtpPacket } from "werift";
import { EXTENSION, isRtx } from "./codecs.ts";
import type { Uplink } from "./uplink.ts";

/** What an SSRC was found to carry. */
export interface SourceRoute {
  readonly uplink: Uplink;
  /** The simulcast layer; empty where there is none. */
  readonly rid: string;
  /** It carries retransmissions (RFC 4588). */
  readonly repairs: boolean;
}

/** Header extensions that are worth passing on. */
const PASSED_ON: readonly string[] = [EXTENSION.audioLevel, EXTENSION.orientation];

/**
 * Finds the uplink of each packet of a bundled transport (RFC 9143 s9.2): by the header extensions that
 * senders put on their first packets, by SSRCs that the description told, at last by payload type.
 */
export class Arrivals {
  readonly #routes = new Map<number, SourceRoute>();
  #extensions: ReadonlyMap<number, string> = new Map();
  #uplinks: readonly Uplink[] = [];

  /** After each exchange: who receives, and which numbers the header extensions have. */
  learn(uplinks: readonly Uplink[], extensions: ReadonlyMap<number, string>): void {
    this.#uplinks = uplinks;
    this.#extensions = extensions;
    for (const [ssrc, { uplink }] of this.#routes) {
      if (!uplinks.includes(uplink)) this.#routes.delete(ssrc);
    }
  }

  /** An SSRC that the sender's description names. */
  announce(ssrc: number, route: SourceRoute): void {
    this.#routes.set(ssrc, route);
  }

  receive(packet: RtpPacket): void {
    const values = this.#valuesOf(packet);
    const known = this.#routes.get(packet.header.ssrc);
    const route = known ?? this.#find(packet, values);
    if (route === undefined) return;
    if (known === undefined) this.#routes.set(packet.header.ssrc, route);
    const passedOn = new Map([...values].filter(([uri]) => PASSED_ON.includes(uri)));
    route.uplink.receive(packet, route, passedOn);
  }

  reported(ssrc: number, ntpTimestamp: bigint, rtpTimestamp: number): void {
    this.#routes.get(ssrc)?.uplink.reported(ssrc, ntpTimestamp, rtpTimestamp);
  }

  #valuesOf({ header }: RtpPacket): ReadonlyMap<string, Buffer> {
    const values = new Map<string, Buffer>();
    for (const { id, payload } of header.extensions) {
      const uri = this.#extensions.get(id);
      if (uri !== undefined) values.set(uri, payload);
    }
    return values;
  }

  #find({ header }: RtpPacket, values: ReadonlyMap<string, Buffer>): SourceRoute | undefined {
    const { payloadType } = header;
    const mid = values.get(EXTENSION.mid)?.toString();
    const carrying = this.#uplinks.filter(({ codecs }) =>
      codecs.some((codec) => codec.payloadType === payloadType),
    );
    const uplink =
      mid === undefined
        ? carrying.length === 1
          ? carrying[0]
          : undefined
        : carrying.find((each) => each.mid === mid);
    if (uplink === undefined) return undefined;
    const codec = uplink.codecs.find((each) => each.payloadType === payloadType);
    const repairs = codec !== undefined && isRtx(codec);
    const rid = values.get(repairs ? EXTENSION.repairedRid : EXTENSION.rid)?.toString() ?? "";
    return { uplink, rid, repairs };
  }
}

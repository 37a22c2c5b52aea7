import { randomInt } from "node:crypto";
import type { RTCRtpTransceiver } from "werift";
import { type Connection, EXTENSION } from "./connection.ts";
import { markOf, OutgoingLayer, PictureStream, silence } from "./outgoing-layer.ts";
import { PICTURES } from "./pictures.ts";

export type LayerName = keyof typeof PICTURES;

const AUDIO_MS = 20;
/** Pictures come with every second packet of sound. */
const PICTURE_TICKS = 2;
const REPORT_TICKS = 50;

/** About 90, 290 and 880 kbit/s at 25 pictures per second. */
const BYTES: Readonly<Record<LayerName, number>> = { q: 440, h: 1_440, f: 4_400 };

/** What one peer of the kit sends: silence, and a picture of one colour in one layer or in several. */
export class OutgoingMedia {
  readonly pictures: readonly PictureStream[];
  readonly #audio: OutgoingLayer | undefined;
  readonly #silence: Buffer;
  readonly #connection: Connection;
  /** How many requests for key frames were answered. */
  #answered = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ticks = 0;

  /** `layers`: of the picture; several are a simulcast. */
  constructor(connection: Connection, publisher: string, layers: readonly LayerName[]) {
    const sending = connection.pc
      .getTransceivers()
      .filter(({ currentDirection }) => currentDirection === "sendonly");
    const audio = sending.find(({ kind }) => kind === "audio");
    const video = sending.find(({ kind }) => kind === "video");
    this.#silence = silence(markOf(publisher, ""));
    this.#audio = audio && outgoingLayer(audio, audio.sender.ssrc, 48_000);
    const isLayered = layers.length > 1;
    this.pictures =
      video === undefined
        ? []
        : layers.map((layer) => {
            const ssrc = isLayered ? randomInt(1, 0x1_0000_0000) : video.sender.ssrc;
            return new PictureStream({
              layer: outgoingLayer(video, ssrc, 90_000, isLayered ? layer : undefined),
              pictures: PICTURES[layer],
              mark: markOf(publisher, isLayered ? layer : ""),
              bytesPerPicture: BYTES[layer],
            });
          });
    connection.onLost((ssrc, sequenceNumber) => {
      this.pictures.find(({ layer }) => layer.ssrc === ssrc)?.layer.sendAgain(sequenceNumber);
    });
    this.#connection = connection;
  }

  start(): void {
    const beganMs = performance.now();
    this.#timer = setInterval(() => {
      // Timers come late on a busy machine; what is due is sent all the same, a little at a time.
      const dueTicks = Math.floor((performance.now() - beganMs) / AUDIO_MS);
      const endTicks = Math.min(dueTicks, this.#ticks + 5);
      while (this.#ticks < endTicks) this.#tick();
      if (dueTicks > endTicks) this.#ticks = dueTicks;
    }, AUDIO_MS / 2);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#ticks += 1;
    this.#audio?.send([this.#silence]);
    if (this.#ticks % PICTURE_TICKS === 0) this.#sendPictures();
    if (this.#ticks % REPORT_TICKS !== 0) return;
    this.#audio?.report();
    for (const { layer } of this.pictures) layer.report();
  }

  #sendPictures(): void {
    const { keyframeRequests } = this.#connection;
    for (const { ssrc } of keyframeRequests.slice(this.#answered)) {
      this.pictures.find(({ layer }) => layer.ssrc === ssrc)?.requestKeyframe();
    }
    this.#answered = keyframeRequests.length;
    for (const stream of this.pictures) stream.sendPicture();
  }
}

function outgoingLayer(
  transceiver: RTCRtpTransceiver,
  ssrc: number,
  clockRate: number,
  rid?: LayerName,
): OutgoingLayer {
  const values = new Map<string, string>([[EXTENSION.mid, transceiver.mid ?? ""]]);
  if (rid !== undefined) values.set(EXTENSION.rid, rid);
  const extensions = transceiver.headerExtensions.flatMap(({ id, uri }) => {
    const value = values.get(uri);
    return value === undefined ? [] : [{ id, payload: Buffer.from(value) }];
  });
  const [codec] = transceiver.codecs;
  return new OutgoingLayer({
    transport: () => transceiver.dtlsTransport,
    ssrc,
    payloadType: codec?.payloadType ?? 0,
    clockRate,
    extensions,
  });
}

import type { MediaLabels } from "../protocol/flow-query.ts";
import type { Rights } from "./rights.ts";

/** What an application says of a track beside its SDP; flows that carry it have the same members. */
export type PublicationLabels = MediaLabels[string];

/** How a track is published: `streams` as of RTCRtpTransceiverInit, and what is said of it. */
export interface PublishOptions {
  /** The streams that the others get it in; none when left out. */
  readonly streams?: readonly MediaStream[];
  /** Equal for tracks that carry one camera or microphone; the id of the first track when left out. */
  readonly sourceId?: string;
  /** Equal for tracks that are one source at several rates. */
  readonly simulcastGroup?: string;
  /** What it shows (RFC 4796), such as `main` or `slides`. */
  readonly content?: string;
  /** Simulcast layers, as `addTransceiver` takes them; sent to media servers, which choose for whom. */
  readonly sendEncodings?: readonly RTCRtpEncodingParameters[];
}

/** A track on its way to all peers, present and future. */
export interface Publication {
  /** What is sent now. */
  readonly track: MediaStreamTrack;
  /** The streams that the others get it in. */
  readonly streams: readonly MediaStream[];
  /** What is said of it in the records of its flows. */
  readonly labels: PublicationLabels;
  /** Its simulcast layers; empty without. */
  readonly sendEncodings: readonly RTCRtpEncodingParameters[];
  /** Takes the track away from all peers. */
  unpublish(): void;
  /** Sends another track in its place, without negotiation. Rejects with a `TypeError` when it is of another kind. */
  replaceTrack(track: MediaStreamTrack): Promise<void>;
}

/** Takes a publication away from all peers, and puts other tracks in its place. */
export interface Publisher {
  unpublish(publication: Publication): void;
  replaceTrack(publication: Publication, track: MediaStreamTrack): Promise<void>;
}

/** A publication of a track, as `Session.publish` is given it. */
export function publicationOf(
  track: MediaStreamTrack,
  given: readonly MediaStream[] | readonly [options: PublishOptions],
  publisher: Publisher,
): Publication {
  const [first] = given;
  const isOptions = first !== undefined && !(first instanceof MediaStream);
  const options: PublishOptions = isOptions ? first : { streams: given as readonly MediaStream[] };
  const { streams, sendEncodings = [], ...said } = options;
  let current = track;
  const publication: Publication = {
    streams: streams ?? [],
    labels: { sourceId: track.id, ...said },
    sendEncodings,
    get track() {
      return current;
    },
    unpublish() {
      publisher.unpublish(publication);
    },
    async replaceTrack(next) {
      // As the browser says it, but before links to come are given what they could not send.
      if (next.kind !== current.kind)
        throw new TypeError(`${next.kind} in the place of ${current.kind}`);
      current = next;
      await publisher.replaceTrack(publication, next);
    },
  };
  return publication;
}

/** The published tracks on one connection: which transceiver carries which publication. */
export class PublishedTracks {
  readonly #connection: RTCPeerConnection;
  readonly #rights: Rights;
  readonly #takesLayers: boolean;
  readonly #transceivers = new Map<Publication, RTCRtpTransceiver>();

  /** `takesLayers`: the other side chooses among simulcast layers. */
  constructor(connection: RTCPeerConnection, rights: Rights, takesLayers: boolean) {
    this.#connection = connection;
    this.#rights = rights;
    this.#takesLayers = takesLayers;
  }

  /** Adds a track; nothing happens when this link may not carry its kind. */
  add(publication: Publication): void {
    const { track, streams, sendEncodings } = publication;
    if (!this.#rights.maySend(track.kind) || this.#transceivers.has(publication)) return;
    const isLayered = this.#takesLayers && sendEncodings.length > 1;
    const transceiver = isLayered
      ? this.#addLayers(publication)
      : (this.#reuse(publication) ?? this.#addTrack(track, streams));
    if (transceiver !== undefined) this.#transceivers.set(publication, transceiver);
  }

  remove(publication: Publication): void {
    const transceiver = this.#transceivers.get(publication);
    if (transceiver === undefined) return;
    this.#transceivers.delete(publication);
    const { currentDirection } = transceiver;
    const receives = currentDirection === "sendrecv" || currentDirection === "recvonly";
    // A section that carries nothing else is stopped: its flow ends, and its m-line can be used again.
    if (receives || currentDirection === null) this.#connection.removeTrack(transceiver.sender);
    else transceiver.stop();
  }

  async replace(publication: Publication, track: MediaStreamTrack): Promise<void> {
    await this.#transceivers.get(publication)?.sender.replaceTrack(track);
  }

  /**
   * Restricts directions to what was granted. For the first offer it also opens a section for each kind that
   * the other peer may send, so that media can flow one way.
   */
  prepare(type: "offer" | "answer"): void {
    if (type === "offer" && this.#connection.currentLocalDescription === null) {
      for (const kind of ["audio", "video"]) this.#openReceiver(kind);
    }
    for (const transceiver of this.#connection.getTransceivers()) {
      if (type === "offer" && isLeft(transceiver)) transceiver.stop();
      this.#restrict(transceiver);
    }
  }

  /** What is said of the tracks, by mid; `sourceId` tells which flows of several links are one source. */
  labels(): MediaLabels {
    const labels: MediaLabels = {};
    for (const [publication, { mid }] of this.#transceivers) {
      if (mid !== null) labels[mid] = publication.labels;
    }
    return labels;
  }

  #openReceiver(kind: string): void {
    if (!this.#rights.mayReceive(kind)) return;
    const open = this.#connection
      .getTransceivers()
      .some(({ receiver, direction }) => receiver.track.kind === kind && direction !== "stopped");
    if (!open) this.#connection.addTransceiver(kind, { direction: "recvonly" });
  }

  #restrict(transceiver: RTCRtpTransceiver): void {
    const { kind } = transceiver.receiver.track;
    const { direction } = transceiver;
    if (direction === "stopped") return;
    const send =
      (direction === "sendrecv" || direction === "sendonly") && this.#rights.maySend(kind);
    const receive =
      (direction === "sendrecv" || direction === "recvonly") && this.#rights.mayReceive(kind);
    const allowed = directionOf(send, receive);
    if (allowed !== direction) transceiver.direction = allowed;
  }

  /** A section that only receives has a sender to spare; taking it saves an m-line. */
  #reuse({ track, streams }: Publication): RTCRtpTransceiver | undefined {
    const idle = this.#connection
      .getTransceivers()
      .find(
        ({ sender, receiver, direction }) =>
          sender.track === null &&
          receiver.track.kind === track.kind &&
          (direction === "recvonly" || direction === "inactive"),
      );
    if (idle === undefined || typeof idle.sender.setStreams !== "function") return undefined;
    idle.sender.setStreams(...streams);
    idle.direction = idle.direction === "recvonly" ? "sendrecv" : "sendonly";
    idle.sender.replaceTrack(track).catch(reportError);
    return idle;
  }

  /** Layers are for a section of this side's own offer (RFC 9429 s4.1.9): only a new one has them. */
  #addLayers({ track, streams, sendEncodings }: Publication): RTCRtpTransceiver {
    return this.#connection.addTransceiver(track, {
      direction: "sendonly",
      streams: [...streams],
      sendEncodings: sendEncodings.map((encoding) => ({ ...encoding })),
    });
  }

  /**
   * `addTrack`, not `addTransceiver`: only its sections are matched with those of a remote offer. It takes no track that
   * another publication sends, which `replaceTrack` can lead to, or one whose section is about to stop.
   */
  #addTrack(
    track: MediaStreamTrack,
    streams: readonly MediaStream[],
  ): RTCRtpTransceiver | undefined {
    if (this.#connection.getSenders().some((sender) => sender.track === track)) {
      return this.#connection.addTransceiver(track, { streams: [...streams] });
    }
    const sender = this.#connection.addTrack(track, ...streams);
    return this.#connection.getTransceivers().find((one) => one.sender === sender);
  }
}

/** Its track was taken away before the other side had answered that it sends nothing on it. */
const isLeft = ({ sender, direction, currentDirection }: RTCRtpTransceiver): boolean =>
  sender.track === null && direction === "recvonly" && currentDirection === "sendonly";

function directionOf(send: boolean, receive: boolean): RTCRtpTransceiverDirection {
  if (send) return receive ? "sendrecv" : "sendonly";
  return receive ? "recvonly" : "inactive";
}

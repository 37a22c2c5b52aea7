import type { CentralSession } from "./application.ts";
import { Connection } from "./connection.ts";
import { type Credentials, credentialsIn, HttpDoor, withoutCandidates } from "./http-door.ts";
import { within } from "./judgement.ts";
import { type LayerName, OutgoingMedia } from "./outgoing-media.ts";

const CONNECT_MS = 10_000;

/** A WHIP publisher. */
export class Publisher {
  readonly id: string;
  readonly connection: Connection;
  readonly media: OutgoingMedia;
  readonly #door: HttpDoor;

  private constructor(id: string, connection: Connection, door: HttpDoor, media: OutgoingMedia) {
    this.id = id;
    this.connection = connection;
    this.#door = door;
    this.media = media;
  }

  /** Publishes sound and a picture; with several layers as a simulcast. It tells its candidates later. */
  static async start(
    session: CentralSession,
    layers: readonly LayerName[] = ["h"],
  ): Promise<Publisher> {
    const { peer, token } = await session.invite({ publish: ["audio", "video"], subscribe: [] });
    const connection = new Connection();
    const { pc } = connection;
    pc.addTransceiver("audio", { direction: "sendonly" });
    pc.addTransceiver("video", {
      direction: "sendonly",
      ...(layers.length > 1 && {
        simulcast: layers.map((rid) => ({ direction: "send" as const, rid })),
      }),
    });
    await pc.setLocalDescription(await pc.createOffer());
    const offer =
      layers.length > 1 ? withoutVideoSources(connection.localSdp) : connection.localSdp;
    try {
      const door = await HttpDoor.open(session, "whip", token, withoutCandidates(offer));
      await pc.setRemoteDescription({ type: "answer", sdp: door.answer });
      connection.agreed();
      await door.trickle(offer);
      const media = new OutgoingMedia(connection, peer.id, layers);
      media.start();
      return new Publisher(peer.id, connection, door, media);
    } catch (fault) {
      await connection.close();
      throw fault;
    }
  }

  get remoteCredentials(): Credentials {
    return credentialsIn(this.#door.answer);
  }

  async connected(): Promise<void> {
    await within(
      CONNECT_MS,
      `the transport of publisher ${this.id} to connect`,
      () => this.connection.connected,
      () => `state ${this.connection.pc.connectionState}`,
    );
  }

  /** Restarts ICE. */
  async restart(): Promise<void> {
    const { pc } = this.connection;
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    const answer = await this.#door.restart(this.connection.localSdp);
    await pc.setRemoteDescription({ type: "answer", sdp: answer });
    this.connection.agreed();
    // werift begins its checks only where DTLS is still to come.
    for (const { iceTransport } of pc.dtlsTransports) iceTransport.start().catch(() => {});
    await within(
      CONNECT_MS,
      "ICE to connect again after its restart",
      () => pc.iceTransports.every(({ connection }) => connection.nominated !== undefined),
      () => `state ${pc.iceConnectionState}`,
    );
  }

  async leave(): Promise<number> {
    const status = await this.#door.end();
    await this.close();
    return status;
  }

  /** Is gone, and nobody is told. */
  async vanish(): Promise<void> {
    this.media.stop();
    await this.connection.vanish();
  }

  async close(): Promise<void> {
    this.media.stop();
    await this.connection.close();
  }
}

/** Layers are told apart by their header extensions: their SSRCs are not in the description (RFC 8853 s5.5). */
const withoutVideoSources = (sdp: string): string =>
  sdp
    .split(/^(?=m=)/m)
    .map((section) =>
      section.startsWith("m=video") ? section.replace(/^a=ssrc(?:-group)?:.*\r?\n/gm, "") : section,
    )
    .join("");

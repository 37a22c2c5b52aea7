import type { CentralSession } from "./application.ts";
import type { Arrival } from "./arrivals.ts";
import { Connection } from "./connection.ts";
import { HttpDoor } from "./http-door.ts";
import { within } from "./judgement.ts";

/** A WHEP player. */
export class Player {
  readonly id: string;
  readonly connection: Connection;
  readonly answer: string;
  readonly #door: HttpDoor;

  private constructor(id: string, connection: Connection, door: HttpDoor) {
    this.id = id;
    this.connection = connection;
    this.#door = door;
    this.answer = door.answer;
  }

  static async start(session: CentralSession): Promise<Player> {
    const { peer, token } = await session.invite({ publish: [], subscribe: ["audio", "video"] });
    const connection = new Connection();
    const { pc } = connection;
    for (const kind of ["audio", "video"] as const) {
      pc.addTransceiver(kind, { direction: "recvonly" });
    }
    await pc.setLocalDescription(await pc.createOffer());
    try {
      const door = await HttpDoor.open(session, "whep", token, connection.localSdp);
      await pc.setRemoteDescription({ type: "answer", sdp: door.answer });
      connection.agreed();
      return new Player(peer.id, connection, door);
    } catch (fault) {
      await connection.close();
      throw fault;
    }
  }

  end(): Promise<number> {
    return this.#door.end();
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}

/** The newest packet that fits. */
export const newest = (
  { arrivals }: Connection,
  fits: (arrival: Arrival) => boolean,
): Arrival | undefined => arrivals.findLast(fits);

/** Waits until sound and picture have come since a moment. */
export function plays(
  connection: Connection,
  who: string,
  limitMs: number,
  sinceMs = 0,
  publisher?: string,
): Promise<true> {
  const comes = (kind: Arrival["kind"]) =>
    connection.since(
      sinceMs,
      (each) => each.kind === kind && (publisher === undefined || each.publisher === publisher),
    ).length > 5;
  const of = publisher === undefined ? "" : ` of ${publisher}`;
  return within(
    limitMs,
    `RTP of sound and picture${of} at ${who}`,
    () => (comes("audio") && comes("video") ? true : undefined),
    () => {
      const { pc } = connection;
      const count = (kind: Arrival["kind"]) =>
        connection.since(sinceMs, (each) => each.kind === kind).length;
      return `${count("audio")} packets of sound and ${count("video")} of the picture, transport ${pc.connectionState}`;
    },
  );
}

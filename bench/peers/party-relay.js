// A relay with partyserver, asleep between frames: to the other end of the room, by its id.
// `GET /parties/party/ROOM?_pk=a` and `?_pk=b` are the two ends.
import { routePartykitRequest, Server } from "partyserver";

export class Party extends Server {
  static options = { hibernate: true };

  onMessage(connection, frame) {
    this.getConnection(connection.id === "a" ? "b" : "a")?.send(frame);
  }
}

export default {
  fetch: async (request, env) =>
    (await routePartykitRequest(request, env)) ?? new Response(null, { status: 404 }),
};

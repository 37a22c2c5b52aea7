// The least that a relay can do: Node.js and `ws`, frames handed on unread to the other end of the room.
// `GET /ROOM/a` and `GET /ROOM/b` are the two ends.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

const sockets = new Map<string, WebSocket>();
const server = createServer();

new WebSocketServer({ server, perMessageDeflate: false }).on(
  "connection",
  (socket, { url = "" }) => {
    const [, room, end] = url.split("/");
    const other = `${room}/${end === "a" ? "b" : "a"}`;
    sockets.set(`${room}/${end}`, socket);
    socket.on("message", (data) => sockets.get(other)?.send(data, { binary: false }));
  },
);

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`Ready on http://127.0.0.1:${port}/`);
});

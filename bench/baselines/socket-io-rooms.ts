// Rooms for two over Socket.IO, as tutorials on WebRTC make their signalling server.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

/** What is used of Socket.IO, which is installed in bench/peers. */
interface SocketIo {
  readonly Server: new (
    http: object,
    options: object,
  ) => { on(event: "connection", listener: (socket: Socket) => void): void };
}

interface Socket {
  join(room: string): void;
  emit(event: string, body?: object): void;
  to(room: string): { emit(event: string, body?: object): void };
  on(event: string, listener: (body: never) => void): void;
}

const requirePeer = createRequire(new URL("../peers/", import.meta.url));
const { Server } = requirePeer("socket.io") as SocketIo;

const http = createServer();
const io = new Server(http, { perMessageDeflate: false });

io.on("connection", (socket) => {
  socket.on("join", (room: string) => {
    socket.join(room);
    socket.emit("joined");
    socket.to(room).emit("ready");
  });
  for (const event of ["offer", "answer", "candidate"]) {
    socket.on(event, (body: { room: string }) => socket.to(body.room).emit(event, body));
  }
});

http.listen(0, "127.0.0.1", () => {
  console.log(`Ready on http://127.0.0.1:${(http.address() as AddressInfo).port}/`);
});

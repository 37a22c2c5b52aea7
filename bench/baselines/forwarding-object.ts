// The least that a relay on this platform can do: hibernatable sockets, found by their tag, frames handed on unread.
// `GET /ROOM/a` and `GET /ROOM/b` are the two ends.

interface Socket {
  send(frame: string | ArrayBuffer): void;
}

interface State {
  acceptWebSocket(socket: Socket, tags: readonly string[]): void;
  getTags(socket: Socket): readonly string[];
  getWebSockets(tag: string): readonly Socket[];
}

interface Objects {
  idFromName(name: string): unknown;
  get(id: unknown): { fetch(request: Request): Promise<Response> };
}

interface Bindings {
  readonly FORWARDING: Objects;
  readonly ACKING: Objects;
}

declare const WebSocketPair: new () => { readonly 0: Socket; readonly 1: Socket };

export class ForwardingObject {
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  fetch(request: Request): Response {
    const end = new URL(request.url).pathname.split("/").at(-1) ?? "";
    const { 0: client, 1: server } = new WebSocketPair();
    this.#state.acceptWebSocket(server, [end]);
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  webSocketMessage(socket: Socket, frame: string | ArrayBuffer): void {
    const [end] = this.#state.getTags(socket);
    for (const other of this.#state.getWebSockets(end === "a" ? "b" : "a")) other.send(frame);
  }

  webSocketClose(): void {
    // The runtime answers the close.
  }
}

/** The same, and answers each frame; what Duplex does where a frame has an `id`. */
export class AckingObject extends ForwardingObject {
  override webSocketMessage(socket: Socket, frame: string | ArrayBuffer): void {
    socket.send('{"type":"ack","re":1}');
    super.webSocketMessage(socket, frame);
  }
}

export default {
  fetch(request: Request, { FORWARDING, ACKING }: Bindings): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const objects = searchParams.has("ack") ? ACKING : FORWARDING;
    return objects.get(objects.idFromName(pathname.split("/")[1] ?? "")).fetch(request);
  },
};

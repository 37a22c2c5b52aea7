import { WebSocket } from "ws";

/** Sockets and requests of clients that set up calls, counted. */

/** What went over the wire: payloads of WebSockets, and requests of HTTP with their bodies. Upgrades are requests. */
export interface Counts {
  sent: number;
  received: number;
  sentBytes: number;
  receivedBytes: number;
  requests: number;
  /** Of what was received, records of media flows: nobody but Duplex sends such. */
  records: number;
  recordBytes: number;
}

export const noCounts = (): Counts => ({
  sent: 0,
  received: 0,
  sentBytes: 0,
  receivedBytes: 0,
  requests: 0,
  records: 0,
  recordBytes: 0,
});

const WAIT_MS = 20_000;

interface Waiting {
  readonly is: (text: string) => boolean;
  readonly resolve: (text: string) => void;
}

/** One client's socket: what it gets waits until it is asked for. */
export class Wire {
  readonly #socket: WebSocket;
  readonly #counts: Counts;
  readonly #inbox: string[] = [];
  readonly #waiting = new Set<Waiting>();
  readonly #answer: (text: string) => string | undefined;

  /** `answer` replies to frames of the transport, such as pings; they are counted like all others. */
  constructor(
    url: string | URL,
    counts: Counts,
    protocols: readonly string[] = [],
    answer: (text: string) => string | undefined = () => undefined,
  ) {
    this.#counts = counts;
    this.#answer = answer;
    counts.requests += 1;
    // Without compression: it would measure zlib.
    this.#socket = new WebSocket(url, [...protocols], { perMessageDeflate: false });
    this.#socket.on("message", (data) => this.#receive(String(data)));
    this.#socket.on("error", () => undefined);
  }

  /** Waits until the server has taken the socket. */
  async opened(): Promise<void> {
    if (this.#socket.readyState === WebSocket.OPEN) return;
    await new Promise((resolve, reject) => {
      this.#socket.once("open", resolve);
      this.#socket.once("close", () => reject(new Error("refused")));
    });
  }

  send(text: string): void {
    this.#counts.sent += 1;
    this.#counts.sentBytes += Buffer.byteLength(text);
    this.#socket.send(text);
  }

  /** The next frame of this kind, of those that came and nobody asked for, or to come. Throws when none comes. */
  next(what: string, is: (text: string) => boolean): Promise<string> {
    const index = this.#inbox.findIndex(is);
    if (index >= 0) return Promise.resolve(this.#inbox.splice(index, 1)[0] ?? "");
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(new Error(`no ${what} in time`));
      }, WAIT_MS);
      const waiting: Waiting = {
        is,
        resolve: (text) => {
          clearTimeout(late);
          resolve(text);
        },
      };
      this.#waiting.add(waiting);
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(text: string): void {
    this.#counts.received += 1;
    this.#counts.receivedBytes += Buffer.byteLength(text);
    if (text.startsWith('{"type":"flows"')) {
      this.#counts.records += 1;
      this.#counts.recordBytes += Buffer.byteLength(text);
    }
    const reply = this.#answer(text);
    if (reply !== undefined) {
      this.send(reply);
      return;
    }
    for (const waiting of this.#waiting) {
      if (!waiting.is(text)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(text);
      return;
    }
    this.#inbox.push(text);
  }
}

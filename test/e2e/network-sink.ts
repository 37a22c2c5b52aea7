import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Takes what a network notifies, on a port of its own. */

export interface Notified {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly type: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever a network says; tests look at its members
  readonly body: any;
}

export interface NetworkSink {
  readonly url: string;
  readonly notified: readonly Notified[];
  /** Status of the answers from now on; 204 until then. */
  readonly answer: (...statuses: number[]) => void;
  readonly close: () => Promise<void>;
}

export async function openNetworkSink(): Promise<NetworkSink> {
  const notified: Notified[] = [];
  let statuses: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      notified.push({
        path: request.url ?? "",
        authorization: request.headers.authorization,
        type: request.headers["content-type"],
        body: JSON.parse(Buffer.concat(chunks).toString()),
      });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    notified,
    answer: (...next) => {
      statuses = next;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

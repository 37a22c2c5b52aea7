// PeerJS' own server, installed in bench/peers.
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

/** What is used of it. */
interface PeerModule {
  PeerServer(
    options: object,
    listening: (server: { address(): AddressInfo | string | null }) => void,
  ): void;
}

const requirePeer = createRequire(new URL("../peers/", import.meta.url));
const { PeerServer } = requirePeer("peer") as PeerModule;

/** Peers of bench/relay.ts send no heartbeats: none is thrown out for that. */
const DAY_MS = 86_400_000;

PeerServer({ host: "127.0.0.1", port: 0, path: "/", alive_timeout: DAY_MS }, (server) => {
  const { port } = server.address() as AddressInfo;
  console.log(`Ready on http://127.0.0.1:${port}/`);
});

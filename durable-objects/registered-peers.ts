import type { RegisteredPeer } from "./realm-commands.ts";

const PREFIX = "peer ";

/** Peers without SWAP that endpoints of a realm can find: a row each, because their sockets are elsewhere. */
export class RegisteredPeers {
  readonly #kv: SyncKvStorage;

  constructor({ kv }: DurableObjectStorage) {
    this.#kv = kv;
  }

  put(registered: RegisteredPeer): void {
    this.#kv.put(`${PREFIX}${registered.peer}`, registered);
  }

  delete(peer: string): void {
    this.#kv.delete(`${PREFIX}${peer}`);
  }

  *all(): Generator<RegisteredPeer> {
    for (const [, registered] of this.#kv.list<RegisteredPeer>({ prefix: PREFIX }))
      yield registered;
  }
}

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import {
  ATTRIBUTE,
  type Attribute,
  decode,
  errorCode,
  longTermKey,
  METHOD,
  type Message,
  request,
} from "./stun.ts";

export interface TurnAddress {
  readonly host: string;
  readonly port: number;
}

/** What the TURN server said: a relayed address, or an error of RFC 8656 such as 401. */
export type Allocation =
  | { readonly granted: true; readonly lifetimeSeconds: number }
  | { readonly granted: false; readonly code: number };

const UDP_PROTOCOL = 17;
const TRY_LIMIT_MS = 500;
const TRIES = 6;

const ask = async (
  socket: Socket,
  { host, port }: TurnAddress,
  method: number,
  attributes: readonly Attribute[] = [],
  key?: Buffer,
): Promise<Message> => {
  const { transaction, bytes } = request(method, attributes, key);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const signal = AbortSignal.timeout(TRY_LIMIT_MS);
    socket.send(bytes, port, host);
    const [packet] = await once(socket, "message", { signal }).catch(() => [undefined]);
    if (!Buffer.isBuffer(packet)) continue;
    const message = decode(packet);
    if (message.transaction.equals(transaction)) return message;
  }
  throw new Error(`no answer from ${host}:${port}`);
};

const withSocket = async <R>(act: (socket: Socket) => Promise<R>): Promise<R> => {
  const socket = createSocket("udp4");
  // An address that refuses shows as an error of a later send; the lack of an answer tells enough.
  socket.on("error", () => undefined);
  try {
    return await act(socket);
  } finally {
    socket.close();
  }
};

/** A STUN binding request: resolves when somebody answers there. */
export const probe = (address: TurnAddress): Promise<void> =>
  withSocket(async (socket) => {
    await ask(socket, address, METHOD.binding);
  });

/** Of a port that somebody had before us, whose allocation there has not ended yet (RFC 8656 s7.2). */
const MISMATCH = 437;
const PORTS_TRIED = 5;

/** Allocates over UDP with long-term credentials and gives the allocation back at once. */
export const allocate = async (
  address: TurnAddress,
  username: string,
  credential: string,
): Promise<Allocation> => {
  for (let left = PORTS_TRIED - 1; ; left--) {
    const outcome = await allocateOnce(address, username, credential);
    if (outcome.granted || outcome.code !== MISMATCH || left === 0) return outcome;
  }
};

const allocateOnce = (
  address: TurnAddress,
  username: string,
  credential: string,
): Promise<Allocation> =>
  withSocket(async (socket) => {
    const transport: Attribute = {
      type: ATTRIBUTE.requestedTransport,
      value: Buffer.from([UDP_PROTOCOL, 0, 0, 0]),
    };
    // The first request carries no credentials: its 401 brings realm and nonce (RFC 8489 s9.2.3).
    const challenge = await ask(socket, address, METHOD.allocate, [transport]);
    const realm = challenge.attribute(ATTRIBUTE.realm);
    const nonce = challenge.attribute(ATTRIBUTE.nonce);
    if (realm === undefined || nonce === undefined) {
      return { granted: false, code: errorCode(challenge) ?? 0 };
    }
    const key = longTermKey(username, realm.toString(), credential);
    const credentials: Attribute[] = [
      { type: ATTRIBUTE.username, value: Buffer.from(username) },
      { type: ATTRIBUTE.realm, value: realm },
      { type: ATTRIBUTE.nonce, value: nonce },
    ];
    const answer = await ask(socket, address, METHOD.allocate, [transport, ...credentials], key);
    if (!answer.isSuccess) return { granted: false, code: errorCode(answer) ?? 0 };
    const lifetime = answer.attribute(ATTRIBUTE.lifetime);
    const end: Attribute = { type: ATTRIBUTE.lifetime, value: Buffer.alloc(4) };
    await ask(socket, address, METHOD.refresh, [end, ...credentials], key);
    return { granted: true, lifetimeSeconds: lifetime?.readUInt32BE(0) ?? 0 };
  });

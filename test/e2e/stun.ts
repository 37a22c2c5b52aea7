import { createHash, createHmac, randomBytes } from "node:crypto";

/** STUN messages (RFC 8489) as far as a TURN allocation (RFC 8656) needs them. */

const MAGIC_COOKIE = 0x21_12_a4_42;
const HEADER_BYTES = 20;

export const METHOD = { binding: 0x0001, allocate: 0x0003, refresh: 0x0004 } as const;
export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  realm: 0x0014,
  nonce: 0x0015,
  relayedAddress: 0x0016,
  requestedTransport: 0x0019,
} as const;

/** 0x0101 success and 0x0111 error are the class bits of the type (RFC 8489 s5). */
const SUCCESS = 0x0100;
const CLASS_BITS = 0x0110;

export interface Attribute {
  readonly type: number;
  readonly value: Buffer;
}

export interface Message {
  readonly method: number;
  readonly isSuccess: boolean;
  readonly transaction: Buffer;
  readonly attribute: (type: number) => Buffer | undefined;
}

const encodeAttribute = ({ type, value }: Attribute): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
};

const header = (method: number, bodyBytes: number, transaction: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(method, 0);
  head.writeUInt16BE(bodyBytes, 2);
  head.writeUInt32BE(MAGIC_COOKIE, 4);
  return Buffer.concat([head, transaction]);
};

/** Long-term key: MD5(username ":" realm ":" password), RFC 8489 s9.2.2. */
export const longTermKey = (username: string, realm: string, password: string): Buffer =>
  createHash("md5").update(`${username}:${realm}:${password}`).digest();

export const request = (
  method: number,
  attributes: readonly Attribute[],
  key?: Buffer,
): { transaction: Buffer; bytes: Buffer } => {
  const transaction = randomBytes(12);
  const body = Buffer.concat(attributes.map(encodeAttribute));
  if (key === undefined) {
    return { transaction, bytes: Buffer.concat([header(method, body.length, transaction), body]) };
  }
  // The length covers the integrity attribute, the hash covers what stands before it (s14.5).
  const signed = Buffer.concat([header(method, body.length + 24, transaction), body]);
  const value = createHmac("sha1", key).update(signed).digest();
  const integrity = encodeAttribute({ type: ATTRIBUTE.messageIntegrity, value });
  return { transaction, bytes: Buffer.concat([signed, integrity]) };
};

export const decode = (bytes: Buffer): Message => {
  const attributes = new Map<number, Buffer>();
  for (let at = HEADER_BYTES; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  const type = bytes.readUInt16BE(0);
  return {
    method: type & ~CLASS_BITS,
    isSuccess: (type & CLASS_BITS) === SUCCESS,
    transaction: bytes.subarray(8, HEADER_BYTES),
    attribute: (wanted) => attributes.get(wanted),
  };
};

/** ERROR-CODE: 21 reserved bits, class, number, reason phrase (RFC 8489 s14.8). */
export const errorCode = (message: Message): number | undefined => {
  const value = message.attribute(ATTRIBUTE.errorCode);
  return value === undefined ? undefined : (value[2]! & 7) * 100 + value[3]!;
};

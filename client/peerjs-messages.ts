/** Messages of data connections: any JSON, with binary data anywhere in it, in frames that every channel takes. */

/** So much of a message in each frame: with its head below 64 KiB, which every browser takes (RFC 8841 6.1). */
const CHUNK_BYTES = 60_000;
/** Number of the message, index of the frame in it, and how many it has: 32 bits each. */
const HEAD_BYTES = 12;
/** Length of the text that a message begins with. */
const LENGTH_BYTES = 4;

// In the text, a string with NUL before it is the number of a piece of binary data; one that the page itself
// begins so has another NUL before it.
const NUL = "\u0000";

type Binary = ArrayBuffer | ArrayBufferView | Blob;
type Bytes = Uint8Array<ArrayBuffer>;

const isBinary = (value: unknown): value is Binary =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value) || value instanceof Blob;

/** A copy: the page may write to its own before all of it was sent. */
export function bytesOf(data: ArrayBuffer | ArrayBufferView): Bytes {
  const view = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return new Uint8Array(view);
}

function packed(text: string, parts: readonly Bytes[]): Bytes {
  const sizes = JSON.stringify(parts.map(({ length }) => length));
  const head = new TextEncoder().encode(`[${text},${sizes}]`);
  let at = LENGTH_BYTES + head.length;
  const message = new Uint8Array(parts.reduce((sum, { length }) => sum + length, at));
  new DataView(message.buffer).setUint32(0, head.length);
  message.set(head, LENGTH_BYTES);
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  return message;
}

/** A message as bytes; a promise of them where a `Blob` has to be read. Throws a `TypeError` for what JSON cannot say. */
export function messageOf(data: unknown): Bytes | Promise<Bytes> {
  const parts: Binary[] = [];
  const text = JSON.stringify(data, function (this: Record<string, unknown>, key, value) {
    // Not `value`: a polyfill's bytes may have a `toJSON` of their own.
    const own = this[key];
    if (isBinary(own)) return `${NUL}${parts.push(own) - 1}`;
    return typeof value === "string" && value.startsWith(NUL) ? NUL + value : value;
  });
  const isWhole = (part: Binary): part is Exclude<Binary, Blob> => !(part instanceof Blob);
  if (parts.every(isWhole)) return packed(text ?? "null", parts.map(bytesOf));
  const read = parts.map(async (part) =>
    isWhole(part) ? bytesOf(part) : new Uint8Array(await part.arrayBuffer()),
  );
  return Promise.all(read).then((bytes) => packed(text, bytes));
}

/** The frames of a message; `number` tells them from those of other messages, in whatever order they come. */
export function* framesOf(message: Bytes, number: number): Generator<Bytes> {
  const count = Math.ceil(message.length / CHUNK_BYTES);
  for (let index = 0; index < count; index += 1) {
    const chunk = message.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    const frame = new Uint8Array(HEAD_BYTES + chunk.length);
    const head = new DataView(frame.buffer);
    for (const [field, value] of [number, index, count].entries()) head.setUint32(4 * field, value);
    frame.set(chunk, HEAD_BYTES);
    yield frame;
  }
}

function dataOf(message: Bytes): unknown {
  const { buffer } = message;
  const start = LENGTH_BYTES + new DataView(buffer).getUint32(0);
  const text = new TextDecoder().decode(message.subarray(LENGTH_BYTES, start));
  const [, sizes] = JSON.parse(text) as [unknown, number[]];
  let at = start;
  const parts = sizes.map((size) => {
    at += size;
    return buffer.slice(at - size, at);
  });
  const [data] = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== "string" || !value.startsWith(NUL)) return value;
    return value[1] === NUL ? value.slice(1) : parts[Number(value.slice(1))];
  }) as [unknown];
  return data;
}

/** Puts messages together from their frames. */
export class Assembly {
  readonly #begun = new Map<number, { chunks: Bytes[]; missing: number }>();

  /** The data of the message that this frame completes; undefined when more is to come. */
  take(frame: ArrayBuffer): { readonly data: unknown } | undefined {
    const head = new DataView(frame);
    const number = head.getUint32(0);
    const message = this.#begun.get(number) ?? { chunks: [], missing: head.getUint32(8) };
    message.chunks[head.getUint32(4)] = new Uint8Array(frame, HEAD_BYTES);
    message.missing -= 1;
    this.#begun.set(number, message);
    if (message.missing > 0) return undefined;
    this.#begun.delete(number);
    const whole = new Uint8Array(message.chunks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of message.chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return { data: dataOf(whole) };
  }
}

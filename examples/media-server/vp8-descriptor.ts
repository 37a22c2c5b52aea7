/** The numbers of the payload descriptor of VP8 that go on from picture to picture (RFC 7741 s4.2). */
interface Numbers {
  readonly pictureId: number;
  /** It has 15 bits, else 7. */
  readonly long: boolean;
  /** Where the index of the base layer is; undefined without temporal layers. */
  readonly baseIndexAt: number | undefined;
  readonly baseIndex: number;
}

const PICTURE_ID_AT = 2;

function read(payload: Uint8Array): Numbers | undefined {
  const [first = 0, extension = 0] = payload;
  // X and I: without a picture id there is nothing to go on.
  if ((first & 0x80) === 0 || (extension & 0x80) === 0) return undefined;
  const high = payload[PICTURE_ID_AT] ?? 0;
  const long = (high & 0x80) !== 0;
  const pictureId = long ? ((high & 0x7f) << 8) | (payload[PICTURE_ID_AT + 1] ?? 0) : high;
  const baseIndexAt = (extension & 0x40) === 0 ? undefined : long ? 4 : 3;
  const baseIndex = baseIndexAt === undefined ? 0 : (payload[baseIndexAt] ?? 0);
  return { long, pictureId, baseIndexAt, baseIndex };
}

/**
 * Keeps the picture ids and base layer indexes of one outgoing stream going on when its source changes:
 * a decoder takes pictures whose ids jump back for late ones, and drops them.
 */
export class Vp8Descriptors {
  #newest: { readonly pictureId: number; readonly baseIndex: number } | undefined;
  #pictureIdOffset = 0;
  #baseIndexOffset = 0;

  /** From now on packets of another source come; `payload` is of its first picture wanted. */
  change(payload: Uint8Array): void {
    const first = read(payload);
    if (first === undefined || this.#newest === undefined) return;
    this.#pictureIdOffset = this.#newest.pictureId + 1 - first.pictureId;
    this.#baseIndexOffset = this.#newest.baseIndex + 1 - first.baseIndex;
  }

  /** Writes the numbers of the outgoing stream into a payload: into a copy, as other receivers have others. */
  rewrite(payload: Uint8Array): void {
    const numbers = read(payload);
    if (numbers === undefined) return;
    const pictureId = (numbers.pictureId + this.#pictureIdOffset) & (numbers.long ? 0x7fff : 0x7f);
    const baseIndex = (numbers.baseIndex + this.#baseIndexOffset) & 0xff;
    if (numbers.long) {
      payload[PICTURE_ID_AT] = 0x80 | (pictureId >> 8);
      payload[PICTURE_ID_AT + 1] = pictureId & 0xff;
    } else payload[PICTURE_ID_AT] = pictureId;
    if (numbers.baseIndexAt !== undefined) payload[numbers.baseIndexAt] = baseIndex;
    const newer = ((pictureId - (this.#newest?.pictureId ?? pictureId)) & 0x7fff) < 0x4000;
    if (newer) this.#newest = { pictureId, baseIndex };
  }
}

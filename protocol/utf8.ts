const NOT_ASCII = /[\u0080-\uffff]/;

/** UTF-8 bytes of a string. Lone surrogates count 3, as the replacement character would. */
export function utf8Bytes(text: string): number {
  // To search is cheaper than to count, and most texts are ASCII.
  if (!NOT_ASCII.test(text)) return text.length;
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 2;
      i += 1;
    } else bytes += 2;
  }
  return bytes;
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** True when the text has more UTF-8 bytes than `maxBytes`; counts only when the length leaves it open. */
export function exceedsBytes(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && utf8Bytes(text) > maxBytes;
}

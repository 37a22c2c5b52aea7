import { addressBitsOf } from "../sdp/address.ts";

/** `203.0.113.0/24`, `2001:db8::/32`, or one address. */
const PREFIX = /^([^/\s]+)(?:\/(\d{1,3}))?$/;

/** The bits that addresses of this block begin with, as text; undefined for what is no block (RFC 4632, RFC 4291 s2.3). */
export function blockOf(text: string): string | undefined {
  const [, address = "", length] = PREFIX.exec(text) ?? [];
  const bits = addressBitsOf(address);
  if (bits === undefined || Number(length ?? 0) > bits.length) return undefined;
  return `${bits.length}:${bits.slice(0, length === undefined ? bits.length : Number(length))}`;
}

/** True for an address of one of these blocks, each as `blockOf` gives it. */
export function isInBlocks(address: string, blocks: readonly string[]): boolean {
  const bits = addressBitsOf(address);
  return bits !== undefined && blocks.some((block) => `${bits.length}:${bits}`.startsWith(block));
}

/** Arithmetic of RTP's numbers, which wrap (RFC 3550 s5.1). */

export const add16 = (a: number, b: number): number => (a + b) & 0xffff;

export const add32 = (a: number, b: number): number => (a + b) >>> 0;

/** How far `a` is ahead of `b`, negative when it is older: -32768 to 32767. */
export const ahead16 = (a: number, b: number): number => ((a - b) << 16) >> 16;

/** The same for timestamps. */
export const ahead32 = (a: number, b: number): number => (a - b) | 0;

// BitRate of TS 29.571: `2500 Kbps`.

const UNITS: Readonly<Record<string, number>> = {
  bps: 1,
  Kbps: 1e3,
  Mbps: 1e6,
  Gbps: 1e9,
  Tbps: 1e12,
};

/** Bits per second; undefined: not a bit rate. */
export const bpsOf = (text: unknown): number | undefined => {
  const [, value, unit] = /^(\d+(?:\.\d+)?) ([KMGT]?bps)$/.exec(String(text)) ?? [];
  const scale = unit === undefined ? undefined : UNITS[unit];
  return scale === undefined ? undefined : Number(value) * scale;
};

export const bitRate = (bps: number): string =>
  bps % 1000 === 0 ? `${bps / 1000} Kbps` : `${Math.round(bps)} bps`;

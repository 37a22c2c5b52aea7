/** `2500 Kbps`: how TS 29.571 and TS 26.510 write bit rates. Prefixes are of 1000. */

const UNITS = [
  ["Tbps", 1e12],
  ["Gbps", 1e9],
  ["Mbps", 1e6],
  ["Kbps", 1e3],
] as const;

const BPS_OF_UNIT: ReadonlyMap<string, number> = new Map([...UNITS, ["bps", 1]]);

/** Bits per second as a `BitRate`, exactly, in the largest unit that needs no fraction. */
export function bitRateOf(bps: number): string {
  const whole = Math.ceil(bps);
  const found = UNITS.find(([, unitBps]) => whole > 0 && whole % unitBps === 0);
  return found ? `${whole / found[1]} ${found[0]}` : `${whole} bps`;
}

const BIT_RATE = /^(\d{1,15}(?:\.\d{1,15})?) (bps|Kbps|Mbps|Gbps|Tbps)$/;

/** Whole bits per second of a `BitRate`; undefined for what is none. */
export function bpsOf(text: string): number | undefined {
  const [, value, unit] = BIT_RATE.exec(text) ?? [];
  const unitBps = BPS_OF_UNIT.get(String(unit));
  return unitBps === undefined ? undefined : Math.round(Number(value) * unitBps);
}

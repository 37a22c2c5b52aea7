import type { AssistedLink, Rates } from "./assisted.ts";

/** Bits per second on the wire for streams that nobody says a rate of, by kind, and by codec in lower case before that. */
export interface RateDefaults {
  readonly audio?: number;
  readonly video?: number;
  readonly data?: number;
  readonly codecs?: Readonly<Record<string, number>>;
}

/** STUB */
export function ratesOf(_link: AssistedLink, _defaults: RateDefaults = {}): Required<Rates> {
  return { uplinkBps: 0, downlinkBps: 0 };
}

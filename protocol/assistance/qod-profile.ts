import type { Rates } from "./assisted.ts";

/** CAMARA qos-profiles: 0 to 1024 of a unit. */
export interface QosRate {
  readonly value?: number;
  readonly unit?: "bps" | "kbps" | "Mbps" | "Gbps" | "Tbps";
}

export interface QosDuration {
  readonly value?: number;
  readonly unit?:
    | "Days"
    | "Hours"
    | "Minutes"
    | "Seconds"
    | "Milliseconds"
    | "Microseconds"
    | "Nanoseconds";
}

/** CAMARA QosProfile, as far as a choice depends on it. */
export interface QosProfile {
  readonly name: string;
  readonly status: "ACTIVE" | "INACTIVE" | "DEPRECATED";
  readonly maxUpstreamRate?: QosRate;
  readonly maxDownstreamRate?: QosRate;
  readonly minDuration?: QosDuration;
  readonly maxDuration?: QosDuration;
}

/** STUB */
export function profileFor(
  _rates: Rates,
  _profiles: readonly QosProfile[],
): QosProfile | undefined {
  return undefined;
}

/** STUB */
export function durationWithin(_profile: QosProfile | undefined, seconds: number): number {
  return seconds;
}

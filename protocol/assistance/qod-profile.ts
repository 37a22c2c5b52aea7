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

const BPS_OF_UNIT = { bps: 1, kbps: 1e3, Mbps: 1e6, Gbps: 1e9, Tbps: 1e12 } as const;

const SECONDS_OF_UNIT = {
  Days: 86_400,
  Hours: 3600,
  Minutes: 60,
  Seconds: 1,
  Milliseconds: 1e-3,
  Microseconds: 1e-6,
  Nanoseconds: 1e-9,
} as const;

/** Bits per second; what is not said has no limit. */
const bpsOfRate = ({ value, unit }: QosRate = {}): number =>
  value === undefined || unit === undefined ? Number.POSITIVE_INFINITY : value * BPS_OF_UNIT[unit];

const secondsOf = ({ value, unit }: QosDuration = {}): number | undefined =>
  value === undefined || unit === undefined ? undefined : value * SECONDS_OF_UNIT[unit];

/**
 * The profile with the lowest limits that is active and has room for these rates; of equal ones the first. What has no limit
 * in a direction is larger than what has one, and the other direction tells such profiles apart.
 */
export function profileFor(
  { uplinkBps = 0, downlinkBps = 0 }: Rates,
  profiles: readonly QosProfile[],
): QosProfile | undefined {
  const fitting = profiles
    .map((profile) => ({
      profile,
      upstream: bpsOfRate(profile.maxUpstreamRate),
      downstream: bpsOfRate(profile.maxDownstreamRate),
    }))
    .filter(
      ({ profile: { status }, upstream, downstream }) =>
        status === "ACTIVE" && upstream >= uplinkBps && downstream >= downlinkBps,
    )
    .map(({ profile, upstream, downstream }) => {
      const limits = [upstream, downstream].filter(Number.isFinite);
      return { profile, count: limits.length, bps: limits.reduce((sum, bps) => sum + bps, 0) };
    });
  const [smallest] = fitting.toSorted(
    (one, other) => other.count - one.count || one.bps - other.bps,
  );
  return smallest?.profile;
}

/** What a duration is on the wire at most, seconds: 32 bits. */
const LONGEST_SECONDS = 0x7fff_ffff;

/** A duration in whole seconds that the profile allows; without one, or limits, as it is. */
export function durationWithin(profile: QosProfile | undefined, seconds: number): number {
  const shortest = Math.ceil(secondsOf(profile?.minDuration) ?? 1);
  const longest = Math.floor(secondsOf(profile?.maxDuration) ?? LONGEST_SECONDS);
  return Math.max(1, Math.min(Math.max(Math.ceil(seconds), shortest), longest));
}

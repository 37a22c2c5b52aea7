// CAMARA qos-profiles 1.1.0: what the mock's network offers, and the API that lists it.
import { type Answer, type Call, camaraRefusal, type Door, notFound } from "./call.ts";
import { isJson, type Json } from "./dialect.ts";

const rate = (value: number, unit: string): Json => ({ value, unit });

const profile = (name: string, upKbps: number, downKbps: number, more: Json = {}): Json => ({
  name,
  description: `up to ${upKbps} kbit/s up and ${downKbps} kbit/s down`,
  status: "ACTIVE",
  maxUpstreamRate: upKbps <= 1024 ? rate(upKbps, "kbps") : rate(Math.round(upKbps / 1000), "Mbps"),
  maxDownstreamRate:
    downKbps <= 1024 ? rate(downKbps, "kbps") : rate(Math.round(downKbps / 1000), "Mbps"),
  minDuration: { value: 1, unit: "Seconds" },
  maxDuration: { value: 1, unit: "Hours" },
  packetDelayBudget: { value: 100, unit: "Milliseconds" },
  serviceClass: "real_time_interactive",
  ...more,
});

/** Small to large; one that cannot be had, so that refusals can be met. */
export const DEFAULT_PROFILES: readonly Json[] = [
  profile("QOS_S", 128, 128),
  profile("QOS_M", 1000, 1000),
  profile("QOS_L", 4000, 4000),
  profile("QOS_E", 20_000, 20_000),
  profile("QOS_OLD", 20_000, 20_000, { status: "INACTIVE" }),
];

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  Days: 86_400,
  Hours: 3600,
  Minutes: 60,
  Seconds: 1,
  Milliseconds: 1e-3,
  Microseconds: 1e-6,
  Nanoseconds: 1e-9,
};

const secondsOf = (duration: unknown): number | undefined => {
  if (!isJson(duration)) return undefined;
  return Number(duration.value) * (UNIT_SECONDS[String(duration.unit)] ?? Number.NaN);
};

export interface DurationRange {
  readonly min: number;
  readonly max: number;
}

/** Seconds; no limit: infinity. */
export const durationsOf = (profile: Json): DurationRange => ({
  min: secondsOf(profile.minDuration) ?? 1,
  max: secondsOf(profile.maxDuration) ?? Number.POSITIVE_INFINITY,
});

export const profilesDoor = (profiles: readonly Json[]): Door => {
  const retrieveQoSProfiles = ({ body }: Call): Answer => {
    const { name, status } = isJson(body) ? body : {};
    const fitting = profiles.filter(
      (one) => (name ?? one.name) === one.name && (status ?? one.status) === one.status,
    );
    return { status: 200, body: fitting };
  };
  const getQosProfile = ({ params }: Call): Answer => {
    const found = profiles.find(({ name }) => name === params.name);
    if (found === undefined) throw notFound();
    return { status: 200, body: found };
  };
  return {
    api: "qos-profiles",
    file: "qos-profiles.yaml",
    base: "/qos-profiles/v1",
    operations: { retrieveQoSProfiles, getQosProfile },
    refuse: camaraRefusal,
    resources: () => [],
    impair: () => 0,
    recover: () => 0,
    terminate: () => 0,
    lose: () => {},
    setGrant: () => {},
    clear: () => {},
  };
};

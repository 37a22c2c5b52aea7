// What CAMARA quality-on-demand 1.1.0 asks of a request beyond its schema.
import { isIPv4, isIPv6 } from "node:net";
import { type Caller, Refused } from "./call.ts";
import { isJson, type Json } from "./dialect.ts";
import { durationsOf } from "./profiles.ts";

const IDENTIFIERS = ["ipv6Address", "ipv4Address", "phoneNumber"] as const;

export interface Subject {
  /** Undefined where the token says it: it is not told back. */
  readonly shown: Json | undefined;
  readonly device: Json;
}

/** Who it is for: a two-legged token needs `device`, a three-legged one must not have it. */
export const subjectOf = (caller: Caller, device: unknown): Subject => {
  if (caller.device !== undefined) {
    if (device === undefined) return { shown: undefined, device: caller.device };
    throw new Refused(
      422,
      "UNNECESSARY_IDENTIFIER",
      "The device is already identified by the access token.",
    );
  }
  if (!isJson(device)) {
    throw new Refused(422, "MISSING_IDENTIFIER", "The device cannot be identified.");
  }
  const chosen = IDENTIFIERS.find((name) => device[name] !== undefined);
  if (chosen === undefined) {
    throw new Refused(422, "UNSUPPORTED_IDENTIFIER", "The identifier provided is not supported.");
  }
  return { shown: { [chosen]: device[chosen] }, device };
};

/** `198.51.100.7`, or as many bits of it as the IP version has at most: `198.51.100.0/24`. */
const isServer = (text: unknown, isAddress: (text: string) => boolean, most: number): boolean => {
  const [address = "", bits, ...more] = String(text).split("/");
  const isWidth = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  return isAddress(address) && isWidth && more.length === 0;
};

/** The schema takes any text for an address: what it may be is in its description. */
export const checkServer = ({ applicationServer }: Json): void => {
  const { ipv4Address, ipv6Address } = isJson(applicationServer) ? applicationServer : {};
  const isOdd =
    (ipv4Address !== undefined && !isServer(ipv4Address, isIPv4, 32)) ||
    (ipv6Address !== undefined && !isServer(ipv6Address, isIPv6, 128));
  if (isOdd) {
    throw new Refused(400, "INVALID_ARGUMENT", "The application server has no such address.");
  }
};

/** The sink, and what it wants to be shown. */
export const checkSink = ({ sink, sinkCredential }: Json): void => {
  if (sinkCredential === undefined || !isJson(sinkCredential)) return;
  if (sink === undefined) {
    throw new Refused(400, "INVALID_SINK", "There is a credential, and no sink to show it to.");
  }
  if (sinkCredential.credentialType !== "ACCESSTOKEN") {
    throw new Refused(400, "INVALID_CREDENTIAL", "Only Access token is supported");
  }
};

/** The profile by its name, for so many seconds. */
export const profileFor = (profiles: readonly Json[], name: unknown, seconds: number): Json => {
  const found = profiles.find((profile) => profile.name === name);
  if (found === undefined) {
    throw new Refused(400, "INVALID_ARGUMENT", `There is no QoS profile ${String(name)}.`);
  }
  if (found.status !== "ACTIVE") {
    throw new Refused(
      422,
      "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE",
      "The requested QoS Profile is currently not available for session creation.",
    );
  }
  const { min, max } = durationsOf(found);
  if (seconds < min || seconds > max) {
    throw new Refused(
      400,
      "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE",
      "The requested duration is out of the allowed range for the specific QoS profile",
    );
  }
  return found;
};

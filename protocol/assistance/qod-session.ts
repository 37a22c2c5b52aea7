import type { AssistedLink, Mapped } from "./assisted.ts";
import type { QosProfile } from "./qod-profile.ts";
import type { RateDefaults } from "./rates.ts";

export interface DeviceIpv4Address {
  readonly publicAddress: string;
  readonly privateAddress?: string;
  readonly publicPort?: number;
}

/** CAMARA Device. */
export interface Device {
  readonly phoneNumber?: string;
  readonly ipv4Address?: DeviceIpv4Address;
  readonly ipv6Address?: string;
}

export interface PortsSpec {
  readonly ports: readonly number[];
}

/** CAMARA quality-on-demand 1.1.0 CreateSession. */
export interface CreateSession {
  readonly device?: Device;
  readonly applicationServer: { readonly ipv4Address?: string; readonly ipv6Address?: string };
  readonly devicePorts?: PortsSpec;
  readonly applicationServerPorts?: PortsSpec;
  readonly qosProfile: string;
  /** Seconds. */
  readonly duration: number;
}

export interface QodSessionOptions {
  readonly durationSeconds: number;
  /** What the operator offers; one is chosen by the rates. */
  readonly profiles?: readonly QosProfile[];
  /** Always this one. */
  readonly profile?: string;
  /** How the device is named: by its addresses, by its phone number, or by the token alone (three-legged). */
  readonly device: "address" | "phone-number" | "token";
  /** E.164 with `+`. */
  readonly phoneNumber?: string;
  readonly rates?: RateDefaults;
}

/** What to ask for on the way to one application server. */
export interface QodSession {
  /** Its address, or what stands for it while that is not known: tells the sessions of a link apart. */
  readonly server: string;
  readonly result: Mapped<CreateSession>;
}

/** STUB */
export function qodSessionsOf(
  _link: AssistedLink,
  _options: QodSessionOptions,
): readonly QodSession[] {
  return [];
}

import type { AssistedLink, AssistedPath, AssistedTransport, Located, Mapped } from "./assisted.ts";
import { familyOf, plainAddress } from "./path-candidates.ts";
import { durationWithin, profileFor, type QosProfile } from "./qod-profile.ts";
import { isRunning, type RateDefaults, ratesOfSections } from "./rates.ts";

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

/** The transports that go to one server. */
interface Way {
  readonly server: string;
  readonly address: CreateSession["applicationServer"] | undefined;
  readonly transports: readonly AssistedTransport[];
}

/**
 * Quality on demand for all that a UE has on a link: one session per application server, which is the relay, the media
 * server, or the other side.
 *
 * Lacks `media` while nothing runs there; `server-address`; `device` where the device cannot be named as wanted; `profile`
 * where none has room for the rates.
 */
export function qodSessionsOf(
  link: AssistedLink,
  options: QodSessionOptions,
): readonly QodSession[] {
  return waysOf(link).map((way) => ({
    server: way.server,
    result: createSession(link, way, options),
  }));
}

function waysOf({ transports }: AssistedLink): readonly Way[] {
  const ways = new Map<string, Way>();
  for (const transport of transports) {
    const { path, id } = transport;
    const address = serverOf(path.remotes);
    const server = address?.ipv6Address ?? address?.ipv4Address ?? path.remoteDomain ?? id;
    const known = ways.get(server)?.transports ?? [];
    ways.set(server, { server, address, transports: [...known, transport] });
  }
  return [...ways.values()];
}

/** One address of each IP version; undefined where there is a choice, or none. */
function serverOf(remotes: readonly Located[]): CreateSession["applicationServer"] | undefined {
  const addresses = remotes.map(({ address }) => address);
  const [ipv6, ipv4] = ([6, 4] as const).map((family) => [
    ...new Set(addresses.filter((address) => familyOf(address) === family)),
  ]) as [string[], string[]];
  if (addresses.length === 0 || ipv6.length > 1 || ipv4.length > 1) return undefined;
  const [[ipv6Address], [ipv4Address]] = [ipv6, ipv4];
  return {
    ...(ipv4Address === undefined ? {} : { ipv4Address }),
    ...(ipv6Address === undefined ? {} : { ipv6Address }),
  };
}

function createSession(
  link: AssistedLink,
  { address, transports }: Way,
  options: QodSessionOptions,
): Mapped<CreateSession> {
  if (!transports.some(isRunning)) return { lacks: "media" };
  if (!address) return { lacks: "server-address" };
  const device = deviceOf(link, transports, options);
  if (!device) return { lacks: "device" };
  const profile = profileOf(link, transports, options);
  if (!profile) return { lacks: "profile" };
  return {
    body: {
      ...device,
      applicationServer: address,
      ...portsOf(transports),
      qosProfile: profile.name,
      duration: durationWithin(profile.known, options.durationSeconds),
    },
  };
}

/** The only one that is wanted, or the one that fits. */
function profileOf(
  link: AssistedLink,
  transports: readonly AssistedTransport[],
  { profile: name, profiles = [], rates }: QodSessionOptions,
): { readonly name: string; readonly known: QosProfile | undefined } | undefined {
  if (name !== undefined) return { name, known: profiles.find((each) => each.name === name) };
  const sections = transports.flatMap((transport) => transport.sections);
  const { uplink, downlink } = ratesOfSections(link, sections, rates);
  const wanted = { uplinkBps: uplink.maximum, downlinkBps: downlink.maximum };
  const known = profileFor(wanted, profiles);
  return known && { name: known.name, known };
}

/** A token of the device itself says which one it is: then it must not be named. */
function deviceOf(
  { seen }: AssistedLink,
  transports: readonly AssistedTransport[],
  { device, phoneNumber }: QodSessionOptions,
): Pick<CreateSession, "device"> | undefined {
  if (device === "token") return {};
  if (device === "phone-number") {
    return phoneNumber === undefined ? undefined : { device: { phoneNumber } };
  }
  const [known] = transports.flatMap(({ path }) => addressedDevice(path) ?? []);
  const socket = plainAddress(seen);
  if (known) return { device: known };
  return socket !== undefined && familyOf(socket) === 6
    ? { device: { ipv6Address: socket } }
    : undefined;
}

/** IPv4 alone names no device, as many share one: the public port does, or the address before translation. */
function addressedDevice({ ue, uePublic }: AssistedPath): Device | undefined {
  const { address: publicAddress, port: publicPort } = uePublic ?? {};
  if (publicAddress === undefined) return undefined;
  if (familyOf(publicAddress) === 6) return { ipv6Address: publicAddress };
  const own = ue?.address;
  // What a home router or a tethering phone gave out is no address of the network's.
  const isUsed = own !== undefined && (own === publicAddress || publicPort === undefined);
  if (!isUsed && publicPort === undefined) return undefined;
  return {
    ipv4Address: {
      publicAddress,
      ...(isUsed ? { privateAddress: own } : {}),
      ...(publicPort === undefined ? {} : { publicPort }),
    },
  };
}

/** Those that are sure. A session without ports is for all there is between the two. */
function portsOf(
  transports: readonly AssistedTransport[],
): Pick<CreateSession, "devicePorts" | "applicationServerPorts"> {
  const paths = transports.flatMap(({ path, rtcpPath }) => [path, rtcpPath ?? []].flat());
  const device = allPorts(paths.map(({ known, ue }) => (known === "pair" && ue ? [ue] : [])));
  const server = allPorts(
    paths.map(({ known, remotes }) => (known === "candidates" ? [] : remotes)),
  );
  return {
    ...(device ? { devicePorts: device } : {}),
    ...(server ? { applicationServerPorts: server } : {}),
  };
}

/** Undefined where a path has none: the others alone would shut it out. */
function allPorts(ends: readonly (readonly Located[])[]): PortsSpec | undefined {
  const ports = ends.map((each) => each.flatMap(({ port }) => port ?? []));
  const isWhole = ports.every(
    (each, index) => each.length > 0 && each.length === ends[index]?.length,
  );
  return isWhole ? { ports: [...new Set(ports.flat())] } : undefined;
}

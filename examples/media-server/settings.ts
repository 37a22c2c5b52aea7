import { parseArgs } from "node:util";

export interface Settings {
  /** Where invitations are taken. */
  readonly host: string;
  readonly port: number;
  /** What an invitation must show, where one is set. */
  readonly secret: string | undefined;
  /** The address of this machine on which media is sent and received. */
  readonly address: string;
  /** The one that peers are told, where that is another (a NAT with fixed ports). */
  readonly announcedAddress: string;
  readonly udpPorts: readonly [number, number] | undefined;
  /** Peers reach that address, so that this side needs no relay: answers come sooner and name one candidate. */
  readonly direct: boolean;
}

const number = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new Error(`${name}: no port`);
  return value;
};

const range = (text: string | undefined): readonly [number, number] | undefined => {
  if (text === undefined) return undefined;
  const [first = "", last = ""] = text.split("-");
  return [number("udp-ports", first), number("udp-ports", last)];
};

/** Flags, else the environment, else what fits one machine. */
export function readSettings(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: { type: "string" },
      port: { type: "string" },
      secret: { type: "string" },
      address: { type: "string" },
      "announced-address": { type: "string" },
      "udp-ports": { type: "string" },
      direct: { type: "boolean" },
    },
  });
  const setting = (name: Exclude<keyof typeof values, "direct">): string | undefined =>
    values[name] ?? environment[`MEDIA_SERVER_${name.toUpperCase().replaceAll("-", "_")}`];
  const address = setting("address") ?? "127.0.0.1";
  return {
    host: setting("host") ?? "127.0.0.1",
    port: number("port", setting("port") ?? "8790"),
    secret: setting("secret"),
    address,
    announcedAddress: setting("announced-address") ?? address,
    udpPorts: range(setting("udp-ports")),
    direct: values.direct ?? environment.MEDIA_SERVER_DIRECT === "true",
  };
}

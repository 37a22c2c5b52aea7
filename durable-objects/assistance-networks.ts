import type { NetworkPort } from "../adapters/network/network-port.ts";
import { networkPortOf } from "../adapters/network/network-port-of.ts";
import type { AssistanceConfig, AssistanceNetwork } from "../protocol/assistance/config.ts";
import { ConfigError } from "../protocol/config-values.ts";
import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";

/** Of an isolate: a token serves whichever session needs one. */
const ports = new WeakMap<AssistanceNetwork, NetworkPort>();

/** How a network is asked. */
export function portOf(network: AssistanceNetwork): NetworkPort {
  const known = ports.get(network);
  if (known) return known;
  const port = networkPortOf(network, {
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
  });
  ports.set(network, port);
  return port;
}

/** Networks that may be asked; null where the configuration is wrong. */
export function assistanceConfig(env: Bindings): AssistanceConfig | null {
  try {
    return deploymentConfig(env).assistance;
  } catch (thrown) {
    if (thrown instanceof ConfigError) return null;
    throw thrown;
  }
}

import { deploymentConfig } from "../durable-objects/deployment-config.ts";
import type { Bindings } from "../durable-objects/env.ts";
import type { Config } from "../protocol/config.ts";
import { ConfigError } from "../protocol/config-values.ts";
import type { Grant } from "../protocol/session-config.ts";

/** Who makes a request: the application's back end by its API key, or a peer by its token. */
export type Principal = { readonly kind: "key" } | { readonly kind: "peer"; readonly grant: Grant };

/** Counters of the platform; src/rate-limits.ts says what each is for. */
export interface RateLimits extends Pick<Bindings, "RECONNECTS"> {
  readonly SDP_CHECKS: RateLimit;
  readonly CONNECTS: RateLimit;
  readonly PEER_REQUESTS: RateLimit;
  readonly SESSION_CREATIONS: RateLimit;
}

/** Bindings of the Worker; the objects use fewer. */
export interface WorkerBindings extends Bindings, RateLimits {}

/** Types of the Hono app: bindings of the platform, and what middleware found out about the request. */
export interface AppEnv {
  Bindings: WorkerBindings;
  Variables: { config: Config; principal: Principal };
}

/** The configuration of this deployment; a value of `ConfigError` when it is wrong. */
export function configOf(env: Bindings): Config | ConfigError {
  try {
    return deploymentConfig(env);
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown;
    throw thrown;
  }
}

import type { CnameMemory } from "./cname-memory.ts";
import type { KeyQuota } from "./key-quota.ts";
import type { ManagedSfu } from "./managed-sfu.ts";
import type { SessionIndex } from "./session-index.ts";
import type { SessionObject } from "./session-object.ts";
import type { SwapRealm } from "./swap-realm.ts";

/** Bindings of the Worker and its objects; variables and secrets are read by protocol/config.ts. */
export interface Bindings {
  readonly SESSIONS: DurableObjectNamespace<SessionObject>;
  readonly SESSION_INDEX: DurableObjectNamespace<SessionIndex>;
  readonly CNAMES: DurableObjectNamespace<CnameMemory>;
  readonly KEY_QUOTAS: DurableObjectNamespace<KeyQuota>;
  readonly SWAP_REALMS: DurableObjectNamespace<SwapRealm>;
  readonly MANAGED_SFUS: DurableObjectNamespace<ManagedSfu>;
  /** Counts what makes TURN credentials, per peer. */
  readonly RECONNECTS: RateLimit;
  /** Takes data points of what happens (docs/metrics.md); a deployment may do without. */
  readonly METRICS?: AnalyticsEngineDataset;
  readonly ASSETS?: Fetcher;
}

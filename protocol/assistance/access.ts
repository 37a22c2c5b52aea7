import type { AssistanceApi } from "./record.ts";

/** How a mobile network's API is reached. Secrets: they are told to nobody but the network's own token endpoint. */
export interface NetworkAccess {
  readonly api: AssistanceApi;
  /** Base of the API with its version, without a slash at the end: `https://qod.example.net/quality-on-demand/v1`. */
  readonly url: string;
  /** OAuth 2.0 client credentials (RFC 6749 s4.4); absent where the API needs none. */
  readonly auth?: {
    readonly tokenUrl: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly scope?: string | undefined;
  };
  /** NEF: who we are there (TS 29.122). */
  readonly scsAsId?: string;
  /** RTC AF: under which provisioning session (TS 26.510). */
  readonly provisioningSession?: string;
}

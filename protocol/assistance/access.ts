import type { AssistanceApi } from "./record.ts";

/** Where an operator's network is called, and as whom. */
export interface NetworkAccess {
  readonly api: AssistanceApi;
  /** Of the API, with its version: `https://operator.example/quality-on-demand/v1`. */
  readonly url: string;
  /** OAuth2 client credentials (RFC 6749 s4.4); without them calls carry no token. */
  readonly auth?: NetworkCredentials | undefined;
  /** NEF: who this application is there (TS 29.122). */
  readonly scsAsId?: string | undefined;
  /** RTC AF: the provisioning session (TS 26.510). */
  readonly provisioningSession?: string | undefined;
}

export interface NetworkCredentials {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
}

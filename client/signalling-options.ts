import type { FlowDetail } from "../protocol/flow-summary.ts";
import type { TokenSource } from "./access-token.ts";

/** Where to join and as whom. */
export interface SignallingOptions {
  /** The address of `signalling.url`, absolute; http(s) or ws(s). */
  readonly url: string;
  /** The peer's token; a function is asked again when one has expired. */
  readonly token: TokenSource;
  /** Of flows: whole records and transports (`full`), or what steering needs of those that run (the default). */
  readonly flowRecords?: FlowDetail;
}

/**
 * The SDK of Duplex for browsers: joins a session, keeps the links to its peers negotiated through any loss
 * of the network, and shows the media flows as the server records them.
 */
import type { Flow } from "../protocol/flow.ts";
import { DuplexError, SdpError } from "./duplex-error.ts";
import { type ConnectionOptions, Session } from "./session.ts";
import { Signalling } from "./signalling.ts";
import type { SignallingOptions } from "./signalling-options.ts";

export type { Advice } from "../protocol/assistance/advice-message.ts";
export type { Flow, FlowsView } from "../protocol/flow.ts";
export type { FlowChange } from "../protocol/flow-query.ts";
export type { FlowDetail, FlowSummary } from "../protocol/flow-summary.ts";
export type { PeerView } from "../protocol/message-parts.ts";
export type { Transport } from "../protocol/transport.ts";
export type { TokenSource } from "./access-token.ts";
export type { ClientProblemCode, DuplexProblem, SdpFinding } from "./duplex-error.ts";
export type { Listener } from "./emitter.ts";
export type { FlowReportOptions } from "./flow-reports.ts";
export type { RemoteTrack } from "./link.ts";
export type { Publication, PublicationLabels, PublishOptions } from "./publication.ts";
export type { ConnectionOptions } from "./session.ts";
export type { SessionEvents } from "./session-events.ts";
export type { Closed, SignallingState } from "./signalling-listener.ts";
export type { SignallingOptions } from "./signalling-options.ts";
export type { Session };
export { DuplexError, SdpError };

/** Where to join and as whom: `url` and `token` come from POST /v1/sessions/{id}/peers. */
export type JoinOptions = SignallingOptions & ConnectionOptions;

/**
 * Joins a session and follows its flows by their whole records. Otherwise as `join` without `flowRecords`.
 */
export function join(
  options: JoinOptions & { readonly flowRecords: "full" },
): Promise<Session<Flow>>;
/**
 * Joins a session. Resolves at `welcome`; tracks published right then are in the first offers.
 * Rejects with a `DuplexError`: the problem the server has with the token or the session, or
 * `signalling-unreachable`.
 */
export function join(options: JoinOptions): Promise<Session>;
export async function join(options: JoinOptions): Promise<Session> {
  // A file of its own where the bundler splits: it comes while the socket connects, and nothing waits for it.
  const duties = import("./flow-duties.ts").then(
    ({ FlowDuties }) => FlowDuties,
    (error) => void reportError(error),
  );
  const { signalling, welcome } = await Signalling.open(options);
  return new Session(signalling, welcome, options, duties);
}

/** True for the error of a description or candidate that the server refused: `finding` says why and where. */
export function isSdpError(error: unknown): error is SdpError {
  return error instanceof SdpError;
}

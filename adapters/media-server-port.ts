import type { FromPeer } from "../protocol/messages.ts";
import type { ManagedState } from "./managed-state.ts";

/** What the session answers to a message. */
export type Reply =
  | { readonly type: "ack"; readonly exchange?: number | undefined }
  | { readonly type: "problem"; readonly code: string };

/** The way from a managed media server to its session, and what it needs besides. */
export interface MediaServerPort {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Sends a message as the media server, in the order of the calls. Must not wait for `settled`: the reply may be
   * what is waited for.
   */
  send(message: FromPeer): Promise<Reply>;
  /** The state has changed; called before each call of the back end, too. */
  keep(state: ManagedState): void;
}

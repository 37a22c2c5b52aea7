import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import type { Bindings } from "./env.ts";
import { ofSession } from "./jurisdiction.ts";

/** What a session and the object of its managed SFU ask of each other over RPC. */

/** What a session asks. */
export interface ManagedSfuCommands {
  /** Takes messages for the media server, in order; what follows goes on. False where no managed SFU is configured. */
  take(session: string, messages: readonly ToPeer[]): Promise<boolean>;
  /** The session is over for the media server: nothing of it stays. */
  end(): Promise<void>;
}

/** What a session answers its managed media server. */
export type ManagedReply =
  | { readonly type: "ack"; readonly exchange?: number | undefined }
  | { readonly type: "problem"; readonly code: string };

/** What a session is asked. */
export interface ManagedServerCommands {
  /** A message of the managed media server. Problem `session-not-found` when it has none. */
  hear(message: FromPeer): Promise<ManagedReply>;
}

/** The object of a session's managed SFU. Types of the platform lose records of unknown values. */
export const managedSfuOf = (env: Bindings, session: string): ManagedSfuCommands =>
  ofSession(env.MANAGED_SFUS, session) as unknown as ManagedSfuCommands;

/** The session, as its managed SFU knows it. */
export const sessionOfManaged = (env: Bindings, session: string): ManagedServerCommands =>
  ofSession(env.SESSIONS, session) as unknown as ManagedServerCommands;

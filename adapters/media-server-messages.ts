import type { FromPeer, ToPeer } from "../protocol/messages.ts";

/** Messages of the media-server interface, as docs/protocol.md has them. */

export type ContextCause =
  | "no-capacity"
  | "unsupported-codec"
  | "unknown-source"
  | "transport-failed"
  | "other";

export interface OpenContext {
  readonly type: "context";
  readonly op: "open" | "update";
  readonly context: string;
  readonly revision: number;
  readonly direction: "uplink" | "downlink";
  readonly peer: string;
  readonly kind: "audio" | "video" | "data";
  readonly flow?: string | undefined;
  readonly mid?: string | undefined;
  readonly sourceFlows?: readonly string[] | undefined;
  readonly layers?: readonly { readonly rid: string }[] | undefined;
  readonly held: boolean;
  readonly maxBitrateBps?: number | undefined;
}

export interface ClosedContext {
  readonly type: "context";
  readonly op: "close";
  readonly context: string;
}

export interface ContextResult {
  readonly type: "context-result";
  readonly context: string;
  readonly revision: number;
  readonly outcome: "granted" | "refused";
  readonly cause?: ContextCause | undefined;
  readonly detail?: string | undefined;
}

export type Message<T extends FromPeer["type"]> = Extract<FromPeer, { type: T }>;

/** An offer whose labels name the contexts its m-sections are for. */
export type LabelledOffer = Omit<Message<"offer">, "media"> & {
  readonly media?: Readonly<Record<string, { readonly context: string }>>;
};

export type ToMediaServer = ToPeer | OpenContext | ClosedContext;
export type FromMediaServer = Exclude<FromPeer, { type: "offer" }> | LabelledOffer | ContextResult;

/** A peer as the media server sees it: `via` says that its socket is HTTP. */
export interface SeenPeer {
  readonly id: string;
  readonly via?: "whip" | "whep" | undefined;
  readonly subscribe: readonly ("audio" | "video" | "data")[];
}

/**
 * What the server tells a media server of the streams it is to carry, and what it answers: the messages
 * of `duplex.v1` for this role.
 */

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
  /** Of a downlink: the uplinks it may carry. */
  readonly sourceFlows?: readonly string[] | undefined;
  readonly layers?: readonly { readonly rid: string }[] | undefined;
  readonly held: boolean;
  readonly maxBitrateBps?: number | undefined;
  readonly priority?: string | undefined;
}

export interface ClosedContext {
  readonly type: "context";
  readonly op: "close";
  readonly context: string;
  readonly direction: "uplink" | "downlink";
  readonly peer: string;
  readonly reason?: string | undefined;
}

export type ContextMessage = OpenContext | ClosedContext;

export interface ContextResult {
  readonly type: "context-result";
  readonly context: string;
  readonly revision: number;
  readonly outcome: "granted" | "refused";
  readonly maxBitrateBps?: number;
  readonly sources?: readonly { ssrc: number; rtx?: number; rid?: string }[];
  readonly cause?:
    | "no-capacity"
    | "unsupported-codec"
    | "unknown-source"
    | "transport-failed"
    | "other";
  readonly detail?: string;
}

export interface Drain {
  readonly type: "drain";
  readonly successor?: string;
}

/** An offer that says which context each of its sections is for, by mid. */
export interface LabelledOffer {
  readonly type: "offer";
  readonly to: string;
  readonly sdp: string;
  readonly media: Readonly<Record<string, { readonly context: string }>>;
}

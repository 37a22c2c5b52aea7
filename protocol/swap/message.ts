/**
 * The messages of SWAP v1 (TS 26.113 clause 13.2.4.4) as values, whatever dialect they were written in. Names of this
 * folder are those of the clause.
 */

/** How the clause, its schema, the library of its authors and the coming version write the same message. */
export const DIALECTS = ["text", "schema", "library", "nested"] as const;
export type SwapDialect = (typeof DIALECTS)[number];

/** `{"type":"service","value":"game-7"}` (13.2.4.4.2.2). */
export interface Criterion {
  /** In lower case; one of `CRITERIA_TYPES` or the application's own. */
  readonly type: string;
  readonly value: unknown;
}

export const CRITERIA_TYPES = [
  "ipv4",
  "ipv6",
  "fqdn",
  "service",
  "user",
  "eas",
  "app",
  "location",
  "qos",
  "processing",
] as const;

/** RFC 7807 problem details, as 13.2.4.7 wants errors to be. */
export interface SwapError {
  /** A URI. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

interface Common {
  /** At least 10 characters; of a socket as long as it is open (13.2.4.4.1.1). */
  readonly source: string;
  /** Positive, growing, chosen by the source (13.2.4.4.1.2). */
  readonly messageId: number;
  /** The frame as it came, when its sender protected it by a MAC: it goes on untouched. */
  readonly raw?: string;
}

export interface Register extends Common {
  readonly type: "register";
  /** What an endpoint can be found by; all of it replaces what it registered before. */
  readonly criteria: readonly Criterion[];
}

export interface Response extends Common {
  readonly type: "response";
  /** Number of the message that is answered. */
  readonly request: number;
  /** Who sent that; some dialects do not say. */
  readonly target?: string;
  /** Absent in an ack. */
  readonly error?: SwapError;
  readonly description?: string;
}

export interface Connect extends Common {
  readonly type: "connect";
  readonly offer: string;
  /** All have to match; empty when the target is known. */
  readonly criteria: readonly Criterion[];
  readonly target?: string;
}

export interface Accept extends Common {
  readonly type: "accept";
  readonly target: string;
  /** Absent in answer to `close`. */
  readonly answer?: string;
}

export interface Reject extends Common {
  readonly type: "reject";
  readonly target: string;
  /** Number of the connect, update or application message that is rejected; some dialects do not say. */
  readonly request?: number;
  readonly errorId?: string;
  readonly description?: string;
}

export interface Update extends Common {
  readonly type: "update";
  readonly target: string;
  readonly sdp: string;
}

export interface Close extends Common {
  readonly type: "close";
  readonly target: string;
}

export interface Application extends Common {
  readonly type: "application";
  readonly target: string;
  /** Says what the value is: a URN, by the clause. */
  readonly urn: string;
  readonly value: unknown;
}

export type SwapMessage =
  | Register
  | Response
  | Connect
  | Accept
  | Reject
  | Update
  | Close
  | Application;

export type SwapType = SwapMessage["type"];

/** A message whose content its sender keeps from the server: it goes on as it came. */
export interface Sealed extends Common {
  readonly type: SwapType;
  /** Absent where that is hidden as well. */
  readonly target?: string;
  readonly raw: string;
}

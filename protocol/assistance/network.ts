/** What is said between whoever looks after requests and a mobile network, whichever API it has. */

/** Where the network tells what becomes of a resource. */
export interface Notify {
  readonly url: string;
  /** A bearer token that it is to send along. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly tokenExpiresAt: number;
}

/** What the network says of a resource. */
export interface NetworkStatus {
  /** requested: no word yet; impaired: it is there, and cannot be held now; ended: it is over, and may have to be deleted. */
  readonly state: "requested" | "granted" | "impaired" | "ended";
  /** A code of the network's. */
  readonly reason?: string;
  /** Milliseconds since 1970. */
  readonly until?: number;
  /** Name of the profile or reference that holds. */
  readonly profile?: string;
  /** What it recommends, bits per second. */
  readonly advised?: { readonly uplinkBps?: number; readonly downlinkBps?: number };
}

/** What the network says of some flows of a resource. */
export interface FlowReport {
  /** Their numbers in the request; absent: of all. */
  readonly flows?: readonly number[] | undefined;
  readonly status: NetworkStatus;
}

export type NetworkAnswer =
  /** `id` names the resource from now on; without `status` the network has none to tell. */
  | { readonly type: "done"; readonly id?: string; readonly status?: NetworkStatus }
  /** The resource is not there (404, 410). */
  | { readonly type: "gone" }
  /** Something of another request is in the way (409). */
  | { readonly type: "conflict"; readonly reason: string }
  /** Asked again it would be refused again (400, 403, 422, …): for that time, where one is said (TS 29.122, 403). */
  | { readonly type: "refused"; readonly reason: string; readonly afterMs?: number }
  /** It had no effect; try again (429, 503 with Retry-After, no token). */
  | { readonly type: "later"; readonly reason: string; readonly afterMs?: number }
  /** Nobody knows whether it had an effect (timeouts, 500, answers that cannot be read). */
  | { readonly type: "unknown"; readonly reason: string };

/** Of a search for what a lost answer left behind. */
export type FoundAnswer = NetworkAnswer & {
  readonly ids?: readonly string[];
  /** There is not even a list: none because nothing is in it, or at the moment because of something before the network. */
  readonly isListGone?: true;
};

/** A request body as published; its `Notify` members are filled in by the adapter. */
export type NetworkBody = Readonly<Record<string, unknown>>;

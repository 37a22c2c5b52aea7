/** A mobile network's API as the life of a request needs it: one resource per request, whatever it is called there. */

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

export type NetworkAnswer =
  /** `id` names the resource from now on; `etag` is its version where it has one. */
  | { readonly type: "done"; readonly id?: string; readonly status?: NetworkStatus }
  /** The resource is not there (404, 410). */
  | { readonly type: "gone" }
  /** Something of another request is in the way (409). */
  | { readonly type: "conflict"; readonly reason: string }
  /** Asked again it would be refused again (400, 403, 422, …). */
  | { readonly type: "refused"; readonly reason: string }
  /** It had no effect; try again (429, 503 with Retry-After, no token). */
  | { readonly type: "later"; readonly reason: string; readonly afterMs?: number }
  /** Nobody knows whether it had an effect (timeouts, 500, answers that cannot be read). */
  | { readonly type: "unknown"; readonly reason: string };

/** A request body as published; its `Notify` members are filled in by the adapter. */
export type NetworkBody = Readonly<Record<string, unknown>>;

export interface NetworkPort {
  create(body: NetworkBody, notify: Notify | undefined): Promise<NetworkAnswer>;
  /** Resources that are there for this body and notify address: what a create whose answer was lost left behind. Undefined where the API has no list. */
  find?(
    body: NetworkBody,
    notify: Notify | undefined,
  ): Promise<NetworkAnswer & { readonly ids?: readonly string[] }>;
  read(id: string): Promise<NetworkAnswer>;
  /** Makes the resource what the body says; undefined where it has to be deleted and created anew. */
  change?(id: string, body: NetworkBody, notify: Notify | undefined): Promise<NetworkAnswer>;
  /** By so many seconds; undefined where resources do not end by themselves. */
  extend?(id: string, seconds: number): Promise<NetworkAnswer>;
  remove(id: string): Promise<NetworkAnswer>;
  /** Asks for more for a short time (TS 26.510). */
  boost?(id: string): Promise<NetworkAnswer>;
}

import type {
  FoundAnswer,
  NetworkAnswer,
  NetworkBody,
  Notify,
} from "../../protocol/assistance/network.ts";

/**
 * A mobile network's API as the life of a request needs it: one resource per request, whatever it is called there.
 * Nothing throws: what goes wrong is an answer.
 */
export interface NetworkPort {
  create(body: NetworkBody, notify: Notify | undefined): Promise<NetworkAnswer>;
  /**
   * Resources that are there for this notify address: what a create whose answer was lost left behind; `body` says
   * which device to look at. Undefined where the API has no list.
   */
  find?(body: NetworkBody, notify: Notify | undefined): Promise<FoundAnswer>;
  read(id: string): Promise<NetworkAnswer>;
  /** Makes the resource what the body says; undefined where it has to be deleted and created anew. */
  change?(id: string, body: NetworkBody, notify: Notify | undefined): Promise<NetworkAnswer>;
  /** By so many seconds; undefined where resources do not end by themselves. */
  extend?(id: string, seconds: number): Promise<NetworkAnswer>;
  remove(id: string): Promise<NetworkAnswer>;
  /** Asks for more for a short time (TS 26.510). */
  boost?(id: string): Promise<NetworkAnswer>;
}

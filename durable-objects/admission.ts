import type { Grant } from "../protocol/session-config.ts";
import type { SocketRequest } from "../protocol/socket-request.ts";
import type { IceGrant } from "../protocol/views.ts";

/** What the Worker tells the object of an upgrade that it has authorised. */
export interface Admission {
  readonly grant: Grant;
  readonly ice: IceGrant;
  readonly asked: SocketRequest;
}

/** The header it travels in; it never comes from outside. */
const HEADER = "x-duplex-admission";

/** Puts it into the headers of an upgrade on its way to the object. Whatever stood there goes. */
export function admit(headers: Headers, admission: Admission): void {
  // Names and metadata may have characters that headers cannot.
  headers.set(HEADER, encodeURIComponent(JSON.stringify(admission)));
}

export function admissionOf({ headers }: Request): Admission {
  return JSON.parse(decodeURIComponent(headers.get(HEADER) ?? "")) as Admission;
}

import type { EndpointMemory } from "./endpoint-memory.ts";

/** The header by which the Worker says who comes; it never comes from outside. */
const VISITOR = "x-duplex-visitor";

/** Who comes: the source that its token names, and as what it is seen. */
export type Visitor = Pick<Partial<EndpointMemory>, "granted" | "ue">;

/** Puts it into the headers of an upgrade on its way to the object. Whatever stood there goes. */
export const admitVisitor = (headers: Headers, visitor: Visitor): void =>
  headers.set(VISITOR, encodeURIComponent(JSON.stringify(visitor)));

export const visitorOf = ({ headers }: Request): Visitor =>
  JSON.parse(decodeURIComponent(headers.get(VISITOR) ?? "%7B%7D")) as Visitor;

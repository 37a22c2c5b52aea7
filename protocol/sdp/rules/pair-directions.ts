import type { Direction } from "../grammar.ts";

/** Whether this direction sends; where nothing is said it is `sendrecv`. */
export const sends = (direction: Direction = "sendrecv"): boolean =>
  direction === "sendrecv" || direction === "sendonly";

/** Whether this direction receives; where nothing is said it is `sendrecv`. */
export const receives = (direction: Direction = "sendrecv"): boolean =>
  direction === "sendrecv" || direction === "recvonly";

/** An answer sends where it may not: the offerer does not receive (RFC 3264 s6.1). */
export const sendsUninvited = (offered?: Direction, answered?: Direction): boolean =>
  sends(answered) && !receives(offered);

/** An answer receives where nothing comes: the offerer does not send (RFC 3264 s6.1). */
export const receivesUninvited = (offered?: Direction, answered?: Direction): boolean =>
  receives(answered) && !sends(offered);

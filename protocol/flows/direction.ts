import type { Section } from "../sdp/section.ts";

type Directed = Pick<Section, "direction">;

/** Whether a section sends. */
export const sends = ({ direction }: Directed): boolean =>
  direction === "sendrecv" || direction === "sendonly";

/** Whether a section receives. */
export const receives = ({ direction }: Directed): boolean =>
  direction === "sendrecv" || direction === "recvonly";

import type { PeerView } from "../protocol/message-parts.ts";

/** A peer as the media server sees it: `via` says that its signalling is HTTP. */
export type SeenPeer = Pick<PeerView, "id" | "via" | "subscribe"> & {
  /** The one publisher that a player wants. */
  readonly plays?: string | undefined;
};

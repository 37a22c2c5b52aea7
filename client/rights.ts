import type { Kind } from "../protocol/flow.ts";
import type { PeerView } from "../protocol/message-parts.ts";

/** What two peers may exchange, seen from one of them. */
export interface Rights {
  maySend(kind: string): boolean;
  mayReceive(kind: string): boolean;
}

/**
 * The rights of `self` on its link with `other`: one must be granted to send, the other to receive
 * (A2). Whoever came by HTTP does one of both.
 */
export function rightsBetween(self: PeerView, other: PeerView): Rights {
  return {
    maySend: (kind) =>
      other.via !== "whip" &&
      self.publish.includes(kind as Kind) &&
      other.subscribe.includes(kind as Kind),
    mayReceive: (kind) =>
      other.via !== "whep" &&
      self.subscribe.includes(kind as Kind) &&
      other.publish.includes(kind as Kind),
  };
}

/** Whether two peers may have a link at all: observers have none, a central session's all have its media server. */
export function mayLink(self: PeerView, other: PeerView, topology: "mesh" | "central"): boolean {
  if (self.role === "observer" || other.role === "observer") return false;
  const servers = [self, other].filter(({ role }) => role === "media-server").length;
  return topology === "mesh" || servers === 1;
}

import { type Link, otherPeer, type Session } from "../session.ts";
import type { AssistedLink, RelayServer } from "./assisted.ts";

export interface LinkKnowledge {
  /** Address of the UE's signalling socket. */
  readonly seen?: string;
  /** TURN servers of this deployment. */
  readonly relay?: readonly RelayServer[];
}

/** STUB */
export function assistedLink(
  _session: Session,
  link: Link,
  ue: string,
  _options: LinkKnowledge = {},
): AssistedLink | undefined {
  return otherPeer(link, ue) === "" ? undefined : undefined;
}

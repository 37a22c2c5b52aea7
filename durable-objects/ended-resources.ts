import type { Session } from "../protocol/session.ts";
import { hasHttpSessions, httpPeersOf } from "../protocol/whip/http-session.ts";

const MOST = 64;

/**
 * HTTP sessions that ended by themselves, by the random part of their URL. Clients close their connection and then ask
 * for the end, which the other side may have told of by then: they are answered as if they had been first. In memory only,
 * because the two come together.
 */
export class EndedResources {
  readonly #bearers = new Map<string, string>();

  /** Takes down whose session ended in a turn. */
  note(before: Session, after: Session): void {
    if (before.peers === after.peers || !hasHttpSessions(before)) return;
    for (const { id, http } of httpPeersOf(before)) {
      if (after.peers.get(id)?.http?.resource === http.resource) continue;
      this.#bearers.set(http.resource, http.bearer);
    }
    for (const resource of this.#bearers.keys()) {
      if (this.#bearers.size <= MOST) return;
      this.#bearers.delete(resource);
    }
  }

  /** Whether a session ended whose end nobody asked for yet; `by` is who asks, where that is known. */
  take(resource: string, by?: string): boolean {
    const bearer = this.#bearers.get(resource);
    if (bearer === undefined || (by !== undefined && by !== bearer)) return false;
    return this.#bearers.delete(resource);
  }
}

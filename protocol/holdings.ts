import type { Flow } from "./flow.ts";
import { isLive } from "./flows/commit.ts";
import type { Room } from "./flows/link-flows.ts";
import { LIMITS } from "./limits.ts";
import type { Move } from "./move.ts";
import { type Problem, problem } from "./problem.ts";
import type { Description } from "./sdp/description.ts";
import {
  type Link,
  type OpenExchange,
  revisionOf,
  type Session,
  type StoredDescription,
} from "./session.ts";
import { utf8Bytes } from "./utf8.ts";

/**
 * What a session holds in memory, and on behalf of one peer (S7, S8). Many sessions share the memory of a
 * place: none may take it all, whatever its peers send each other.
 */

const sizes = new WeakMap<StoredDescription, number>();

/** UTF-8 bytes of a description, counted once. */
function bytesOf(stored: StoredDescription): number {
  const known = sizes.get(stored) ?? utf8Bytes(stored.sdp);
  sizes.set(stored, known);
  return known;
}

const bytesOfAll = (texts: readonly (StoredDescription | undefined)[]): number =>
  texts.reduce((sum, text) => sum + (text ? bytesOf(text) : 0), 0);

const textsOf = ({ open, inForce }: Pick<Link, "open" | "inForce">) => [
  open?.offer,
  inForce?.offer,
  inForce?.answer,
];

/**
 * Why a description cannot be kept: an offer, or the answer to the open one. What it takes the place of counts
 * no more. A media server offers to everybody at once: only the limit of the session is for it.
 *
 * Problems: `too-many-offers`, `session-too-large`.
 */
export function tooMuchSdp(
  { session, link, sender }: Move,
  stored: StoredDescription,
  open?: OpenExchange,
): Problem | undefined {
  const others = [...session.links.values()].filter(({ id }) => id !== link.id);
  const bytes = bytesOf(stored);
  if (!open && sender.role !== "media-server") {
    const offered = others.flatMap((other) =>
      other.open?.offerer === sender.id ? [other.open.offer] : [],
    );
    const maxBytes = LIMITS.pendingOfferBytes;
    if (bytesOfAll(offered) + bytes > maxBytes) {
      const detail = `your offers that wait for answers have at most ${maxBytes} bytes together`;
      return problem("too-many-offers", detail, { maxBytes, open: offered.length });
    }
  }
  const kept = open ? [open.offer] : textsOf({ open: null, inForce: link.inForce });
  const held = bytesOfAll([...others.flatMap(textsOf), ...kept]);
  return held + bytes > LIMITS.sessionSdpBytes
    ? tooLarge(`${LIMITS.sessionSdpBytes} bytes of descriptions`)
    : undefined;
}

const tooLarge = (most: string): Problem =>
  problem("session-too-large", `a session has at most ${most} in force and open together`);

interface FlowCounts {
  readonly live: number;
  readonly ended: number;
}

const counts = new WeakMap<readonly Flow[], FlowCounts>();

function countsOf({ flows: { flows } }: Link): FlowCounts {
  const known = counts.get(flows);
  if (known) return known;
  const live = flows.filter(isLive).length;
  const counted = { live, ended: flows.length - live };
  counts.set(flows, counted);
  return counted;
}

/**
 * Why the flows of an offer cannot be kept: each m-section has one in each direction.
 *
 * Problem: `session-too-large`.
 */
export function tooManyFlows(
  { session, link }: Move,
  { sections }: Description,
): Problem | undefined {
  let live = 2 * sections.length;
  for (const other of session.links.values())
    if (other.id !== link.id) live += countsOf(other).live;
  return live > LIMITS.sessionFlows ? tooLarge(`${LIMITS.sessionFlows} media flows`) : undefined;
}

/** How many ended flows a link may remember: all as long as the session has few, else its share. */
export function roomFor(session: Session): Room {
  const { size } = session.links;
  const most = LIMITS.sessionEndedFlows;
  let ended = 0;
  for (const link of session.links.values()) ended += countsOf(link).ended;
  return { ended: ended > most ? Math.floor(most / size) : most, told: revisionOf(session) };
}

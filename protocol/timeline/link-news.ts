import type { Flow } from "../flow.ts";
import { type Link, otherPeer, type RecordedFinding, type Session } from "../session.ts";
import type { SessionEvent } from "../step.ts";
import { toldReason } from "../told-reason.ts";
import { aboutDescription } from "./description-news.ts";
import type { News } from "./entry.ts";
import { restartsIce } from "./ice-restart.ts";
import { type Noted, ofFlows, ofLink } from "./timeline.ts";

/** What became of the negotiation of links, of what rules found in it, and of their flows. */
export function linkNews(before: Session, event: SessionEvent, after: Session): readonly Noted[] {
  if (after.links === before.links) return [];
  const news: Noted[] = [];
  for (const link of after.links.values()) {
    const known = before.links.get(link.id);
    if (link === known) continue;
    const said = [...endedOffer(known, link, event, after), ...descriptions(known, link, after)];
    for (const each of [...said, ...findings(known, link)]) news.push([ofLink(link.id), each]);
    for (const each of flowStates(known, link)) news.push([ofFlows(link.id), each]);
  }
  return news;
}

function descriptions(known: Link | undefined, link: Link, session: Session): News[] {
  const { open, inForce, id } = link;
  const { debug } = session.config;
  const news: News[] = [];
  if (open && open.exchange !== known?.open?.exchange) {
    const { exchange, offerer, offer } = open;
    const about = aboutDescription(offer, debug);
    const restarts = restartsIce(open, inForce) ? ({ restart: true } as const) : {};
    news.push({ type: "offer", by: offerer, link: id, exchange, ...restarts, ...about });
  }
  if (inForce && inForce.exchange !== known?.inForce?.exchange) {
    const { exchange, answer } = inForce;
    const by = otherPeer(link, inForce.offerer);
    news.push({ type: "answer", by, link: id, exchange, ...aboutDescription(answer, debug) });
  }
  return news;
}

/** An offer that came to nothing; one whose peer has left ended with that. */
function endedOffer(
  known: Link | undefined,
  link: Link,
  event: SessionEvent,
  { peers }: Session,
): News[] {
  const open = known?.open;
  if (!open || link.open?.exchange === open.exchange) return [];
  if (link.inForce?.exchange === open.exchange) return [];
  const about = { link: link.id, exchange: open.exchange };
  // Whoever came by HTTP waits for less long.
  const isLate = open.expiresAt <= event.at || link.peers.every((id) => peers.has(id));
  if (event.type === "alarm" && isLate) return [{ type: "expired", ...about }];
  const message = event.type === "message" ? event.message : undefined;
  if (message?.type === "reject") {
    const reason = toldReason(message.reason);
    const by = otherPeer(link, open.offerer);
    return [{ type: "reject", by, ...about, ...(reason !== undefined && { reason }) }];
  }
  return message?.type === "rollback" ? [{ type: "rollback", by: open.offerer, ...about }] : [];
}

/** Remarks are left to whoever reads all findings. */
function findings(known: Link | undefined, link: Link): News[] {
  if (link.findings === known?.findings) return [];
  const old = new Set(known?.findings);
  return link.findings
    .filter((finding) => finding.level !== "info" && !old.has(finding))
    .map((each) => found(each, link.id));
}

const found = (
  { from, rule, level, description, line, exchange, mid, refused }: RecordedFinding,
  link: string,
): News => ({
  type: "finding",
  by: from,
  link,
  rule,
  level,
  ...(description && { description }),
  ...(line !== undefined && { line }),
  ...(exchange !== undefined && { exchange }),
  ...(mid !== undefined && { mid }),
  ...(refused && { refused }),
});

/** What is only proposed follows from the offer, and what becomes of that if nothing comes of it. */
function flowStates(known: Link | undefined, { id, flows }: Link): News[] {
  if (flows.flows === known?.flows.flows) return [];
  const old = new Map<string, Flow>();
  for (const flow of known?.flows.flows ?? []) old.set(flow.id, flow);
  return flows.flows.flatMap((flow): News[] => {
    const was = old.get(flow.id);
    const isAsBefore = flow === was || (flow.state === was?.state && flow.reason === was.reason);
    const wasNothing = was === undefined || was.state === "proposed";
    if (isAsBefore || flow.state === "proposed") return [];
    if (wasNothing && flow.state === "ended") return [];
    const { kind, state, reason } = flow;
    return [{ type: "flow", link: id, flow: flow.id, kind, state, ...(reason && { reason }) }];
  });
}

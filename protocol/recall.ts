import { recentOffers } from "./assess.ts";
import type { Move } from "./move.ts";
import { withFindings } from "./recorded-findings.ts";
import type { Description } from "./sdp/description.ts";
import { digestOf, liveSections } from "./sdp/history.ts";
import type { DescriptionRole } from "./sdp/rule.ts";
import { CNAME_REUSED } from "./sdp/rules/parties.ts";
import { findingOf } from "./sdp/rules/trickle.ts";
import { type Effect, type Session, type Step, withLink } from "./session.ts";

/** CNAMEs that one description is asked for; endpoints have one, middleboxes have many. */
const MOST = 4;

/** Each question is a row elsewhere: of a link that offers more often within a minute nobody asks. */
const MOST_OFFERS = 20;

/**
 * Asks whether CNAMEs that are new on the link were announced in other sessions. A media server may keep its
 * name (RFC 8834 s4.9).
 */
export function recallEffects(
  { link, sender, at }: Move,
  description: Description | undefined,
  role: DescriptionRole,
  exchange: number,
): readonly Effect[] {
  if (!description || sender.role === "media-server") return [];
  if (recentOffers(link, at).length > MOST_OFFERS) return [];
  const known = new Set(link.said[link.peers[0] === sender.id ? 0 : 1].marks.cnames);
  const cnames = liveSections(description)
    .flatMap(({ ssrcs }) => ssrcs)
    .flatMap(({ cname }) => (cname && !known.has(digestOf(cname)) ? [cname] : []));
  const fresh = [...new Set(cnames)].slice(0, MOST);
  return fresh.length === 0
    ? []
    : [{ type: "recall-cnames", peer: sender.id, link: link.id, role, exchange, cnames: fresh }];
}

/** One of them was: whoever asks for findings sees it, and the peer is told. */
export function cnameRecalled(
  session: Session,
  event: {
    readonly peer: string;
    readonly link: string;
    readonly role: DescriptionRole;
    readonly exchange: number;
    readonly at: number;
  },
): Step {
  const { peer, role, exchange, at } = event;
  const link = session.links.get(event.link);
  if (!link) return { session, effects: [] };
  const finding = findingOf(CNAME_REUSED, role);
  const noted = withFindings(link, [finding], { from: peer, at, exchange });
  const to = link.peers[0] === peer ? link.peers[1] : link.peers[0];
  return {
    session: withLink(session, noted),
    effects: [
      { type: "send", to: peer, message: { type: "findings", to, exchange, findings: [finding] } },
    ],
  };
}

import { linkBetween } from "./addressing.ts";
import type { ContextRecord, ContextResult, StreamContext } from "./context-messages.ts";
import { contextsOf, mediaServersOf } from "./contexts.ts";
import type { FromPeer } from "./messages.ts";
import { type Problem, problem } from "./problem.ts";
import { reportQuality } from "./quality.ts";
import { linkIdOf, type Peer, type Session, type Step, withLink } from "./session.ts";
import { reportOnTransport } from "./steering.ts";
import { toldReason } from "./told-reason.ts";

/** What a media server made of a context, as its link keeps it. */
export type KeptResult = NonNullable<ContextRecord["result"]>;

/**
 * A media server tells what it made of a context. That it does what was asked is not worth a row; that it does not is
 * kept, until it says otherwise or the context is closed.
 *
 * Problems: `not-permitted` for anybody else; `context-not-found`; those of the reports that it brings along.
 */
export function recordContextResult(
  session: Session,
  sender: Peer,
  message: Extract<FromPeer, { type: "context-result" }>,
  at: number,
): Step | Problem {
  if (sender.role !== "media-server") {
    return problem("not-permitted", "only a media server has contexts");
  }
  const context = contextsOf(session, sender.id).get(message.context);
  if (!context) return problem("context-not-found", "no such context is open");
  const reported = withReports(session, sender, message, context, at);
  if ("code" in reported) return reported;
  return { ...reported, session: withResult(reported.session, sender, message, context, at) };
}

/** The transport and the sources that a result brings along are reports like any others. */
function withReports(
  session: Session,
  sender: Peer,
  { transport, sources }: ContextResult,
  { peer: to, flow, mid }: StreamContext,
  at: number,
): Step | Problem {
  let next = session;
  if (transport) {
    const about = mid === undefined ? {} : { transport: mid };
    const report = { type: "transport", to, ...about, ...transport } as const;
    const step = reportOnTransport(next, sender, report, at);
    if ("code" in step) return step;
    next = step.session;
  }
  if (sources && flow !== undefined) {
    const report = { type: "quality", to, flows: [{ flow, sources }] } as const;
    // Of a context that is open, the peer is there.
    const step = reportQuality(next, sender, { ...report, flows: [...report.flows] }, at) as Step;
    next = step.session;
  }
  return { session: next, effects: [], ack: {} };
}

function withResult(
  session: Session,
  sender: Peer,
  { context, revision, outcome, maxBitrateBps, cause, detail }: ContextResult,
  { peer }: StreamContext,
  at: number,
): Session {
  const link = linkBetween(session, sender.id, peer);
  const { [context]: former, ...others } = link.contextResults ?? {};
  const isPlain = outcome === "granted" && maxBitrateBps === undefined;
  if (isPlain && !former) return session;
  const told = toldReason(detail);
  const kept: KeptResult = {
    revision,
    outcome,
    ...(maxBitrateBps !== undefined && { maxBitrateBps }),
    ...(cause !== undefined && { cause }),
    ...(told !== undefined && { detail: told }),
    at,
  };
  const { contextResults: _, ...rest } = link;
  const open = contextsOf(session, sender.id);
  const results = Object.fromEntries(Object.entries(others).filter(([id]) => open.has(id)));
  const next = isPlain ? results : { ...results, [context]: kept };
  return withLink(session, {
    ...rest,
    ...(Object.keys(next).length > 0 && { contextResults: next }),
  });
}

/** All contexts of a session, with what was made of them. */
export function viewContexts(session: Session): readonly ContextRecord[] {
  return mediaServersOf(session).flatMap(({ id: server }) =>
    [...contextsOf(session, server).values()].map((context) => {
      const link = session.links.get(linkIdOf(server, context.peer));
      const result = link?.contextResults?.[context.context];
      return { ...context, server, ...(result && { result }) };
    }),
  );
}

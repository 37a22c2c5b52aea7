import { type Change, changesOf } from "../protocol/metrics/lifecycle.ts";
import { isProblem, type Problem } from "../protocol/problem.ts";
import type { Session } from "../protocol/session.ts";
import { LifecycleNews } from "./lifecycle-news.ts";
import { RefusalTally } from "./refusal-tally.ts";
import { SessionManaged } from "./session-managed.ts";

/** What operators learn of a session (see LifecycleNews), after it is done. */
export abstract class SessionLifecycle extends SessionManaged {
  readonly #news = new LifecycleNews(this.env);
  readonly #refusals = new RefusalTally();

  protected override begin(session: Session): void {
    super.begin(session);
    this.#tell(session, [{ kind: "session-created" }]);
  }

  protected override perform(...done: Parameters<SessionManaged["perform"]>): void {
    super.perform(...done);
    const [before, { session: after, effects }, at] = done;
    this.#tell(after, changesOf({ before, after, effects, at }));
  }

  protected override stepBy(...turn: Parameters<SessionManaged["stepBy"]>) {
    const result = super.stepBy(...turn);
    const refused = isProblem(result) ? result : result.problem;
    const [event] = turn;
    if (refused) this.noteRefusal(refused, "peer" in event ? event.peer : undefined);
    return result;
  }

  protected noteRefusal({ code }: Problem, peer: string | undefined): void {
    const { session } = this;
    const times = session ? this.#refusals.count(code, Date.now()) : 0;
    if (!session || times === 0) return;
    this.#tell(session, [{ kind: "refused", ...(peer && { peer }), code, times }]);
  }

  protected override noteDeadWebhooks(types: readonly string[]): void {
    const { session } = this;
    const changes = types.map((type) => ({ kind: "webhook-dead", type }) as const);
    if (session) this.#tell(session, changes);
    else this.#news.tell({ session: this.ctx.id.name ?? "", topology: "", peers: 0 }, changes);
  }

  #tell({ id, config, peers }: Session, changes: readonly Change[]): void {
    this.#news.tell({ session: id, topology: config.topology, peers: peers.size }, changes);
  }
}

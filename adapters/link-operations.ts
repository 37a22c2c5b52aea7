import { sourcesForPlayer } from "./downlink-sources.ts";
import { abandon } from "./managed-intake.ts";
import type {
  BackendOffer,
  Change,
  ManagedLink,
  ManagedState,
  Operation,
  RemoteDescription,
  Wanted,
} from "./managed-state.ts";
import type { MediaBackend } from "./media-backend.ts";
import type { MediaServerPort, Reply } from "./media-server-port.ts";
import {
  isIceLite,
  isOther,
  offeredSections,
  printsOf,
  rejectedMids,
  ufragsOf,
  withCandidates,
} from "./offered-media.ts";
import { isAnew, isNew, notePulls, noteSections, noteTracks } from "./publications.ts";
import { Setbacks } from "./setbacks.ts";

/** Nobody reports the connection of a peer behind HTTP: the SFU is asked, soon after the answer and then now and then. */
const FIRST_CHECK_MS = 5000;
const CHECK_MS = 30_000;

const AWAY_MS = 5000;

type Of<T extends Operation["type"]> = Extract<Operation, { type: T }>;

/** Does what `nextOperation` found, and notes in the state what came of it. */
export class LinkOperations {
  readonly #state: ManagedState;
  readonly #backend: MediaBackend;
  readonly #port: MediaServerPort;
  readonly #setbacks: Setbacks;

  constructor(state: ManagedState, backend: MediaBackend, port: MediaServerPort) {
    this.#state = state;
    this.#backend = backend;
    this.#port = port;
    this.#setbacks = new Setbacks(state, port);
  }

  /** Never throws: what fails becomes state as well. */
  async perform(link: ManagedLink, operation: Operation): Promise<void> {
    try {
      await this.#dispatch(link, operation);
    } catch (thrown) {
      if (this.#isHere(link)) await this.#setbacks.failed(link, operation, thrown);
    }
    // Whatever the call has made of a session whose owner left meanwhile.
    if (!this.#isHere(link)) abandon(this.#state, link, this.#port.now());
  }

  #dispatch(link: ManagedLink, operation: Operation): Promise<void> {
    switch (operation.type) {
      case "publish":
        return this.#publish(link, operation.remote);
      case "play":
        return this.#play(link, operation.remote);
      case "answer":
        return this.#answer(link, operation);
      case "refuse":
        return this.#setbacks.refuse(link, operation.remote, operation.reason);
      case "offer":
        return this.#offer(link, operation.offered);
      case "pull":
        return this.#pull(link, operation.wanted);
      case "update":
        return this.#update(link, operation.changes);
      case "close":
        return this.#close(link, operation.mids);
      case "inspect":
        return this.#inspect(link);
    }
  }

  /** The peer may be gone, or come anew, since a call was begun. */
  #isHere(link: ManagedLink): boolean {
    return this.#state.links[link.peer.id] === link;
  }

  async #publish(link: ManagedLink, remote: RemoteDescription): Promise<void> {
    const sections = offeredSections(remote.sdp);
    if (!sections) return this.#setbacks.refuse(link, remote, "the offer cannot be read");
    if (link.established && isAnew(link, remote)) this.#setbacks.renew(link);
    const session = await this.#sessionOf(link, remote.sdp);
    if (session === undefined) return;
    const now = this.#port.now();
    const tracks = sections
      .filter(({ mid, sends }) => sends && isNew(link.publications[mid], now))
      .map(({ mid }) => ({ mid, name: this.#name() }));
    // Until they are answered for: what the call leaves behind when its end is never known is closed.
    for (const { mid, name } of tracks) link.publications[mid] = { name, ended: true };
    this.#port.keep(this.#state);
    const offer = withCandidates(remote.sdp, remote.candidates);
    const { answer, tracks: results } = await this.#backend.publish(session, offer, tracks);
    const faults = noteTracks(link, tracks, results);
    if (link.remote !== remote) return this.#setbacks.withdrawn(link, tracks);
    if (faults.length > 0 && link.peer.via === "whip") {
      // RFC 9725 s4.4.3: no answer that takes only a part.
      this.#setbacks.renew(link);
      return this.#setbacks.refuse(link, remote, faults.join(", "));
    }
    const reply = await this.#reply(link, remote, answer);
    if (reply.type === "problem") return this.#setbacks.unanswered(link, remote, reply, tracks);
    noteSections(link, sections, now);
    notePulls(link, sections);
  }

  async #play(link: ManagedLink, remote: RemoteDescription): Promise<void> {
    const sections = offeredSections(remote.sdp) ?? [];
    const kinds = new Set(sections.filter(({ receives }) => receives).map(({ kind }) => kind));
    const chosen = sourcesForPlayer(this.#state, link, kinds);
    if (chosen.length === 0) {
      return this.#setbacks.refuse(link, remote, "nothing that it could play is published");
    }
    if (link.session !== undefined) this.#setbacks.renew(link);
    const session = await this.#sessionOf(link, remote.sdp);
    if (session === undefined) return;
    const offer = withCandidates(remote.sdp, remote.candidates);
    const wanted = chosen.map(({ source }) => source);
    const { description, tracks } = await this.#backend.subscribe(session, wanted, offer);
    const faults = chosen.flatMap(({ kind, source }, at) => {
      const { mid, fault } = tracks[at] ?? {};
      if (mid !== undefined && !fault) link.pulls[mid] = { kind, source };
      return fault ? [fault.detail] : [];
    });
    if (link.remote !== remote) return this.#setbacks.renew(link);
    if (!description || faults.length === chosen.length) {
      this.#setbacks.renew(link);
      return this.#setbacks.refuse(link, remote, faults.join(", "));
    }
    const reply = await this.#reply(link, remote, description.sdp);
    if (reply.type === "problem") await this.#setbacks.unanswered(link, remote, reply, []);
  }

  /** Answers the offer; a session that has no exchange yet has one then. */
  async #reply(link: ManagedLink, remote: RemoteDescription, sdp: string): Promise<Reply> {
    link.remote = undefined;
    const { exchange } = remote;
    const to = link.peer.id;
    const reply = await this.#port.send({ type: "answer", to, exchange, sdp });
    if (reply.type === "ack") {
      this.#settle(link, remote);
      // The answer has all candidates: no more will come (RFC 8838 s8.2).
      await this.#port.send({ type: "candidates", to, exchange, candidates: [], complete: true });
    }
    return reply;
  }

  #settle(link: ManagedLink, { sdp }: RemoteDescription): void {
    link.established = true;
    link.inForce = true;
    link.losses = 0;
    link.quietUntil = undefined;
    link.prints = printsOf(sdp);
    link.ufrags = ufragsOf(sdp);
    if (link.peer.via !== undefined) link.checkAt = this.#port.now() + FIRST_CHECK_MS;
  }

  async #answer(link: ManagedLink, { answer, offered }: Of<"answer">): Promise<void> {
    const { session } = link;
    if (session === undefined) return;
    if (link.established && isOther(link.prints, printsOf(answer.sdp))) {
      // Answered by a page that was loaded anew: the session has the keys of the one before.
      return this.#setbacks.lose(link, "another connection answered");
    }
    await this.#backend.answer(session, withCandidates(answer.sdp, answer.candidates));
    if (link.offered === offered) link.offered = undefined;
    this.#settle(link, answer);
    notePulls(link, offeredSections(answer.sdp) ?? []);
    for (const mid of rejectedMids(answer.sdp)) {
      const pull = link.pulls[mid];
      if (!pull || !(mid in offered.media)) continue;
      pull.ended = true;
      const context = this.#state.contexts[pull.context ?? ""];
      const detail = "the receiver rejected the section";
      if (context) context.failure = { cause: "unsupported-codec", detail };
    }
  }

  async #offer(link: ManagedLink, offered: BackendOffer): Promise<void> {
    const { sdp, media } = offered;
    const to = link.peer.id;
    offered.attempts += 1;
    if (this.#setbacks.isHopeless(offered)) return this.#setbacks.lose(link, "offers refused");
    const reply = await this.#port.send({ type: "offer", to, sdp, media });
    if (reply.type === "ack" && reply.exchange !== undefined) {
      const { exchange } = reply;
      offered.exchange = exchange;
      await this.#port.send({ type: "candidates", to, exchange, candidates: [], complete: true });
      return;
    }
    const isAway = reply.type === "problem" && AWAY.has(reply.code);
    // Who is away, or was quicker, has refused nothing.
    if (isAway) offered.attempts -= 1;
    offered.retryAt = this.#port.now() + AWAY_MS;
  }

  async #pull(link: ManagedLink, wanted: readonly Wanted[]): Promise<void> {
    const session = await this.#sessionOf(link, "");
    if (session === undefined) return;
    const sources = wanted.map(({ source }) => source);
    const { description, tracks } = await this.#backend.subscribe(session, sources);
    const media: Record<string, { readonly context: string }> = {};
    for (const [at, { context, kind, source }] of wanted.entries()) {
      const { mid, fault } = tracks[at] ?? {};
      if (mid === undefined || fault) {
        this.#setbacks.trackFailed(context, fault);
        continue;
      }
      media[mid] = { context };
      link.pulls[mid] = { context, kind, source, ...this.#setbacks.trackWorked(context) };
    }
    if (description) link.offered = { sdp: description.sdp, media, attempts: 0 };
  }

  async #update(link: ManagedLink, changes: readonly Change[]): Promise<void> {
    if (link.session === undefined) return;
    const placed = changes.map(({ mid, source }) => ({ ...source, mid }));
    const results = await this.#backend.update(link.session, placed);
    for (const [at, { mid, source }] of changes.entries()) {
      const pull = link.pulls[mid];
      const fault = results[at]?.fault;
      if (fault) {
        this.#setbacks.trackFailed(pull?.context, fault);
      } else if (pull) {
        pull.source = source;
        this.#setbacks.trackWorked(pull.context);
      }
    }
  }

  async #close(link: ManagedLink, mids: readonly string[]): Promise<void> {
    if (link.session === undefined) return;
    await this.#backend.close(link.session, mids);
    link.closeAt = undefined;
    for (const mid of mids) {
      // A section may have been published anew meanwhile.
      if (link.publications[mid]?.ended) delete link.publications[mid];
      if (link.pulls[mid]?.ended) delete link.pulls[mid];
    }
  }

  async #inspect(link: ManagedLink): Promise<void> {
    if (link.session === undefined) return;
    const tracks = await this.#backend.inspect(link.session);
    link.checkAt = this.#port.now() + CHECK_MS;
    const { via, id: to } = link.peer;
    if (via === "whip" && tracks.every(({ active }) => !active)) {
      return this.#setbacks.lose(link, "nothing was received for 30 s");
    }
    if (link.connected) return;
    link.connected = true;
    await this.#port.send({ type: "transport", to, state: "connected" });
  }

  /** The session of a link, made when it has none; undefined when the peer left meanwhile. */
  async #sessionOf(link: ManagedLink, sdp: string): Promise<string | undefined> {
    if (link.session === undefined) {
      link.session = await this.#backend.open({ iceLite: isIceLite(sdp) });
      this.#port.keep(this.#state);
    }
    return this.#isHere(link) ? link.session : undefined;
  }

  #name(): string {
    this.#state.names += 1;
    return `track-${this.#state.names}`;
  }
}

const AWAY: ReadonlySet<string> = new Set(["glare", "peer-away", "receiver-busy", "rate-limited"]);
